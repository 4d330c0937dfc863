import type { LanguageModelUsage } from "ai";
import { NO_USAGE, type Usage } from "../../task/index.ts";
import type { Price } from "../port.ts";
import { usageOf } from "../prices.ts";

/** What one answer cost. What the server did not say is unknown, not zero. */
export function usageOfAnswer(said: LanguageModelUsage, price: Price | null): Usage {
  const { inputTokens: input, outputTokens: output } = said;
  // No request reads nothing: zeros are what an adapter begins to count with.
  if (!input && !output) return NO_USAGE;
  const cached = said.inputTokenDetails.cacheReadTokens ?? null;
  const written = said.inputTokenDetails.cacheWriteTokens ?? 0;
  if (input === undefined || output === undefined)
    return { tokens_in: input ?? null, tokens_out: output ?? null, tokens_cached: cached, cost_usd: null };
  return { ...usageOf({ input, cached: cached ?? 0, written, output }, price), tokens_cached: cached };
}
