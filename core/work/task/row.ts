import type { Evidence, ItemRef, Status, TaskError, TaskType } from "./words.ts";

/** A task as it lies in the table (`T#<id>` / `M`). Times are ms since the epoch. Free-form objects are parts of their own. */
export type TaskRow = {
  pk: string;
  sk: string;
  ent: "task";
  v: 1;
  id: string;
  direction: string;
  task_type: TaskType;
  status: Status;
  model: string;
  /** The contract's shell-quoted prompt for runners that execute it; never run by us. */
  command: string;
  /** The number of the last attempt; raised by every claim, never reused. */
  att: number;
  priority: number;
  /** Who starts it: our dispatch, or runners that claim by the API. */
  queue: "pipeline" | "external";
  created_at: number;
  updated_at?: number;
  started_at?: number;
  /** When it last became pending: queue time counts from here. */
  queued_at: number;
  /** When it came to its present end; its metric record has this time. */
  ended_at?: number;
  progress_pct?: number;
  current_step?: string;
  decision_prompt?: string;
  /** Set when the pipeline itself asks: the answer is not the agent's matter. */
  decision_by?: "pipeline";
  decision_options?: string[];
  decision_default?: string;
  /** When the default answer is taken, or the question expires. */
  decision_due?: number;
  decision?: string;
  claimed_by?: string;
  claimed_at?: number;
  target_state?: string;
  success_evidence?: string[];
  abort_evidence?: string[];
  observation_window_sec?: number;
  output_len?: number;
  /** Parked until then, and why. */
  retry_not_before?: number;
  /** Handed to our runner by a pickup, and not begun since: the next pickup takes another. */
  picked?: true;
  wait_reason?: string;
  /** Providers that it was parked for, and `NO_WORKER` where one of them has none: an event about any of them wakes it. */
  waits_for?: string[];
  /** Parks in a row with an unknown end: they double. */
  parks: number;
  /** Budgets spent. */
  tries: number;
  stalls: number;
  /** The request that handed it to our runner forced paid providers: the next attempt that runs passes their windows. */
  forced_by?: "query" | "header";
  /** US dollars of all its attempts as far as they are known. */
  spent_usd?: number;
  /** US dollars that were spent before a person began it anew: they count for its item, no more for itself. */
  spent_before_usd?: number;
  item?: ItemRef;
  /** A run-state claim of an outside runner: it starts no attempt and changes no status. */
  run_id?: string;
  run_worker?: string;
  run_until?: number;
  run_lease_ms?: number;
};

/** The parts that are read with it in one query. */
export type Parts = {
  context?: Record<string, unknown>;
  output?: string;
  error?: TaskError;
  /** Evidence of the last attempt that left some. */
  result?: Evidence;
};

export type Whole = { row: TaskRow; parts: Parts };
