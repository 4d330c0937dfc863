import {
  addUsage,
  NO_USAGE,
  type Candidate,
  type FailureClass,
  type Outcome,
  type Skipped,
  type Status,
  type TaskType,
  type Tried,
  type Usage,
} from "../task/index.ts";

/** One execution on a task (`T#<id>` / `A#<nnn>`). Not ended, with its turn, it is the fence of every write of that turn. Times in ms. */
export type AttemptRow = {
  pk: string;
  sk: string;
  ent: "attempt";
  v: 1;
  task_id: string;
  n: number;
  task_type: TaskType;
  /** Ours, or a client's that claimed by the API. */
  by: "pipeline" | "client";
  /** A client's worker id; of ours the host's incarnation. */
  owner: string;
  lease_ms: number;
  lease_until: number;
  claimed_at: number;
  /** When the task became pending before this claim: queue time is claimed_at − queued_at. */
  queued_at: number;
  /** Raised by every entry of Invoke or Offer; 0 before the first. */
  turn: number;
  /** When the present turn was entered. */
  turn_at?: number;
  /** Written once by Plan. */
  candidates?: Candidate[];
  skipped?: Skipped[];
  /** Index into candidates of the one that may go now; −1 before Plan and when none is left. */
  chosen: number;
  tried: Tried[];
  /** The last turn whose failure is recorded in `tried`. */
  failed_turn?: number;
  /** Checks still run, or the branch has to wait: the task is parked with this reason. No outcome. */
  later?: string;
  outcome?: Outcome;
  /** The outcome came without a word to the candidate (a question of the pipeline's own, a result that was there): it says nothing of it. */
  unasked?: true;
  /** The turn that the outcome is of; its parts count. */
  outcome_turn?: number;
  /**
   * Of the go under way, its pauses and entries that were cut off included, as far as it is known; once there is an outcome, of
   * the run that served. A failure takes it along into `tried`.
   */
  usage?: Usage;
  step?: string;
  prompt_sha?: string;
  prompt_variant?: string;
  skill_version?: string;
  tags?: Record<string, string>;
  ended_at?: number;
  end?: End;
};

export type End = {
  /** What the task became. */
  status: Status;
  /** How this attempt ended; null class: well. */
  class: FailureClass | null;
  message: string;
};

/** What all candidates of an attempt used so far, failed ones too. */
export function usageOf({ tried, usage }: Pick<AttemptRow, "tried" | "usage">): Usage {
  return tried.reduce((sum, one) => addUsage(sum, one.usage), usage ?? NO_USAGE);
}

/** Names a turn of an attempt. */
export type TurnRef = { taskId: string; n: number; turn: number };

/** An attempt's name, as locks and tests of a provider know it. */
export function nameOf({ taskId, n }: Omit<TurnRef, "turn">): string {
  return `${taskId}/${n}`;
}
