import { REMOTE } from "./limits.ts";
import type { ApiRow } from "./row.ts";

const SHARED = {
  family: "api",
  executor: null,
  protocol: "openrouter",
  prefers: [],
  verified: "@openrouter/ai-sdk-provider 3.1.0",
  credentials: ["OPENROUTER_API_KEY"],
  baseUrl: { setting: "OPENROUTER_BASE_URL", fallback: "https://openrouter.ai/api/v1" },
} as const;

/** OpenRouter's models that cost nothing. No setting names another: that might be a paid one. */
export const openrouterFree: ApiRow = {
  ...SHARED,
  name: "openrouter-free",
  models: [
    {
      // Takes any free model that can call tools.
      name: "openrouter/free",
      context_window: 200_000,
      tier: 1,
      price: {
        input: 0,
        cached: 0,
        written: 0,
        output: 0,
        date: "2026-11-26",
        source: "https://openrouter.ai/openrouter/free",
      },
    },
  ],
  modelSetting: null,
  capabilities: { edits: true, runs_commands: false, where: "inline", paid: false, tells_cost: true },
  // A free model waits its turn.
  limits: { ...REMOTE, firstTokenMs: 30_000, outputTokens: 16_000 },
};

/** OpenRouter's models that are paid for. */
export const openrouter: ApiRow = {
  ...SHARED,
  name: "openrouter",
  models: [
    {
      name: "qwen/qwen3-coder-next",
      context_window: 262_144,
      tier: 1,
      price: {
        input: 0.07,
        // Nothing is published for its cache: counted as fresh input.
        cached: 0.07,
        written: 0.07,
        output: 0.3,
        date: "2026-11-26",
        source: "https://openrouter.ai/qwen/qwen3-coder-next-2025-02-03",
      },
    },
    // What OpenRouter asks for it was not found.
    { name: "anthropic/claude-sonnet-5.5", context_window: 1_000_000, tier: 2, price: null },
  ],
  modelSetting: "OPENROUTER_MODEL",
  capabilities: { edits: true, runs_commands: false, where: "inline", paid: true, tells_cost: true },
  limits: REMOTE,
};
