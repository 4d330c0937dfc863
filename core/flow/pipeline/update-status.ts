import type { Deps } from "../../ground/deps.ts";
import { fail } from "../../ground/errors.ts";
import * as Attempt from "../../work/attempt/index.ts";
import * as Metrics from "../../work/metrics/index.ts";
import * as Task from "../../work/task/index.ts";
import { CLIENT_LEASE_MS } from "./budgets.ts";
import { errorOf, type Ending } from "./end.ts";
import { retryNotBefore } from "./parse-context.ts";
import { keyName, UNKNOWN_WORKER, type Caller, type Update } from "./patch.ts";
import { asking, expiryOf } from "./question.ts";
import { takenOut } from "./verbs.ts";

/** What a PATCH does to the status of a task as it was read. */
export type Step =
  | { kind: "stay" }
  | { kind: "claim"; claimant: Attempt.Claimant }
  /** `row` and `attempt` as they are before the ending, which may begin with their claim. */
  | { kind: "end"; row: Task.TaskRow; attempt: Attempt.AttemptRow | undefined; ending: Ending };

/** A claim for a client, the end of its run, or a question; throws 409 when it is another's. */
export async function stepOf(
  deps: Deps,
  row: Task.TaskRow,
  patch: Update,
  to: NonNullable<Update["status"]>,
  named: string | undefined,
  caller: Caller,
): Promise<Step> {
  const now = deps.clock.now();
  const owner = named ?? keyName(caller) ?? UNKNOWN_WORKER;
  if (to === "running") {
    if (Task.hasEnded(row.status)) throw Attempt.alreadyClaimed(row, now);
    const claimant = { by: "client", owner, leaseMs: leaseOf(row, owner, now) } as const;
    Attempt.mayClaim(row, claimant, now);
    return { kind: "claim", claimant };
  }
  const last = row.att > 0 ? await Attempt.read(deps.store, row.id, row.att) : undefined;
  const open = last && last.ended_at === undefined ? last : undefined;
  if (row.status === "running") mayEnd(row, open, named, now);
  if (row.status === "completed" && (last?.by !== "client" || (named !== undefined && named !== last.owner)))
    throw fail("task.transition", `A ${row.status} task cannot become ${to}`);
  if (row.status === "failed" && named !== undefined && named !== last?.owner) throw Attempt.alreadyClaimed(row, now);
  const ending = endingOf(deps, row, patch, to);
  if (row.status === "pending" && (to === "completed" || to === "failed"))
    return claimedAndEnded(deps, row, ending, owner, now);
  if (row.status === "pending") {
    // Nobody runs it yet: it is kept for whose run leases it.
    if (Task.isLeased(row, now, owner)) throw Attempt.alreadyClaimed(row, now);
    const change = { ...ending.change, if: Task.unleased(now, owner) };
    return { kind: "end", row, attempt: open, ending: { ...ending, change } };
  }
  return { kind: "end", row, attempt: open, ending: { ...ending, ...(await leaving(deps, row)) } };
}

/** A claim follows the run-state lease of its worker, where there is one. */
function leaseOf(row: Task.TaskRow, owner: string, now: number): number {
  const follows = row.run_worker === owner && (row.run_until ?? 0) > now;
  return follows && row.run_lease_ms !== undefined ? row.run_lease_ms : CLIENT_LEASE_MS;
}

/** Only the owner of a live lease ends what he holds; a caller without a name has his way over clients' attempts, not over ours. */
function mayEnd(row: Task.TaskRow, open: Attempt.AttemptRow | undefined, named: string | undefined, now: number): void {
  if (!open) return;
  if (open.by === "pipeline")
    throw fail("task.claimed", `Task already claimed by ${row.claimed_by ?? "the pipeline"}`, {
      remedy: "Cancel or release it: the pipeline's own attempt holds it.",
    });
  if (named !== undefined && named !== open.owner) throw Attempt.alreadyClaimed(row, now);
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
  switch (to) {
    case "completed":
      return { ...base, change: { set: { progress_pct: 100 } }, parts: { error: null } };
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
        parts: { error: errorOf(failure, output) },
      };
    }
    case "needs_decision": {
      const decision_prompt = Task.cut(patch.decision_prompt ?? row.decision_prompt ?? "", 4000);
      return { ...base, change: asking({ decision_prompt, decision_due: expiryOf(deps) }) };
    }
    case "pending": {
      const until = retryNotBefore(patch.context ?? {}, deps.clock.now());
      const remove = ["claimed_by", "claimed_at", "current_step"] as const;
      if (until === undefined) return { ...base, change: { remove } };
      return {
        ...base,
        change: { set: { retry_not_before: until, wait_reason: "its runner tries again later" }, remove, until },
      };
    }
  }
}

/** A final status of a pending, unclaimed task is a claim and a finish in one. */
function claimedAndEnded(deps: Deps, row: Task.TaskRow, ending: Ending, owner: string, now: number): Step {
  const claimant = { by: "client", owner, leaseMs: 0 } as const;
  Attempt.mayClaim(row, claimant, now);
  const { attempt, writes } = Attempt.claimWrites(deps, row, claimant, now);
  const running = { ...row, status: "running", att: attempt.n, claimed_by: owner } as const;
  return { kind: "end", row: running, attempt, ending: { ...ending, first: writes } };
}

function lastLine(output: string): string {
  return Task.cut(output.trim().split("\n").at(-1) ?? "", 500);
}
