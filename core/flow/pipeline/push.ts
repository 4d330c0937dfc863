import type { Deps } from "../../ground/deps.ts";
import { CoherenceError } from "../../ground/errors.ts";
import * as Backlog from "../../work/backlog/index.ts";
import { cancel } from "./verbs.ts";

/** Pushes a backlog file; attempts in flight of items whose line vanished end, and nothing follows them. */
export async function push(deps: Deps, input: Backlog.Push): Promise<Backlog.Pushed> {
  const pushed = await Backlog.push(deps, input);
  if (input.dryRun) return pushed;
  for (const id of pushed.retired) {
    const item = await Backlog.item(deps, input.id, id);
    if (item?.state !== "retired" || item.task === undefined) continue;
    try {
      await cancel(deps, item.task, "its line vanished from the backlog");
    } catch (error) {
      // It came to its own end meanwhile.
      if (!(error instanceof CoherenceError) || error.code !== "task.transition") throw error;
    }
  }
  return pushed;
}
