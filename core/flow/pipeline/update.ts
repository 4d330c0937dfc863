import type { Deps } from "../../ground/deps.ts";
import { fail } from "../../ground/errors.ts";
import * as Store from "../../ground/store/index.ts";
import { Keys } from "../../ground/store/index.ts";
import * as Attempt from "../../work/attempt/index.ts";
import * as Task from "../../work/task/index.ts";
import { endAttempt, settled } from "./end.ts";
import { obey } from "./obey.ts";
import { keyName, nameIn, UNKNOWN_WORKER, type Caller, type Update } from "./patch.ts";
import { joinWrites } from "./session-key.ts";
import { fieldWrites, isGiven, isReport, mayReport, stayWrites } from "./update-fields.ts";
import { stepOf, type Step } from "./update-status.ts";
import { answerIn, decided } from "./verbs.ts";

/**
 * A client's PATCH: all of it in one transaction, or nothing. Throws 400 `task.nothing_to_change`, 404 `task.not_found`, 409
 * `task.claimed`, `task.transition`, `task.of_item`, 413 `input.too_large`, 422 `input.invalid`.
 */
export async function update(deps: Deps, taskId: string, patch: Update, caller: Caller): Promise<Task.Whole> {
  if (Object.values(patch).every((value) => value === null || value === undefined))
    throw fail("task.nothing_to_change", "At least one field required");
  const once = () => updateOnce(deps, taskId, patch, caller);
  const step = await Store.contend(deps, "The task is too busy", once, taskId);
  if (step.kind === "end") {
    await deps.events.publish(step.ending.to === "pending" ? { type: "task.queued", taskId } : settled(step.row));
    if (isAnswer(step)) await deps.events.publish({ type: "decision.given", taskId });
  }
  if (patch.context) await obey(deps, taskId, patch.context);
  const task = await Task.read(deps.store, taskId);
  if (!task) throw fail("task.not_found", "Task not found");
  return task;
}

/** Reads, decides, writes; undefined when somebody came between. */
async function updateOnce(deps: Deps, taskId: string, patch: Update, caller: Caller): Promise<Step | undefined> {
  const said = { patch, contract: Task.contractIn(patch, patch.context ?? {}) };
  const read = await Task.readToChange(deps.store, taskId);
  if (!read) throw fail("task.not_found", "Task not found");
  const { context } = read;
  // A target contract lies in both: the task is read once more, so that it is no older than the context.
  const row = Object.keys(said.contract).length > 0 ? ((await Task.row(deps.store, taskId)) ?? read.row) : read.row;
  const named = nameIn(patch);
  const step = await stepFor(deps, row, patch, named, caller);
  const joins = row.item ? [] : await joinWrites(deps, taskId, patch.context ?? {});
  const more = (now: number) => [...fieldWrites(row, context, said, now), ...joins];
  switch (step.kind) {
    case "claim": {
      const written = await Store.tx(deps.store, (now) => [
        ...Attempt.claimWrites(deps, row, step.claimant, now).writes,
        ...more(now),
      ]);
      return written.ok ? step : undefined;
    }
    case "end": {
      const { ending } = step;
      const change = { ...ending.change, set: { ...ending.change?.set, ...priorityOf(patch) } };
      const also = (now: number) => [...(ending.also?.(now) ?? []), ...more(now)];
      return (await endAttempt(deps, step.row, step.attempt, { ...ending, change, also })) ? step : undefined;
    }
    case "stay": {
      const now = deps.clock.now();
      const written = await Store.tx(deps.store, [...(await stayWrites(deps, row, patch, named, now)), ...more(now)]);
      if (written.ok) return step;
      const lost = written.refused.find(({ key }) => key.sk === Keys.task(taskId).sk);
      const moved = lost?.conditions.some((name) => name === "pending" || name === "queue" || name === "waits");
      if (moved || (lost?.conditions.includes("attempt") && isReport(patch)))
        throw Attempt.alreadyClaimed(lost?.item as Task.TaskRow | undefined, now);
      return undefined;
    }
  }
}

/** What it does to the status; throws what it is refused with. */
async function stepFor(
  deps: Deps,
  row: Task.TaskRow,
  patch: Update,
  named: string | undefined,
  caller: Caller,
): Promise<Step> {
  await refuseLateWords(deps, row, patch, named);
  if (row.item) refuseOfItem(patch);
  if (isGiven(patch.decision) && row.status === "needs_decision") {
    const answer = answerIn(patch.decision);
    if ((patch.status ?? "pending") === "pending")
      return { kind: "end", row, attempt: undefined, ending: decided(row, answer) };
  }
  if (patch.status && patch.status !== row.status) return stepOf(deps, row, patch, patch.status, named, caller);
  const now = deps.clock.now();
  if (patch.status) again(row, patch.status, named ?? keyName(caller), now);
  mayReport(row, patch, named, now);
  return { kind: "stay" };
}

/** From outside an item's task takes context and a decision; all else goes through the pipeline's own verbs. */
function refuseOfItem(patch: Update): void {
  const others = Object.entries(patch).some(
    ([key, value]) => isGiven(value) && !["context", "decision", "worker_id"].includes(key),
  );
  if (others)
    throw fail("task.of_item", "The task is a phase of a backlog item; only its context and its decision are open", {
      remedy: "Cancel, retry, release or decide it with the verbs of those names.",
    });
}

function isAnswer({ row, ending }: Extract<Step, { kind: "end" }>): boolean {
  return row.status === "needs_decision" && ending.to === "pending";
}

/** Where it goes into the queue again, it goes there by its new priority. */
function priorityOf({ priority }: Update): { priority?: number } {
  return isGiven(priority) ? { priority } : {};
}

/**
 * A status that is there already: the same owner repeats himself, which changes nothing; anybody else is refused. Who claims
 * without a name claims as `unknown`, and does not get what another has.
 */
function again(row: Task.TaskRow, status: Task.Status, worker: string | undefined, now: number): void {
  const claimant = status === "running" ? (worker ?? UNKNOWN_WORKER) : worker;
  const owned = status === "running" || Task.hasEnded(status);
  if (owned && claimant !== undefined && row.claimed_by !== claimant) throw Attempt.alreadyClaimed(row, now);
}

/** A pending task was taken from whoever held it last (released, reaped): his late words are not those of a new claim. */
async function refuseLateWords(deps: Deps, row: Task.TaskRow, patch: Update, named: string | undefined): Promise<void> {
  const claims = patch.status === "running";
  if (row.status !== "pending" || row.att === 0 || named === undefined || claims || !(patch.status || isReport(patch)))
    return;
  // Of all that were ever his: others may have had it since.
  const his = (await Attempt.readAll(deps.store, row.id, row.att)).findLast((one) => one.owner === named);
  if (his?.by !== "client" || his.end?.class !== "lost") return;
  const now = deps.clock.now();
  if (Task.isLeased(row, now, named)) throw Attempt.alreadyClaimed(row, now);
  throw fail("task.claimed", "The task was taken back from this worker", {
    remedy: "Claim it again before working on it.",
  });
}
