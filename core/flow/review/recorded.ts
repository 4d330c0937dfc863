import { describe, suiteNotes } from "./colour.ts";
import type { Evidence, Judgement } from "./evidence.ts";

/** A task without an item: whatever its evidence is, it is said, and nothing is required of it. */
export function judgeRecorded({ phase, filesSinceTask, markers, suite, notRedder, result }: Evidence): Judgement {
  return {
    kind: "passed",
    notes: [
      ...(filesSinceTask.length === 0 && phase !== "review" ? ["no file was changed"] : []),
      ...(markers.length > 0 ? [`conflict markers are left in ${markers.length} files`] : []),
      ...(suite !== null && !notRedder ? [`the suite is redder than at the base: ${describe(suite)}`] : []),
      ...suiteNotes(suite),
      ...(result.kind === "invalid" ? [`the result block cannot be read: ${result.why}`] : []),
    ],
  };
}
