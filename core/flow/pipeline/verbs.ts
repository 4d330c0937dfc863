import type { Deps } from "../../ground/deps.ts";
import { fail } from "../../ground/errors.ts";
import * as Store from "../../ground/store/index.ts";
import { nameOf } from "../../ground/workflow/index.ts";
import * as Attempt from "../../work/attempt/index.ts";
import * as Backlog from "../../work/backlog/index.ts";
import * as Metrics from "../../work/metrics/index.ts";
import * as Task from "../../work/task/index.ts";
import * as ProjectManager from "../project-manager/index.ts";
import { spentOnItem } from "./money.ts";
import { endAttempt, settled, type Ending } from "./end.ts";

/** What an operator does to one task. Each throws `task.not_found` (404) and `task.transition` (409), and then changes nothing. */

/** The task is none of those any more that it was chosen from. */
export class MovedOn extends Error {}

/** What must hold of a task by the time it is changed; else `MovedOn` is thrown. */
type Still = (row: Task.TaskRow) => boolean;

/** Ends a task for good; a running one loses its lease, so its agent is stopped within a heartbeat and no later write lands. */
export async function cancel(deps: Deps, taskId: string, reason?: string, still?: Still): Promise<Task.Whole> {
  const why = `cancelled${reason ? `: ${Task.cut(reason, 300)}` : ""}`;
  return move(deps, taskId, (row) => {
    if (still?.(row) === false) throw new MovedOn();
    return {
      to: "cancelled",
      actor: "operator",
      class: "cancelled",
      message: why,
      change: { set: { wait_reason: why }, remove: ["current_step", "retry_not_before", "decision_due"] },
    };
  });
}

/** Answers what a task asks: it is pending again, and its next attempt reads the answer. */
export async function decide(deps: Deps, taskId: string, answer: string): Promise<Task.Whole> {
  const whole = await move(deps, taskId, (row) => decided(row, answer));
  await deps.events.publish({ type: "decision.given", taskId });
  return whole;
}

/** The end of a question: its answer. Pure. Throws `input.invalid` (422) for a blank one, `task.transition` (409). */
export function decided(row: Task.TaskRow, answer: string): Ending {
  const decision = answerIn(answer);
  if (row.status !== "needs_decision")
    throw fail("task.transition", `The task asks nothing: it is ${row.status}`, {
      remedy: "Look at what waits: coherence tasks --status needs_decision",
    });
  return {
    to: "pending",
    actor: "operator",
    class: null,
    message: "decided",
    change: {
      set: { decision: Task.cut(decision, 4000) },
      remove: ["decision_due", "decision_default", "decision_options", "claimed_by", "claimed_at"],
    },
  };
}

/** What is decided; throws `input.invalid` (422) for a blank answer. */
export function answerIn(text: string): string {
  const answer = text.trim();
  if (answer !== "") return answer;
  throw fail("input.invalid", "The answer is empty", {
    remedy: "Say what is decided.",
    data: { loc: ["body", "decision"] },
  });
}

/** Begins a failed or cancelled task again with its budgets whole. A task of an item only while the item still names it. */
export async function retry(deps: Deps, taskId: string, still?: Still): Promise<Task.Whole> {
  const row = await existing(deps, taskId);
  if (still?.(row) === false) throw new MovedOn();
  if (row.status !== "failed" && row.status !== "cancelled")
    throw fail("task.transition", `Only failed and cancelled tasks are retried; this one is ${row.status}`, {
      remedy: "Decide one that asks, release one that runs.",
    });
  if (row.item) {
    const item = await Backlog.item(deps, row.item.backlog, row.item.item);
    if (item?.task !== row.id || item.state === "retired")
      throw fail("task.of_item", `Item ${row.item.item} has gone on without this task`, {
        remedy: `Retry the item: coherence retry ${row.item.backlog}/${row.item.item}`,
      });
  }
  const taken = await takenOut(deps, row);
  return move(deps, taskId, (now) => {
    if (still?.(now) === false) throw new MovedOn();
    if (now.status !== row.status || now.att !== row.att)
      throw fail("task.transition", "The task moved on meanwhile", { remedy: "Look at it again." });
    return {
      to: "pending",
      actor: "operator",
      class: null,
      message: "retried",
      change: {
        set: { tries: 0, stalls: 0, parks: 0, spent_before_usd: (now.spent_before_usd ?? 0) + (now.spent_usd ?? 0) },
        remove: ["claimed_by", "claimed_at", "current_step", "progress_pct", "wait_reason", "spent_usd"],
      },
      ...(taken ? { also: (at: number) => [Metrics.takeOut(taken, at)] } : {}),
    };
  });
}

