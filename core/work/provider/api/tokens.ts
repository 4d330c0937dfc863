import type { LanguageModelUsage } from "ai";
import * as z from "zod";
import { NO_USAGE, type Usage } from "../../task/index.ts";
import type { Price } from "../port.ts";
import { usageOf } from "../prices.ts";

/** What OpenRouter says beside the tokens: the dollars that it charged. */
const Charged = z.object({ openrouter: z.object({ usage: z.object({ cost: z.number().nonnegative() }) }) });

/** US dollars that a server says an answer cost; undefined where it does not. */
export function chargedFor(metadata: unknown): number | undefined {
  return Charged.safeParse(metadata).data?.openrouter.usage.cost;
}

/**
 * What one answer cost. What the server did not say is unknown, not zero. `charged`: US dollars by the server's own count, which
 * outranks the price.
 */
export function usageOfAnswer(said: LanguageModelUsage, price: Price | null, charged?: number): Usage {
  const { inputTokens: input, outputTokens: output } = said;
  // No request reads nothing: zeros are what an adapter begins to count with.
  if (!input && !output) return NO_USAGE;
  const cached = said.inputTokenDetails.cacheReadTokens ?? null;
  const written = said.inputTokenDetails.cacheWriteTokens ?? 0;
  if (input === undefined || output === undefined)
    return { tokens_in: input ?? null, tokens_out: output ?? null, tokens_cached: cached, cost_usd: charged ?? null };
  const usage = usageOf({ input, cached: cached ?? 0, written, output }, price);
  return { ...usage, tokens_cached: cached, cost_usd: charged ?? usage.cost_usd };
}
