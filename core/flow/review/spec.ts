import { posix } from "node:path";
import type { Evidence, Judgement } from "./evidence.ts";

/** Spec: a diff since the item began that holds the named spec file; the agent may name it only where the item does not. */
export function judgeSpec({ specPath, filesSinceItem, result }: Evidence): Judgement {
  const named = specPath ?? (result.kind === "result" ? result.result.spec_path : undefined);
  if (named === undefined)
    return {
      kind: "bad",
      message: "no spec file is named, neither by the item nor as spec_path of the result block",
      remedy: "The next attempt gives the path of the spec it wrote as spec_path.",
    };
  if (filesSinceItem.length === 0)
    return {
      kind: "bad",
      message: `nothing was changed: ${named} was not written`,
      remedy: `The next attempt writes the spec at ${named}.`,
    };
  const path = posix.normalize(named);
  if (!filesSinceItem.some((file) => posix.normalize(file) === path))
    return {
      kind: "bad",
      message: `the spec file ${named} is not among what was changed (${list(filesSinceItem)})`,
      remedy: `The next attempt writes the spec at ${named}.`,
    };
  return { kind: "passed", notes: [] };
}

function list(files: readonly string[]): string {
  return files.slice(0, 5).join(", ") + (files.length > 5 ? ` and ${files.length - 5} more` : "");
}
