import type { Usage } from "../task/index.ts";
import type { Price } from "./port.ts";

/** Counts of tokens as an agent reports them; `cached` and `written` are parts of `input`. */
export type Tokens = { input: number; cached: number; written: number; output: number };

/** Tokens with their cost in US dollars; the cost is null when the price is unknown. */
export function usageOf(tokens: Tokens, price: Price | null): Usage {
  return {
    tokens_in: tokens.input,
    tokens_out: tokens.output,
    tokens_cached: tokens.cached,
    cost_usd: price === null ? null : costOf(tokens, price),
  };
}

function costOf(tokens: Tokens, price: Price): number {
  const fresh = Math.max(0, tokens.input - tokens.cached - tokens.written);
  const millionths =
    fresh * price.input + tokens.cached * price.cached + tokens.written * price.written + tokens.output * price.output;
  return millionths / 1_000_000;
}
