import type { FailureClass, Tried, Usage } from "./words.ts";

/** Nobody knows. */
export const NO_USAGE: Usage = { tokens_in: null, tokens_out: null, tokens_cached: null, cost_usd: null };

/** Nobody was asked. */
export const NOTHING: Usage = { tokens_in: 0, tokens_out: 0, tokens_cached: 0, cost_usd: 0 };

/** Adds two usages; unknown plus known is the known part. */
export function addUsage(a: Usage, b: Usage): Usage {
  const sum = (x: number | null, y: number | null) => (x === null ? y : y === null ? x : x + y);
  return {
    tokens_in: sum(a.tokens_in, b.tokens_in),
    tokens_out: sum(a.tokens_out, b.tokens_out),
    tokens_cached: sum(a.tokens_cached, b.tokens_cached),
    cost_usd: sum(a.cost_usd, b.cost_usd),
  };
}

/** Whether any of it is known. */
export function isKnown(usage: Usage): boolean {
  return usage.tokens_in !== null || usage.tokens_out !== null || usage.cost_usd !== null;
}

/** Whether a failure is none of a go: its worker had left, it cooled down or might not be paid by the time it was its turn. */
export function isTurnedAway(ended: FailureClass): boolean {
  return ended === "no_worker" || ended === "cooling" || ended === "budget";
}

/** Whether a candidate had a go; one that used something had gone before it was turned away when it was entered again. */
export function wentFor({ class: ended, usage }: Pick<Tried, "class" | "usage">): boolean {
  return ended === null || !isTurnedAway(ended) || isKnown(usage);
}
