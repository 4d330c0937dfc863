import * as z from "zod";

/** The words that all rooms share: types, statuses, failure classes, candidates, results. Shapes only, no effects. */

/** The first `max` characters of a text, never half of one: the table refuses text that is no Unicode. */
export function cut(text: string, max: number): string {
  return text.slice(0, max).toWellFormed();
}

/** Characters of a text as the contract counts them: of any width in the table, one or two units here. */
export function lengthOf(text: string): number {
  return [...text].length;
}

export const TaskType = z.enum(["spec", "test", "impl", "review", "heal"]);
export type TaskType = z.infer<typeof TaskType>;

/** The four phases of an item, in order; each is also a task type. */
export const PHASES = ["spec", "impl", "test", "review"] as const;
export type Phase = (typeof PHASES)[number];

export const Status = z.enum(["pending", "running", "completed", "failed", "needs_decision", "cancelled"]);
export type Status = z.infer<typeof Status>;

/** Why something did not work. Chosen from structured signals only, never from words in an output. */
export const FailureClass = z.enum([
  "rate_limit", // 429
  "quota", // a usage window is exhausted
  "payment", // billing or usage permission
  "auth", // rejected or missing key
  "model_not_found",
  "overloaded", // 5xx
  "network", // connection refused, reset
  "stalled", // silent, cut or timed-out stream
  "context_length",
  "content_filter",
  "bad_request",
  "bad_result", // the agent finished and its result does not hold: no diff, redder suite, markers left, no verdict
  "crash", // the agent's process ended abnormally
  "workspace", // the repository or its set-up, not the agent
  "no_worker", // no live worker with the capability has a free slot
  "budget", // what may be paid is spent
  "cooling", // nobody was asked: it cooled down by then, or another run tests it
  "lost", // lease ended without an outcome
  "cancelled",
  "unreported", // a client said failed and nothing else
  "reported", // a client said failed and why
  "internal", // a fault of ours
]);
export type FailureClass = z.infer<typeof FailureClass>;

export const WhoActs = z.enum(["system", "user", "provider"]);
export type WhoActs = z.infer<typeof WhoActs>;

/** A provider and a model that an attempt may use. */
export const Candidate = z.object({
  provider: z.string(),
  model: z.string(),
  /** Where it can run: in the step itself, or on a machine with a worker. */
  where: z.enum(["inline", "machine"]),
  /** Why it stands at its place in the order. */
  reason: z.string(),
});
export type Candidate = z.infer<typeof Candidate>;

/** The model that did it, as clients show it: provider/model, as the contract has executor/model. */
export function shownModel({ provider, model }: Pick<Candidate, "provider" | "model">): string {
  return `${provider}/${model}`;
}

/** A candidate that is left out, and why. `returns_at` in ms when it comes back by itself. */
export const Skipped = z.object({
  provider: z.string(),
  model: z.string(),
  reason: z.string(),
  class: FailureClass.optional(),
  who_acts: WhoActs,
  remedy: z.string().optional(),
  returns_at: z.number().optional(),
  /** Set where a guard of ours keeps it from being paid, in the contract's words (5.2). */
  guard: z.enum(["paid_provider_blocked", "usage_window_budget_exceeded", "cost_overrun"]).optional(),
});
export type Skipped = z.infer<typeof Skipped>;

/** What a run cost; null is unknown, not zero. Tokens are counts, cost is US dollars. */
export const Usage = z.object({
  tokens_in: z.number().nullable(),
  tokens_out: z.number().nullable(),
  tokens_cached: z.number().nullable(),
  cost_usd: z.number().nullable(),
});
export type Usage = z.infer<typeof Usage>;

/** A failure of one candidate's go. */
export const Failure = z.object({
  class: FailureClass,
  /** One line for a person; never a secret. */
  message: z.string(),
  /** HTTP status where there was one. */
  status: z.number().optional(),
  retry_after_ms: z.number().optional(),
  /** When an exhausted quota returns, ms since the epoch. */
  resets_at: z.number().optional(),
  /** A `bad_request` for a message of the assistant's in it (a prefill): another model may take it. */
  prefill: z.literal(true).optional(),
  /** A `stalled` of an agent that worked until the task's time was over: its own doing, no fault of its provider. */
  overtime: z.literal(true).optional(),
});
export type Failure = z.infer<typeof Failure>;

