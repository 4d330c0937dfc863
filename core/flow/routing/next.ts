import { RETRY_SAME_WITHIN_MS, type CLASS_RULES } from "../../work/provider/index.ts";
import { NO_USAGE, wentFor, type Candidate, type Failure, type Tried } from "../../work/task/index.ts";

/** At most this many goes after the first an attempt, whoever has them: the same candidate once more is one too. */
export const MAX_FALLBACKS = 5;

/** Ms waited before the same target is asked once more after a server error. */
const RETRY_JITTER_MS = { least: 200, more: 800 };

/** What follows a candidate's failure within its attempt; `index` into the candidates. */
export type Next = { kind: "again"; waitMs: number } | { kind: "fallback"; index: number } | { kind: "none" };

/**
 * Who goes next after the chosen candidate failed: the same once more where its class allows that, else the first behind it that
 * may mend it. Pure; `random` from 0 to 1.
 */
export function next(input: {
  candidates: readonly Candidate[];
  chosen: number;
  /** Those that failed before this one. */
  tried: readonly Tried[];
  failure: Failure;
  rules: typeof CLASS_RULES;
  /** Tokens that a candidate reads at once, and the key that pays for it (`none` where there is none). */
  about: (candidate: Candidate) => { window: number; account: string };
  random: number;
}): Next {
  const { candidates, chosen, tried, failure, about } = input;
  const rule = input.rules[failure.class];
  const present = candidates[chosen];
  if (!present) return { kind: "none" };
  if (fallbacksSpent([...tried, { class: failure.class, usage: NO_USAGE }])) return { kind: "none" };
  const again = tried.some((one) => isOf(one, present));
  if (!again && rule.retrySame === "once")
    return { kind: "again", waitMs: RETRY_JITTER_MS.least + input.random * RETRY_JITTER_MS.more };
  const retryAfter = failure.retry_after_ms ?? Infinity;
  if (!again && rule.retrySame === "retry_after" && retryAfter <= RETRY_SAME_WITHIN_MS)
    return { kind: "again", waitMs: retryAfter };
  // What a model will not have in a request another one may take: once.
  const prefill = failure.prefill === true && tried.every((one) => one.class !== failure.class);
  if (rule.next === "no" && !prefill) return { kind: "none" };
  const { window, account } = about(present);
  const index = candidates.findIndex(
    (one, i) =>
      i > chosen &&
      // A whole key that failed takes along all that it pays for.
      !(rule.scope === "credential" && (one.provider === present.provider || sameKey(account, about(one).account))) &&
      (rule.next !== "larger_window" || about(one).window > window),
  );
  return index === -1 ? { kind: "none" } : { kind: "fallback", index };
}

/** Whether candidates went as often as an attempt may send them; one that was turned away did not go. */
export function fallbacksSpent(tried: readonly Pick<Tried, "class" | "usage">[]): boolean {
  return tried.filter(wentFor).length > MAX_FALLBACKS;
}

function isOf(one: Tried, candidate: Candidate): boolean {
  return one.provider === candidate.provider && one.model === candidate.model;
}

function sameKey(one: string, other: string): boolean {
  return one !== "none" && one === other;
}
