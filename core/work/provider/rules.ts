import type { FailureClass, WhoActs } from "../task/index.ts";

/** What a failure of a class means for the candidates that follow it: DESIGN 5's table as data. */
export type ClassRule = {
  /** What is cooled down: the model, everything under the credential, or nothing. */
  scope: "model" | "credential" | "none";
  /** Whether the same target may be asked once more at once; `retry_after` only when it asks for at most `RETRY_SAME_WITHIN_MS`. */
  retrySame: "no" | "once" | "retry_after";
  /** When a cooldown begins: at this failure, after a streak of such (see `STREAK`), or never. */
  starts: "at_once" | "streak" | "never";
  /** What ends it: time, the provider's own reset (else time), a probe that answers, or changed settings. */
  ends: "time" | "reset" | "readiness" | "configuration";
  /** Ms of the first cooldown by time; null where time does not end it. */
  cooldownMs: number | null;
  /** Ms that repeated cooldowns double up to; null where they do not double. */
  doublingMaxMs: number | null;
  /** It shows that the target answers, whatever the answer was good for. */
  answered?: true;
  /** Whether another candidate is tried. */
  next: "yes" | "larger_window" | "no";
  whoActs: WhoActs;
  /** What a person can do, in one sentence. */
  remedy: string;
};

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** The longest Retry-After, in ms, that is waited out on the same target. */
export const RETRY_SAME_WITHIN_MS = 5 * SECOND;

/** Ms added to a provider's own reset, so that clocks may differ. */
export const RESET_SLACK_MS = MINUTE;

/** A streak: so many failures in a row, or more than this share of at least so many runs within a window of so many ms. */
export const STREAK = { inARow: 3, share: 0.5, atLeast: 5, windowMs: MINUTE };

/** Ms in which nobody else tries a target that one run tests after its cooldown. */
export const PROBE_MS = MINUTE;

const NO_COOLDOWN = { scope: "none", starts: "never", ends: "time", cooldownMs: null, doublingMaxMs: null } as const;
const AFTER_STREAK = {
  scope: "model",
  starts: "streak",
  ends: "time",
  cooldownMs: 15 * SECOND,
  doublingMaxMs: 5 * MINUTE,
} as const;

/** One rule a failure class. */
export const CLASS_RULES: Readonly<Record<FailureClass, ClassRule>> = {
  rate_limit: {
    scope: "model",
    retrySame: "retry_after",
    starts: "at_once",
    ends: "time",
    cooldownMs: 30 * SECOND,
    doublingMaxMs: 15 * MINUTE,
    next: "yes",
    whoActs: "system",
    remedy: "Nothing: work goes on by itself when the rate limit is over.",
  },
  quota: {
    scope: "credential",
    retrySame: "no",
    starts: "at_once",
    ends: "reset",
    cooldownMs: 30 * MINUTE,
    doublingMaxMs: null,
    next: "yes",
    whoActs: "system",
    remedy: "Nothing if the quota returns by itself; to go on sooner, raise the quota at the provider.",
  },
  payment: {
    scope: "credential",
    retrySame: "no",
    starts: "at_once",
    ends: "time",
    cooldownMs: 10 * MINUTE,
    doublingMaxMs: 160 * MINUTE,
    next: "yes",
    whoActs: "user",
    remedy: "Check billing, spending limit and the key's permissions at the provider.",
  },
  auth: {
    scope: "credential",
    retrySame: "no",
    starts: "at_once",
    ends: "readiness",
    cooldownMs: null,
    doublingMaxMs: null,
    next: "yes",
    whoActs: "user",
    remedy: "Set a valid key for this provider.",
  },
  model_not_found: {
    scope: "model",
    retrySame: "no",
    starts: "at_once",
    ends: "configuration",
    cooldownMs: null,
    doublingMaxMs: null,
    next: "yes",
    whoActs: "user",
    remedy: "Name a model that this key may use.",
  },
  overloaded: {
    ...AFTER_STREAK,
    retrySame: "once",
    next: "yes",
    whoActs: "provider",
    remedy: "Nothing: the provider is overloaded, work goes on by itself.",
  },
  network: {
    ...AFTER_STREAK,
    retrySame: "once",
    next: "yes",
    whoActs: "system",
    remedy: "Check the network and the base URL if this does not pass.",
  },
  stalled: {
    ...AFTER_STREAK,
    retrySame: "no",
    next: "yes",
    whoActs: "system",
    remedy: "Nothing: another candidate takes over.",
  },
  context_length: {
    ...NO_COOLDOWN,
    answered: true,
    retrySame: "no",
    next: "larger_window",
    whoActs: "system",
    remedy: "Split the item into smaller ones, or add a provider with a larger context window.",
  },
  content_filter: {
    ...NO_COOLDOWN,
    answered: true,
    retrySame: "no",
    next: "no",
    whoActs: "user",
    remedy: "Reword the item: the provider's content filter refused it.",
  },
  bad_request: {
    ...NO_COOLDOWN,
    retrySame: "no",
    next: "no",
    whoActs: "user",
    remedy: "Read the message: the provider refused the request as it is.",
  },
  bad_result: {
    ...NO_COOLDOWN,
    answered: true,
    retrySame: "no",
    next: "no",
    whoActs: "system",
    remedy: "Nothing while tries are left: the next attempt gets a handoff of what was missing.",
  },
  crash: {
    ...AFTER_STREAK,
    retrySame: "no",
    next: "yes",
    whoActs: "system",
    remedy: "Read the end of the log if this does not pass: the agent's program ended abnormally.",
  },
  workspace: {
    ...NO_COOLDOWN,
    retrySame: "no",
    next: "no",
    whoActs: "user",
    remedy: "Make the repository's set-up and tests work on a fresh checkout.",
  },
  no_worker: {
    ...NO_COOLDOWN,
    retrySame: "no",
    next: "yes",
    whoActs: "user",
    remedy: "Start `coherence worker` on a machine that has this agent.",
  },
  cooling: {
    ...NO_COOLDOWN,
    retrySame: "no",
    next: "yes",
    whoActs: "system",
    remedy: "Nothing: it cools down, and one run tests it when that is over.",
  },
  budget: {
    ...NO_COOLDOWN,
    retrySame: "no",
    next: "yes",
    whoActs: "system",
    remedy: "Nothing yet: what costs nothing goes on, and the next attempt says whose budget is spent.",
  },
  lost: {
    ...NO_COOLDOWN,
    retrySame: "no",
    next: "no",
    whoActs: "system",
    remedy: "Nothing: the task is queued again within its budget.",
  },
  cancelled: {
    ...NO_COOLDOWN,
    retrySame: "no",
    next: "no",
    whoActs: "user",
    remedy: "Retry the task to run it again.",
  },
  unreported: {
    ...NO_COOLDOWN,
    retrySame: "no",
    next: "no",
    whoActs: "user",
    remedy: "Look into the client's own log: it reported a failure without a reason.",
  },
  reported: {
    ...NO_COOLDOWN,
    retrySame: "no",
    next: "no",
    whoActs: "user",
    remedy: "Read the reason the client gave.",
  },
  internal: {
    ...NO_COOLDOWN,
    retrySame: "no",
    next: "no",
    whoActs: "user",
    remedy: "This is a fault of the pipeline itself: keep the log and report it.",
  },
};
