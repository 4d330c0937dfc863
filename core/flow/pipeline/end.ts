import type { Deps } from "../../ground/deps.ts";
import type { Event } from "../../ground/events/index.ts";
import * as Store from "../../ground/store/index.ts";
import { Keys } from "../../ground/store/index.ts";
import * as Attempt from "../../work/attempt/index.ts";
import * as Backlog from "../../work/backlog/index.ts";
import * as Metrics from "../../work/metrics/index.ts";
import * as Provider from "../../work/provider/index.ts";
import * as Task from "../../work/task/index.ts";
import * as Executor from "../executor/index.ts";
import * as ProjectManager from "../project-manager/index.ts";

/** How an attempt and its task come to rest. */
export type Ending = {
  to: Task.Status;
  actor: Task.Actor;
  /** How the attempt ended; null class: well. */
  class: Task.FailureClass | null;
  message: string;
  /** What follows for the item, when the task completed. */
  outcome?: Task.Outcome;
  change?: Task.Change;
  parts?: Parameters<typeof Task.partWrites>[1];
  /** What must still hold of the attempt, beside its fence. */
  attemptIf?: Store.Conditions;
  /** Writes of the same transaction that come before: the claim of what is claimed and ended in one. */
  first?: readonly Store.Write[];
  /** Further writes of the same transaction. */
  also?: (now: number) => Store.Write[];
};

/**
 * Moves a task to rest, with its attempt's end and metric record, its counter and its item, in one transaction, conditional on
 * the attempt's fence. Without an attempt (a pending or asking task) only task, counter and item move. True when it did; false
 * when somebody was first: nothing changed. When only the item has moved on (retired, another task), the rest is done without it.
 */
export async function endAttempt(
  deps: Deps,
  row: Task.TaskRow,
  attempt: Attempt.AttemptRow | undefined,
  ending: Ending,
): Promise<boolean> {
  const item = row.item ? await Backlog.item(deps, row.item.backlog, row.item.item) : undefined;
  const moves = item?.task === row.id && item.state !== "retired" ? item : undefined;
  const build = (withItem: boolean) => (now: number) => {
    const end = { status: ending.to, class: ending.class, message: Task.cut(ending.message, 500) };
    const change = moves && withItem ? itemChange(moves, row, ending, now) : undefined;
    return [
      ...(ending.first ?? []),
      ...Task.transition(deps.id, row, ending.to, ending.actor, now, withSpent(row, attempt, ending.change)),
      ...(attempt || ending.to === "pending" ? [] : [endWithoutAttempt(row.id, now)]),
      ...(attempt ? [Attempt.endWrite(attempt, end, now, ending.to !== "pending", ending.attemptIf)] : []),
      ...(attempt || ending.to === "completed" || ending.to === "failed" ? [metricOf(row, attempt, ending, now)] : []),
      ...Task.partWrites(row.id, ending.parts ?? {}),
      ...(moves && change ? [Backlog.advance(moves, change, now)] : []),
      ...(ending.also?.(now) ?? []),
    ];
  };
  const outcome = await Store.tx(deps.store, build(true));
  if (outcome.ok) return true;
  const onlyItem = moves !== undefined && outcome.refused.every((refusal) => refusal.key.sk === moves.sk);
  return onlyItem ? (await Store.tx(deps.store, build(false))).ok : false;
}

/** That a task came to rest which nobody had worked on: it is among those that ended last, too. */
function endWithoutAttempt(taskId: string, now: number): Store.Write {
  const key = Keys.endWithoutAttempt(taskId);
  return { kind: "put", item: { ...key, ent: "end", v: 1, task_id: taskId, ...Keys.byEnd(now, taskId) } };
}

function itemChange(
  item: Backlog.ItemRow,
  row: Task.TaskRow,
  ending: Ending,
  now: number,
): Backlog.ItemChange | undefined {
  const end = ProjectManager.endOf(ending.to, ending.outcome, ending.message);
  if (end) return ProjectManager.next(item, end, now);
  // Pending again: an item that asked moves again.
  return row.status !== "running" && item.state === "asking" ? ProjectManager.resumed(item) : undefined;
}

