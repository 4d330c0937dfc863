import { day } from "../../ground/clock.ts";
import * as Store from "../../ground/store/index.ts";
import { Keys } from "../../ground/store/index.ts";
import type { AttemptRow } from "../attempt/index.ts";
import {
  NO_USAGE,
  shownModel,
  wentFor,
  type Candidate,
  type FailureClass,
  type TaskRow,
  type TaskType,
  type Usage,
} from "../task/index.ts";

/** Records live this long; roll-ups for ever. */
export const KEEP_RECORDS_MS = 90 * 86_400_000;

/**
 * What one attempt's end adds to the metrics (`MET#<yyyymmdd>` / `<ts>#<taskId>#<nnn>`): spec 026's TaskMetric and what it
 * cost. Written in the transaction of that end and never changed; roll-ups are made from nothing else.
 */
export type MetricRow = {
  pk: string;
  sk: string;
  ent: "metric";
  v: 1;
  /** Seconds since the epoch. */
  exp: number;
  task_id: string;
  n: number;
  task_type: TaskType;
  /** As the task shows it (contract 4.3, 4.6): ours as provider/model. */
  model: string;
  /** The contract's executor and our provider; null where a client did not say. */
  executor: string | null;
  provider: string | null;
  /** Who worked on it: a client's worker, our host, or `openai-codex`; null when nobody did. Absent on old records. */
  agent?: string | null;
  prompt_variant: string | null;
  skill_version: string | null;
  /** How this end ended the task, if it did. */
  status: "completed" | "failed" | null;
  /** How the attempt failed; null: well. */
  class: FailureClass | null;
  /** Ms since the epoch: the time of the transaction's own try. */
  created_at: number;
  /** Spec 026's; null when nothing was run. */
  duration_seconds: number | null;
  /** Whole ms at work, null when nothing was run; and before that in the queue. */
  run_ms: number | null;
  queue_ms: number | null;
  /** Null is unknown, not zero. */
  tokens_in: number | null;
  tokens_out: number | null;
  cost_usd: number | null;
  /** Candidates that had a go. */
  tried: number;
  /** What each go used, where there were more than one: of `tokens_*` and `cost_usd` these are the parts. */
  goes?: Go[];
  /** Set: an earlier end of that UTC day (`yyyymmdd`) is taken back; nothing ran. */
  takes_out?: string;
};

/** What one go of a candidate used. */
export type Go = Pick<Usage, "tokens_in" | "tokens_out" | "cost_usd"> & { provider: string; model: string };

export type RecordInput = {
  attempt: Pick<AttemptRow, "n" | "task_id" | "tried" | "outcome" | "usage">;
  task: Pick<TaskRow, "task_type">;
  /** The `now` of the transaction's try, which is also the attempt's `ended_at`. */
  now: number;
  endedTask: "completed" | "failed" | null;
  /** How the attempt failed; null: well. `unreported` counts as missing diagnostics. */
  class: FailureClass | null;
  model: string;
  provider: string | null;
  executor: string | null;
  /** Whose go was under way or served; absent when all that went had failed by then. */
  going?: Pick<Candidate, "provider" | "model"> | undefined;
  /** Null when nobody worked. */
  agent: string | null;
  /** The sum of what was tried and what served. */
  usage: Usage;
  /** Ms; null when this end follows no wait of its own. */
  queue_ms: number | null;
  /** Ms; null when no candidate had a go, so that parks do not pull run times towards zero. */
  run_ms: number | null;
  prompt_variant: string | null;
  skill_version: string | null;
};

/** The write that records an attempt's end; part of the transaction that ends it, in which it must not be made twice. */
export function record(input: RecordInput): Store.Write {
  const { attempt, now } = input;
  const goes = goesOf(input);
  const row: MetricRow = {
    ...Keys.metric(now, attempt.task_id, attempt.n),
    ent: "metric",
    v: 1,
    exp: expiry(now),
    task_id: attempt.task_id,
    n: attempt.n,
    task_type: input.task.task_type,
    model: input.model,
    executor: input.executor,
    provider: input.provider,
    agent: input.agent,
    prompt_variant: input.prompt_variant,
    skill_version: input.skill_version,
    status: input.endedTask,
    class: input.class,
    created_at: now,
    duration_seconds: input.run_ms === null ? null : input.run_ms / 1000,
    run_ms: wholeMs(input.run_ms),
    queue_ms: wholeMs(input.queue_ms),
    tokens_in: input.usage.tokens_in,
    tokens_out: input.usage.tokens_out,
    cost_usd: input.usage.cost_usd,
    tried: goes.length,
    ...(goes.length > 1 ? { goes } : {}),
  };
  return { kind: "put", item: row };
}

/** Every go of a candidate in the attempt, in their order. */
function goesOf({ attempt, going }: RecordInput): Go[] {
  const failed = attempt.tried.filter(wentFor).map((one) => goOf(one, one.usage));
  return going ? [...failed, goOf(going, attempt.usage ?? NO_USAGE)] : failed;
}

function goOf(one: Pick<Candidate, "provider" | "model">, usage: Usage): Go {
  const { provider } = one;
  return {
    provider,
    model: shownModel(one),
    tokens_in: usage.tokens_in,
    tokens_out: usage.tokens_out,
    cost_usd: usage.cost_usd,
  };
}

/**
 * The write that takes an earlier end of a task back (a retry, a client's second word); part of the transaction that leaves
 * that end. It names the end's day, so the roll-up that already has it stays as it is and a sum over both days is exact.
 */
export function takeOut(end: MetricRow, now: number): Store.Write {
  const { goes: _, ...kept } = end;
  const row: MetricRow = {
    ...kept,
    ...Keys.metric(now, end.task_id, end.n, "-out"),
    exp: expiry(now),
    agent: agentOf(end),
    created_at: now,
    duration_seconds: null,
    run_ms: null,
    queue_ms: null,
    tokens_in: null,
    tokens_out: null,
    cost_usd: null,
    tried: 0,
    takes_out: day(end.created_at),
  };
  return { kind: "put", item: row };
}

/**
 * The record of the end of attempt `n` at `at` (ms; the attempt's `ended_at`), to be taken out. Undefined when it has
 * expired or ended no task: then there is nothing to take out.
 */
export async function recordOfEnd(
  store: Store.Store,
  end: { taskId: string; n: number; at: number },
): Promise<MetricRow | undefined> {
  const row = (await Store.get(store, Keys.metric(end.at, end.taskId, end.n))) as MetricRow | undefined;
  return row && row.status !== null ? row : undefined;
}

/** Who worked; a record of before that was kept says only whether somebody did. */
export function agentOf(row: Pick<MetricRow, "agent" | "run_ms">): string | null {
  return row.agent === undefined ? (row.run_ms === null ? null : "unknown") : row.agent;
}

function expiry(now: number): number {
  return Math.floor((now + KEEP_RECORDS_MS) / 1000);
}

/** Clocks of two machines may differ by more than a run takes: never below zero. */
function wholeMs(ms: number | null): number | null {
  return ms === null ? null : Math.max(0, Math.round(ms));
}
