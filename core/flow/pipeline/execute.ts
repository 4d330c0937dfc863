import type { Deps } from "../../ground/deps.ts";
import { fail } from "../../ground/errors.ts";
import * as Store from "../../ground/store/index.ts";
import { Keys } from "../../ground/store/index.ts";
import * as Task from "../../work/task/index.ts";
import { isTruthy } from "../executor/index.ts";

/** What a caller says of the execution (contract 1.2). */
export type Execution = {
  /** Who forced paid providers, when anybody did. */
  forcePaid?: "query" | "header";
  /** US dollars and a factor; kept in the context, where the task's budget is read. */
  budget: { max_cost_usd?: number; estimated_cost_usd?: number; cost_slack_ratio?: number };
};

/**
 * Hands a task to our own runner: pending, it is dispatched as soon as a slot is free, parked or not, whoever it was meant for. One
 * that cannot be started now (it runs, it has ended, an outside run leases it) is left as it is, as the contract has it. Throws
 * `task.not_found` (404).
 */
export async function execute(deps: Deps, taskId: string, how: Execution): Promise<void> {
  const task = await Task.read(deps.store, taskId);
  if (!task) throw fail("task.not_found", "Task not found");
  const patch = {
    ...how.budget,
    ...(how.forcePaid !== undefined && !isTruthy(task.parts.context?.force_paid_providers)
      ? { force_paid_providers: true, force_paid_override_source: how.forcePaid }
      : {}),
  };
  if (Object.keys(patch).length > 0) await Task.mergeContext(deps.store, taskId, patch);
  const { row } = task;
  const now = deps.clock.now();
  if (row.status !== "pending" || row.item || Task.isLeased(row, now)) return;
  await Store.write(deps.store, {
    kind: "update",
    key: Keys.task(taskId),
    set: {
      queue: "pipeline",
      // In its context it is for readers alone: a context is its client's to write.
      forced_by: how.forcePaid,
      ...Keys.due("pipeline", row.priority, row.queued_at, row.id),
    },
    remove: ["retry_not_before", "wait_reason"],
    if: { status: Store.eq("status", "pending"), attempt: Store.eq("att", row.att), ...Task.unleased(now) },
  });
  await deps.events.publish({ type: "task.queued", taskId });
}

/**
 * Picks the oldest pending task that `execute` would start, of this type, for the caller alone: no other pickup gets it before it
 * has begun. Undefined when there is none.
 */
export async function pickup(deps: Deps, type?: Task.TaskType): Promise<Task.TaskRow | undefined> {
  for await (const { row } of Task.walk(deps, ["pending"])) {
    if (row.item || (type !== undefined && row.task_type !== type)) continue;
    const now = deps.clock.now();
    const fresh = await Task.row(deps.store, row.id);
    if (fresh?.status !== "pending" || fresh.picked || Task.isLeased(fresh, now)) continue;
    const mine = await Store.write(deps.store, {
      kind: "update",
      key: Keys.task(row.id),
      set: { picked: true },
      if: {
        status: Store.eq("status", "pending"),
        attempt: Store.eq("att", fresh.att),
        unpicked: Store.absent("picked"),
        ...Task.unleased(now),
      },
    });
    if (mine.ok) return fresh;
  }
  return undefined;
}