/** Begins an abandoned item again with no round and none of its money spent. Throws `item.not_found`, `task.transition`. */
export async function retryItem(deps: Deps, backlogId: string, itemId: string): Promise<Backlog.ItemRow> {
  const item = await Backlog.item(deps, backlogId, itemId);
  if (!item)
    throw fail("item.not_found", `No item ${itemId} in backlog ${backlogId}`, { remedy: "List them: coherence items" });
  if (item.state === "asking" && item.task !== undefined) await retry(deps, item.task);
  else if (item.state !== "abandoned")
    throw fail(
      "task.transition",
      `The item is ${item.state}; only abandoned ones and those with a cancelled task are retried`,
    );
  else {
    const spent_before_usd = await spentOnItem(deps, { backlog: backlogId, item: itemId, seq: item.seq });
    const outcome = await Store.write(
      deps.store,
      Backlog.advance(item, { ...ProjectManager.revived(item), spent_before_usd }, deps.clock.now()),
    );
    if (!outcome.ok)
      throw fail("task.transition", "The item moved on meanwhile", { remedy: "Look at it again: coherence items" });
  }
  await deps.events.publish({ type: "backlog.pushed", backlog: backlogId });
  return (await Backlog.item(deps, backlogId, itemId)) ?? item;
}

/** Takes a running task from whoever holds it and queues it again; no budget is spent. */
export async function release(deps: Deps, taskId: string): Promise<Task.Whole> {
  return move(deps, taskId, (row) => {
    if (row.status !== "running")
      throw fail("task.transition", `Nobody holds the task: it is ${row.status}`, {
        remedy: "Only running tasks are released.",
      });
    return {
      to: "pending",
      actor: "operator",
      class: "lost",
      message: "released by an operator",
      change: { remove: ["claimed_by", "claimed_at", "current_step"] },
    };
  });
}

/** Reads, decides, writes; tries again when the task moved in between, so that the answer is about the task as it is. */
export async function move(deps: Deps, taskId: string, decision: (row: Task.TaskRow) => Ending): Promise<Task.Whole> {
  for (let attempt = 0; attempt < 5; attempt++) {
    const row = await existing(deps, taskId);
    const ending = decision(row);
    const held = row.status === "running" ? await Attempt.read(deps.store, row.id, row.att) : undefined;
    const open = held && held.ended_at === undefined ? held : undefined;
    if (!(await endAttempt(deps, row, open, ending))) continue;
    if (row.status === "running") await deps.workflow.stop(nameOf(row.id, row.att), ending.message);
    await deps.events.publish(ending.to === "pending" ? { type: "task.queued", taskId } : settled(row));
    const whole = await Task.read(deps.store, taskId);
    if (whole) return whole;
  }
  throw fail("task.transition", "The task keeps moving; nothing was changed", { remedy: "Try again." });
}

/** The metric record of the task's present end, to be taken out when the task leaves it. */
export async function takenOut(deps: Deps, row: Task.TaskRow): Promise<Metrics.MetricRow | undefined> {
  if (row.ended_at === undefined) return undefined;
  return Metrics.recordOfEnd(deps.store, { taskId: row.id, n: row.att, at: row.ended_at });
}

/** A task that is there; throws `task.not_found`. */
export async function existing(deps: Pick<Deps, "store">, taskId: string): Promise<Task.TaskRow> {
  const row = await Task.row(deps.store, taskId);
  if (!row) throw fail("task.not_found", "Task not found");
  return row;
}