/** Without an open attempt (a second word, an expired question) nothing ran: only the end is counted. */
function metricOf(
  row: Task.TaskRow,
  attempt: Attempt.AttemptRow | undefined,
  ending: Ending,
  now: number,
): Store.Write {
  const tried = attempt?.tried ?? [];
  // Who served, or was at it when the attempt was ended.
  const going = attempt && isGoing(attempt) ? attempt.candidates?.[attempt.chosen] : undefined;
  const last = going ?? tried.at(-1);
  return Metrics.record({
    attempt: attempt ?? { n: row.att, task_id: row.id, tried },
    task: row,
    now,
    endedTask: ending.to === "completed" || ending.to === "failed" ? ending.to : null,
    class: ending.class,
    model: last ? Task.shownModel(last) : row.model,
    provider: last?.provider ?? null,
    // A client's run is its executor's, as the task's model names it (`cursor/…`).
    executor: last ? Provider.executorOf(last.provider) : (Executor.executorOf(row.model.split("/")[0]) ?? null),
    going,
    agent: agentOf(attempt, last?.provider),
    usage: attempt ? Attempt.usageOf(attempt) : Task.NO_USAGE,
    queue_ms: attempt ? attempt.claimed_at - attempt.queued_at : null,
    run_ms: attempt && hasRun(attempt) ? now - attempt.claimed_at : null,
    prompt_variant: attempt?.prompt_variant ?? null,
    skill_version: attempt?.skill_version ?? null,
  });
}

/** What the attempt cost is added to what its task has spent; what was forced for one run is over with it. */
function withSpent(row: Task.TaskRow, attempt: Attempt.AttemptRow | undefined, change: Task.Change = {}): Task.Change {
  if (!attempt) return change;
  const cost = Attempt.usageOf(attempt).cost_usd ?? 0;
  return {
    ...change,
    ...(cost === 0 ? {} : { set: { ...change.set, spent_usd: (row.spent_usd ?? 0) + cost } }),
    ...(row.forced_by !== undefined && hasRun(attempt) ? { remove: [...(change.remove ?? []), "forced_by"] } : {}),
  };
}

/** Whether a candidate's go served or is under way. */
function isGoing(attempt: Attempt.AttemptRow): boolean {
  return attempt.outcome !== undefined || attempt.turn > (attempt.failed_turn ?? 0);
}

/** Whether anybody worked: a park without a candidate, and a claim and finish in one, would pull run times towards zero. */
function hasRun(attempt: Attempt.AttemptRow): boolean {
  if (attempt.by === "client") return attempt.lease_ms > 0;
  return isGoing(attempt) || attempt.tried.some(Task.wentFor);
}

/**
 * Who worked: a client's worker or our host, under the contract's one name where it is codex. A client that claims and finishes
 * in one has worked too, for how long it does not say. Null when nobody did.
 */
function agentOf(attempt: Attempt.AttemptRow | undefined, provider: string | undefined): string | null {
  if (!attempt || (attempt.by === "pipeline" && !hasRun(attempt))) return null;
  if (provider === "codex" || /^openai-codex(?::|$)/.test(attempt.owner)) return Metrics.CODEX_AGENT;
  // Ours without the incarnation, which is new at every start.
  return attempt.by === "client" ? attempt.owner : (attempt.owner.split("/")[0] ?? attempt.owner);
}

/** The event of a task that came to rest. */
export function settled(row: Task.TaskRow, attempt = row.att): Event {
  return { type: "task.settled", taskId: row.id, attempt, ...(row.item ? { backlog: row.item.backlog } : {}) };
}

/** What a person reads about a failed task. */
export function errorOf(failure: Task.Failure, excerpt: string, remedy?: string): Task.TaskError {
  const rule = Provider.CLASS_RULES[failure.class];
  return {
    class: failure.class,
    message: Task.cut(failure.message, 1000),
    excerpt: excerpt.slice(-2000),
    remedy: remedy ?? rule.remedy,
    retryable: rule.next !== "no" || failure.class === "bad_result" || failure.class === "lost",
    who_acts: rule.whoActs,
  };
}
