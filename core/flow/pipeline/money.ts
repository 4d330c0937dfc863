import type { Deps } from "../../ground/deps.ts";
import * as Store from "../../ground/store/index.ts";
import { Keys } from "../../ground/store/index.ts";
import * as Attempt from "../../work/attempt/index.ts";
import * as Backlog from "../../work/backlog/index.ts";
import * as Metrics from "../../work/metrics/index.ts";
import * as Spend from "../../work/spend/index.ts";
import * as Task from "../../work/task/index.ts";
import type { PipelineDeps } from "./deps.ts";

const DAY = 86_400_000;

/**
 * What a task may still cost: its own budget, its item's, the day's, and the windows of paid runs. Asked when an attempt is
 * planned and again whenever a candidate's go is entered, so that no more is overspent than what is under way: what the attempt
 * itself has cost so far is on no other row yet. Only a request's own flag passes the windows, no word of a context (contract
 * 3.6). `goesOn`: the go was counted in the windows when it began. Reads nothing for what is not limited.
 */
export async function moneyOf(
  deps: PipelineDeps,
  task: Task.Whole,
  attempt: Attempt.AttemptRow,
  goesOn = false,
): Promise<Spend.Weighed> {
  const { cost } = deps.config;
  const context = task.parts.context ?? {};
  const here = Attempt.usageOf(attempt).cost_usd ?? 0;
  const limit = Spend.taskLimit(context, cost);
  const [item, today, windows] = await Promise.all([
    cost.itemMax > 0 && task.row.item ? spentAnew(deps, task.row.item) : null,
    cost.dayMax > 0 ? Metrics.costOfDay(deps, deps.clock.now()) : null,
    goesOn || task.row.forced_by !== undefined ? [] : Spend.paidWindows(deps, cost),
  ]);
  return Spend.weigh(
    [
      ...(limit === undefined ? [] : [{ scope: "task" as const, spent: (task.row.spent_usd ?? 0) + here, limit }]),
      ...(item === null ? [] : [{ scope: "item" as const, spent: item + here, limit: cost.itemMax }]),
      ...(today === null
        ? []
        : [{ scope: "day" as const, spent: today + here, limit: cost.dayMax, renews: tomorrow(deps.clock.now()) }]),
    ],
    windows,
  );
}

/** US dollars of an item's tasks since a person last began it anew. */
async function spentAnew(deps: PipelineDeps, ref: Task.ItemRef): Promise<number> {
  const [item, all] = await Promise.all([Backlog.item(deps, ref.backlog, ref.item), spentOnItem(deps, ref)]);
  return Math.max(0, all - (item?.spent_before_usd ?? 0));
}

/** US dollars of all tasks of an item up to one of them, of the last hundred where it had more. */
export async function spentOnItem(
  deps: Pick<Deps, "store">,
  { backlog, item, seq }: Pick<Task.ItemRef, "backlog" | "item" | "seq">,
): Promise<number> {
  const first = Math.max(1, seq - 99);
  const keys = Array.from({ length: seq - first + 1 }, (_, i) =>
    Keys.task(Task.idOfKey(Backlog.taskKey(backlog, item, first + i))),
  );
  const rows = (await Store.getMany(deps.store, keys)) as (Task.TaskRow | undefined)[];
  return rows.reduce((sum, row) => sum + (row?.spent_usd ?? 0) + (row?.spent_before_usd ?? 0), 0);
}

/** When the next UTC day begins, in ms. */
function tomorrow(now: number): number {
  return (Math.floor(now / DAY) + 1) * DAY;
}
