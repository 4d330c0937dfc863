import type { JSONValue, LanguageModel, streamText } from "ai";
import type { Clock } from "../../../ground/clock.ts";
import { firstSet, plainUrl, type Settings } from "../settings.ts";
import type { ApiRow, Protocol } from "./row.ts";
import { wireTo, type Wire } from "./wire.ts";

/** The SDK with one model of a row, ready to be asked. */
export type Loaded = {
  streamText: typeof streamText;
  model: LanguageModel;
  wire: Wire;
  options: Options;
  /** Whether every answer of the protocol says in words of its own why it ended. */
  saysWhy: boolean;
};
type Options = Record<string, Record<string, JSONValue>>;

/** Where a row's server is, without a slash at its end; or the setting that is missing to know it. */
export function baseUrlOf(row: ApiRow, settings: Settings): { url: string } | { missing: string } {
  const { setting, fallback } = row.baseUrl;
  const given = firstSet(settings, [setting])?.value ?? fallback;
  if (given === null) return { missing: setting };
  // A fallback may name another setting, as Bedrock's does the region.
  let missing: string | null = null;
  const filled = given.replace(/\{([A-Z_]+)\}/g, (_, name: string) => {
    const value = firstSet(settings, [name])?.value;
    if (value === undefined) missing ??= name;
    return value ?? "";
  });
  if (missing !== null) return { missing };
  const url = plainUrl(filled);
  // ANTHROPIC_BASE_URL is commonly set without the version, as Anthropic's own tools want it.
  return { url: row.protocol === "messages" && !url.endsWith("/v1") ? `${url}/v1` : url };
}

/**
 * Loads the SDK and the one adapter that the row's protocol needs: nothing of `ai` is in memory before a run begins. The key is
 * always handed over, so that no adapter looks for one in the environment.
 */
export async function load(
  clock: Clock,
  row: ApiRow,
  at: { model: string; url: string; key: string | null },
): Promise<Loaded> {
  const wire = wireTo(clock, row.baseUrl.setting);
  const [{ streamText }, model] = await Promise.all([import("ai"), adapt(row, at, wire.fetch)]);
  // Its warnings go to the host's standard error, where nobody can tell which task they are about.
  globalThis.AI_SDK_LOG_WARNINGS = false;
  return { streamText, model, wire, options: OPTIONS[row.protocol], saysWhy: row.protocol !== "responses" };
}

async function adapt(
  row: ApiRow,
  { model, url, key }: { model: string; url: string; key: string | null },
  fetch: typeof globalThis.fetch,
): Promise<LanguageModel> {
  const baseURL = url;
  const apiKey = key ?? "";
  switch (row.protocol) {
    case "messages": {
      const { createAnthropic } = await import("@ai-sdk/anthropic");
      return createAnthropic({ baseURL, apiKey, fetch })(model);
    }
    case "responses": {
      const { createOpenAI } = await import("@ai-sdk/openai");
      return createOpenAI({ baseURL, apiKey, fetch }).responses(model);
    }
    case "chat": {
      const { createOpenAICompatible } = await import("@ai-sdk/openai-compatible");
      const auth = key === null ? {} : { apiKey: key };
      return createOpenAICompatible({ baseURL, ...auth, fetch, name: row.name, includeUsage: true })(model);
    }
    case "openrouter": {
      const { createOpenRouter } = await import("@openrouter/ai-sdk-provider");
      return createOpenRouter({ baseURL, apiKey, fetch, compatibility: "strict" })(model);
    }
    case "bedrock": {
      const { createAmazonBedrock } = await import("@ai-sdk/amazon-bedrock");
      return createAmazonBedrock({ baseURL, apiKey, fetch })(model);
    }
  }
}

/** What each protocol needs beyond the messages. */
const OPTIONS: Readonly<Record<Protocol, Options>> = {
  // Each turn sends the whole conversation again: from the cache it costs a twentieth.
  messages: { anthropic: { cacheControl: { type: "ephemeral" } } },
  // Nothing is kept at the server, so that a conversation can go on from what we saved alone.
  responses: { openai: { store: false } },
  chat: {},
  openrouter: {},
  bedrock: {},
};
