import type { Deps } from "../../ground/deps.ts";
import { CoherenceError, fail } from "../../ground/errors.ts";
import * as Attempt from "../../work/attempt/index.ts";
import * as Metrics from "../../work/metrics/index.ts";
import * as Task from "../../work/task/index.ts";
import { CLIENT_LEASE_MS } from "./budgets.ts";
import { endAttempt, errorOf, settled, type Ending } from "./end.ts";
import { retryNotBefore } from "./parse-context.ts";
import { keyName, UNKNOWN_WORKER, type Caller, type Update } from "./patch.ts";
import { asking, expiryOf } from "./question.ts";
import { takenOut } from "./verbs.ts";

/** The longest that a runner may put a requeued task off. */
const LONGEST_RETRY_MS = 86_400_000;

/** Claims a task for a client, ends its run, or asks; throws 409 when it is another's, and then nothing is changed. */
export async function changeStatus(
  deps: Deps,
  row: Task.TaskRow,
  patch: Update,
  to: NonNullable<Update["status"]>,
  named: string | undefined,
  caller: Caller,
): Promise<void> {
  const owner = named ?? keyName(caller) ?? UNKNOWN_WORKER;
  if (to === "running") {
    if (Task.hasEnded(row.status)) throw Attempt.alreadyClaimed(row);
    return claimFor(deps, row, owner);
  }
  const last = row.att > 0 ? await Attempt.read(deps.store, row.id, row.att) : undefined;
  const open = last && last.ended_at === undefined ? last : undefined;
  if (row.status === "running") mayEnd(row, open, named);
  if (row.status === "completed" && (last?.by !== "client" || (named !== undefined && named !== last.owner)))
    throw fail("task.transition", `A ${row.status} task cannot become ${to}`);
  if (row.status === "failed" && named !== undefined && named !== last?.owner) throw Attempt.alreadyClaimed(row);
  const ending = endingOf(deps, row, patch, to);
  const finishing = row.status === "pending" && (to === "completed" || to === "failed");
  const done = finishing
    ? await claimAndFinish(deps, row, ending, owner)
    : await endAttempt(deps, row, open, { ...ending, ...(await leaving(deps, row)) });
  if (!done) throw Attempt.alreadyClaimed(await Task.row(deps.store, row.id));
  await deps.events.publish(to === "pending" ? { type: "task.queued", taskId: row.id } : settled(row));
}

/** Who asks again before he was answered has it, and is told so. */
async function claimFor(deps: Deps, row: Task.TaskRow, owner: string): Promise<void> {
  try {
    await Attempt.claim(deps, row.id, { by: "client", owner, leaseMs: leaseOf(row, owner, deps.clock.now()) });
  } catch (error) {
    if (!(error instanceof CoherenceError) || error.code !== "task.claimed") throw error;
    const now = await Task.row(deps.store, row.id);
    if (now?.status !== "running" || now.claimed_by !== owner) throw error;
  }
}

/** A claim follows the run-state lease of its worker, where there is one. */
function leaseOf(row: Task.TaskRow, owner: string, now: number): number {
  const follows = row.run_worker === owner && (row.run_until ?? 0) > now;
  return follows && row.run_lease_ms !== undefined ? row.run_lease_ms : CLIENT_LEASE_MS;
}

/** Only the owner of a live lease ends what he holds; a caller without a name has his way over clients' attempts, not over ours. */
function mayEnd(row: Task.TaskRow, open: Attempt.AttemptRow | undefined, named: string | undefined): void {
  if (!open) return;
  if (open.by === "pipeline")
    throw fail("task.claimed", `Task already claimed by ${row.claimed_by ?? "the pipeline"}`, {
      remedy: "Cancel or release it: the pipeline's own attempt holds it.",
    });
  if (named !== undefined && named !== open.owner) throw Attempt.alreadyClaimed(row);
}

/** An end that is left (a client's second word): its record is taken out, so that it counts once. */
async function leaving(deps: Deps, row: Task.TaskRow): Promise<Pick<Ending, "also">> {
  const record = await takenOut(deps, row);
  return record ? { also: (now) => [Metrics.takeOut(record, now)] } : {};
}

function endingOf(
  deps: Deps,
  row: Task.TaskRow,
  patch: Update,
  to: Exclude<NonNullable<Update["status"]>, "running">,
): Ending {
  const base = { to, actor: "client" as const, class: null, message: `${to} by ${patch.worker_id ?? "a client"}` };
  const output = patch.output ?? "";
  const said = patch.output === null || patch.output === undefined ? {} : { output_len: patch.output.length };
  // With the end, not after it: who reads a finished task reads all of it.
  const parts = patch.output === null || patch.output === undefined ? {} : { output: patch.output };
  switch (to) {
    case "completed":
      return { ...base, change: { set: { progress_pct: 100, ...said } }, parts: { ...parts, error: null } };
    case "failed": {
      const reason = patch.error ?? (output.trim() === "" ? "" : lastLine(output));
      const failure: Task.Failure =
        reason === ""
          ? { class: "unreported", message: "the client gave no reason" }
          : { class: "reported", message: reason };
      return {
        ...base,
        class: failure.class,
        message: Task.cut(failure.message, 500),
        change: { set: said },
        parts: { ...parts, error: errorOf(failure, output) },
      };
    }
    case "needs_decision": {
      const decision_prompt = Task.cut(patch.decision_prompt ?? row.decision_prompt ?? "", 4000);
      return { ...base, change: asking({ decision_prompt, decision_due: expiryOf(deps) }) };
    }
    case "pending": {
      const until = Math.min(retryNotBefore(patch.context ?? {}) ?? 0, deps.clock.now() + LONGEST_RETRY_MS);
      const remove = ["claimed_by", "claimed_at", "current_step"] as const;
      if (until <= deps.clock.now()) return { ...base, change: { remove } };
      return {
        ...base,
        change: { set: { retry_not_before: until, wait_reason: "its runner tries again later" }, remove, until },
      };
    }
  }
}

/** A final status of a pending, unclaimed task is a claim and a finish in one. */
async function claimAndFinish(deps: Deps, row: Task.TaskRow, ending: Ending, owner: string): Promise<boolean> {
  const attempt = await Attempt.claim(deps, row.id, { by: "client", owner, leaseMs: 0 });
  const running = await Task.row(deps.store, row.id);
  return running !== undefined && endAttempt(deps, running, attempt, ending);
}

function lastLine(output: string): string {
  return Task.cut(output.trim().split("\n").at(-1) ?? "", 500);
}
