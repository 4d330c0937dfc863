import { describe, suiteNotes } from "./colour.ts";
import type { Evidence, Judgement } from "./evidence.ts";

/** Impl: a diff since the task began, no conflict markers left, the suite not redder than the base. */
export function judgeImpl({ filesSinceTask, markers, suite, notRedder, result }: Evidence): Judgement {
  // Markers first: they are why the suite is red, when it is.
  if (markers.length > 0)
    return {
      kind: "bad",
      message: `conflict markers are left in ${markers.slice(0, 5).join(", ")}${markers.length > 5 ? ` and ${markers.length - 5} more` : ""}`,
      remedy: "The next attempt resolves what is left of the conflict.",
    };
  if (filesSinceTask.length === 0)
    return {
      kind: "bad",
      message: `the agent changed nothing${result.kind === "invalid" ? `, and its result block cannot be read: ${result.why}` : ""}`,
      remedy: "The next attempt does the work, or asks what keeps it from doing so.",
    };
  if (!notRedder)
    return {
      kind: "bad",
      message:
        suite === null
          ? "the base has a test suite, and it did not run"
          : `the test suite is redder than at the base: ${describe(suite)}`,
      remedy: "The next attempt begins with this work and mends what became red.",
    };
  return { kind: "passed", notes: suiteNotes(suite) };
}
