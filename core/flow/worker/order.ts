import type { TurnRef } from "../../work/attempt/index.ts";
import type { Target } from "../../work/provider/index.ts";
import type { Candidate, Evidence, Failure, ItemRef, Outcome, Suite, TaskType, Usage } from "../../work/task/index.ts";

/** What a worker carries out: everything it needs, so that it never reads the table. */
export type Order = {
  ref: TurnRef;
  task: { id: string; type: TaskType; direction: string };
  item?: ItemRef & { text: string };
  candidate: Candidate;
  /** While this go tests a target whose cooldown is over: renewing the lease keeps the others away from it. */
  tests?: Target;
  /** What this go has used already, in its pauses and in entries that were cut off. */
  spent: Usage;
  prompt: { text: string; sha256: string; variant: string };
  specPath?: string;
  /** Null: a pipeline without a repository; the agent runs in an empty folder and nothing is judged. */
  tree: Tree | null;
  limits: {
    /** Ms the agent may take. */
    timeoutMs: number;
    /** Ms that the lease lasts; it is renewed three times in that. */
    leaseMs: number;
    /** Ms after which an inline run saves its conversation and is entered again; absent: never. */
    continueAfterMs?: number;
    /** US dollars that the agent's go may still cost; absent: no bound. */
    budgetUsd?: number;
  };
};

export type Tree = {
  /** The item's or the task's own branch. */
  branch: string;
  /** The integration branch; null for a task without an item, which begins at the user's head and is never merged. */
  integration: string | null;
  /** The lock of the integration branch. */
  lock: string;
  /** The integration tip that the item began from; null: this order finds it. */
  base: string | null;
  /** The round begins by merging this tip into the branch. */
  mergeTip: string | null;
  /** Whether a passed review is merged. */
  merge: boolean;
  /** The suite of the base: green means not redder than it. Null: exit code 0. */
  accepted: Suite | null;
};

/** An order on a repository. */
export type TreeOrder = Order & { tree: Tree };

/** Who made a commit. */
export function trailers(order: Order): Record<string, string> {
  return {
    "Coherence-Task": order.task.id,
    "Coherence-Attempt": String(order.ref.n),
    ...(order.item ? { "Coherence-Item": `${order.item.backlog}/${order.item.item}` } : {}),
  };
}

/** How a worker reports. In process it writes the table; a machine's worker speaks HTTP. Every write is fenced by the turn. */
export type Report = {
  /** A line of the task's log. */
  log(line: string): void;
  /** Renews the lease and the locks it holds, and says what is being done; false: the turn no longer holds the attempt, stop. */
  renew(step: string): Promise<boolean>;
  /** Saves progress under a name, for the next attempt to go on from. */
  save(name: string, value: unknown): Promise<void>;
  /** The newest progress of that name; `open`: only of attempts without an outcome. */
  saved<T>(name: string, open?: boolean): Promise<{ value: T; n: number; turn: number } | undefined>;
  /** The item's base is found. */
  began(base: string): Promise<void>;
  /** Waits for a lock; the function lets it go. */
  lock(name: string, signal: AbortSignal): Promise<() => Promise<void>>;
  /** What the go has used so far, all its parts together: it goes with the next renewal, and with whatever is saved. */
  used(usage: Usage): void;
  outcome(outcome: Outcome, evidence: Evidence | null, output: string, usage: Usage): Promise<void>;
  /** This candidate's go failed; the next one may try. */
  fail(failure: Failure, output: string, usage: Usage): Promise<void>;
  /** It has to wait for something outside; the task is parked. */
  postpone(why: string): Promise<void>;
  /** The time of this run is over; it is entered again and goes on from what it saved. */
  pause(): Promise<void>;
};

/** Points between two durable steps where a kill is survived; tests stop the world there. */
export type Point =
  | "claimed"
  | "agent-working"
  | "agent-finished"
  | "committed"
  | "outcome-written"
  | "integrating"
  | "integrated"
  | "settled"
  | "tick";
export type At = (point: Point, facts: Readonly<Record<string, unknown>>) => void | Promise<void>;