/** A candidate that was tried, kept on the attempt for good. */
export const Tried = z.object({
  provider: z.string(),
  model: z.string(),
  turn: z.number(),
  class: FailureClass.nullable(), // null: it served
  message: z.string(),
  ms: z.number(),
  usage: Usage,
  overtime: z.literal(true).optional(), // as its failure said
});
export type Tried = z.infer<typeof Tried>;

/** What a person reads about a failed task. */
export const TaskError = z.object({
  class: FailureClass,
  message: z.string(),
  /** The end of what was printed, at most 2 000 characters. */
  excerpt: z.string(),
  remedy: z.string(),
  retryable: z.boolean(),
  who_acts: WhoActs,
});
export type TaskError = z.infer<typeof TaskError>;

/** A question an agent asks instead of going on. */
export const Question = z.object({
  prompt: z.string().min(1).max(4000),
  options: z.array(z.string().max(400)).max(20).default([]),
  /** The answer taken by itself after `default_after_s` seconds (default 0: at the next tick). */
  default: z
    .string()
    .max(4000)
    // A blank answer decides nothing.
    .transform((text) => (text.trim() === "" ? undefined : text))
    .pipe(z.string().optional())
    .optional(),
  default_after_s: z.number().min(0).max(2_592_000).optional(),
});
export type Question = z.infer<typeof Question>;

/** The block an agent ends its answer with; see core/flow/prompt for the format. */
export const ResultBlock = z.object({
  verdict: z.enum(["pass", "fail"]).optional(),
  summary: z.string().max(4000).default(""),
  spec_path: z.string().max(500).optional(),
  findings: z.array(z.string().max(2000)).max(50).default([]),
  tests: z.array(z.string().max(500)).max(200).default([]),
  question: Question.optional(),
});
export type ResultBlock = z.infer<typeof ResultBlock>;

/** What a run of a test suite showed. Counts are null when the reporter is not one we know. */
export const Suite = z.object({
  command: z.array(z.string()),
  /** Where the command comes from: set by the user, the base's manifest, or (the base has none) the item's own. */
  source: z.enum(["config", "base", "item"]),
  exit: z.number(),
  passed: z.number().nullable(),
  failed: z.number().nullable(),
  /** Names of failing tests, at most 50. */
  failures: z.array(z.string()),
  /** The end of what it printed, at most 4 000 characters. */
  tail: z.string(),
  ms: z.number(),
});
export type Suite = z.infer<typeof Suite>;

/** Which item a task is a phase of. `seq` counts the item's tasks and is never reset. */
export const ItemRef = z.object({
  backlog: z.string(),
  item: z.string(),
  seq: z.number(),
  phase: z.enum(PHASES),
  round: z.number(),
});
export type ItemRef = z.infer<typeof ItemRef>;

/** What a turn came to, written on its attempt before anything acts on it. */
export const Outcome = z.discriminatedUnion("kind", [
  /** The phase's evidence holds; for a review: and its head is in the integration branch (or merging is off). */
  z.object({ kind: z.literal("passed"), head: z.string().optional(), tip: z.string().optional() }),
  /** A test phase that ran and is red: a completed task with that verdict. */
  z.object({ kind: z.literal("red"), head: z.string().optional() }),
  /** A review that said fail. */
  z.object({ kind: z.literal("rejected"), head: z.string().optional() }),
  /** The review passed and the head does not merge, or is red once merged: a round that begins by merging `tip`. */
  z.object({ kind: z.literal("conflict"), tip: z.string(), files: z.array(z.string()).max(200) }),
  z.object({ kind: z.literal("red_after_merge"), tip: z.string() }),
  z.object({ kind: z.literal("question"), question: Question }),
  /** The agent finished and its result does not hold: a try of the task. */
  z.object({ kind: z.literal("bad"), message: z.string(), remedy: z.string() }),
]);
export type Outcome = z.infer<typeof Outcome>;

/** What the pipeline saw for itself after an agent's go; kept as the task's result. */
export const Evidence = z.object({
  result: ResultBlock.nullable(),
  files: z.array(z.string()).max(200),
  suite: Suite.nullable(),
  base: z.string().nullable(),
  head: z.string().nullable(),
  spec_path: z.string().nullable(),
  note: z.string(),
});
export type Evidence = z.infer<typeof Evidence>;
