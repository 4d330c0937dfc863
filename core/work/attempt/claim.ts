import type { Deps } from "../../ground/deps.ts";
import * as Store from "../../ground/store/index.ts";
import { Keys } from "../../ground/store/index.ts";
import { fail } from "../../ground/errors.ts";
import * as Task from "../task/index.ts";
import type { AttemptRow } from "./row.ts";

export type Claimant = {
  by: AttemptRow["by"];
  /** Worker id of a client, incarnation of a host. */
  owner: string;
  leaseMs: number;
};

/**
 * The writes that claim a task: the task becomes running under attempt att + 1, and that attempt is put. Conditional on
 * the task as read and on no live run-state lease of another. Throws `task.transition` when its status cannot be claimed.
 */
export function claimWrites(
  deps: Pick<Deps, "id">,
  row: Task.TaskRow,
  claimant: Claimant,
  now: number,
): { attempt: AttemptRow; writes: Store.Write[] } {
  const n = row.att + 1;
  const attempt: AttemptRow = {
    ...Keys.attempt(row.id, n),
    ...Keys.byLease(now + claimant.leaseMs, row.id),
    ent: "attempt",
    v: 1,
    task_id: row.id,
    n,
    task_type: row.task_type,
    by: claimant.by,
    owner: claimant.owner,
    lease_ms: claimant.leaseMs,
    lease_until: now + claimant.leaseMs,
    claimed_at: now,
    queued_at: row.queued_at,
    turn: 0,
    chosen: -1,
    tried: [],
  };
  const task = Task.transition(deps.id, row, "running", "claim", now, {
    set: {
      att: n,
      claimed_by: claimant.owner,
      claimed_at: now,
      started_at: now,
    },
    remove: ["retry_not_before", "wait_reason", "waits_for", "picked", "decision_due", "progress_pct", "current_step"],
    if: Task.unleased(now, claimant.owner),
  });
  return { attempt, writes: [...task, { kind: "put", item: attempt, if: Store.isNew }] };
}

/**
 * Throws what a claim of a task is refused with for who has it: `task.of_item` (409), `task.claimed` (409) where it runs, another's
 * run-state lease lives, or another than its claimant asks (contract 2.4).
 */
export function mayClaim(row: Task.TaskRow, claimant: Pick<Claimant, "by" | "owner">, now: number): void {
  if (row.item && claimant.by === "client")
    throw fail("task.of_item", "The task is a phase of a backlog item: the pipeline alone runs it");
  const asks = row.status === "needs_decision" && row.claimed_by !== undefined && row.claimed_by !== claimant.owner;
  if (row.status === "running" || asks || Task.isLeased(row, now, claimant.owner)) throw alreadyClaimed(row, now);
}

/**
 * Claims a task: 64 at once, one wins. Throws `task.claimed` (409) for the others, `task.transition` (409) when it cannot be
 * claimed as it stands, `task.of_item` (409) for a client and an item's task, `task.not_found` (404).
 */
export async function claim(deps: Deps, taskId: string, claimant: Claimant): Promise<AttemptRow> {
  const row = await Task.row(deps.store, taskId);
  if (!row) throw fail("task.not_found", "Task not found");
  mayClaim(row, claimant, deps.clock.now());
  let claimed: AttemptRow | undefined;
  const outcome = await Store.tx(deps.store, (now) => {
    const { attempt, writes } = claimWrites(deps, row, claimant, now);
    claimed = attempt;
    return writes;
  });
  if (outcome.ok && claimed) return claimed;
  throw alreadyClaimed(await Task.row(deps.store, taskId), deps.clock.now());
}

/** The 409 of a lost claim, naming who has it now. */
export function alreadyClaimed(row: Task.TaskRow | undefined, now: number) {
  const holder = row && Task.holderOf(row, now);
  return fail("task.claimed", `Task already claimed by ${holder ?? "another worker"}`);
}
