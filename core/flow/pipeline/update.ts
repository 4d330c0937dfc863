import type { Deps } from "../../ground/deps.ts";
import { fail } from "../../ground/errors.ts";
import * as Attempt from "../../work/attempt/index.ts";
import * as Task from "../../work/task/index.ts";
import { obey } from "./obey.ts";
import { keyName, nameIn, UNKNOWN_WORKER, type Caller, type Update } from "./patch.ts";
import { joinSession } from "./session-key.ts";
import { changeFields, contextPatch, mayReport } from "./update-fields.ts";
import { changeStatus } from "./update-status.ts";
import { decide } from "./verbs.ts";

/**
 * A client's PATCH. Throws 400 `task.nothing_to_change`, 404 `task.not_found`, 409 `task.claimed`, `task.transition`,
 * `task.of_item`, and then nothing is changed.
 */
export async function update(deps: Deps, taskId: string, patch: Update, caller: Caller): Promise<Task.Whole> {
  if (Object.values(patch).every((value) => value === null || value === undefined))
    throw fail("task.nothing_to_change", "At least one field required");
  const task = await Task.read(deps.store, taskId);
  if (!task) throw fail("task.not_found", "Task not found");
  const contract = Task.contractIn(patch, patch.context ?? {});
  // Refused before anything is written, rather than half way.
  Task.checkContext({ ...task.parts.context, ...contextPatch({ ...task.row, ...contract }, patch, contract) });
  const named = nameIn(patch);
  await refuseLateWords(deps, task.row, patch, named);
  if (task.row.item) await ofItem(deps, task.row, patch);
  else if (patch.decision && task.row.status === "needs_decision" && (patch.status ?? "pending") === "pending")
    await decide(deps, taskId, patch.decision);
  else if (patch.status && patch.status !== task.row.status)
    await changeStatus(deps, task.row, patch, patch.status, named, caller);
  else {
    if (patch.status) again(task.row, patch.status, named ?? keyName(caller));
    mayReport(task.row, patch, named);
  }
  await changeFields(deps, taskId, patch, contract, named);
  if (patch.context) {
    if (!task.row.item) await joinSession(deps, taskId, patch.context);
    await obey(deps, taskId, patch.context);
  }
  return (await Task.read(deps.store, taskId)) ?? task;
}

/** From outside an item's task takes context and a decision; all else goes through the pipeline's own verbs. */
async function ofItem(deps: Deps, row: Task.TaskRow, patch: Update): Promise<void> {
  const others = Object.entries(patch).some(
    ([key, value]) => value !== null && value !== undefined && !["context", "decision", "worker_id"].includes(key),
  );
  if (others)
    throw fail("task.of_item", "The task is a phase of a backlog item; only its context and its decision are open", {
      remedy: "Cancel, retry, release or decide it with the verbs of those names.",
    });
  if (patch.decision && row.status === "needs_decision") await decide(deps, row.id, patch.decision);
}

/**
 * A status that is there already: the same owner repeats himself, which changes nothing; anybody else is refused. Who claims
 * without a name claims as `unknown`, and does not get what another has.
 */
function again(row: Task.TaskRow, status: Task.Status, worker: string | undefined): void {
  const claimant = status === "running" ? (worker ?? UNKNOWN_WORKER) : worker;
  const owned = status === "running" || Task.hasEnded(status);
  if (owned && claimant !== undefined && row.claimed_by !== claimant) throw Attempt.alreadyClaimed(row);
}

/** A pending task was taken from whoever held it last (released, reaped): his late words are not those of a new claim. */
async function refuseLateWords(deps: Deps, row: Task.TaskRow, patch: Update, named: string | undefined): Promise<void> {
  const claims = patch.status === "running";
  if (row.status !== "pending" || row.att === 0 || named === undefined || claims || !isReport(patch)) return;
  // Of all that were ever his: others may have had it since.
  const his = (await Attempt.readAll(deps.store, row.id, row.att)).findLast((one) => one.owner === named);
  if (his?.by === "client" && his.end?.class === "lost")
    throw fail("task.claimed", "The task was taken back from this worker", {
      remedy: "Claim it again before working on it.",
    });
}

function isReport(patch: Update): boolean {
  return [patch.status, patch.output, patch.progress_pct, patch.current_step].some(
    (one) => one !== null && one !== undefined,
  );
}
