import { REMOTE } from "./limits.ts";
import type { ApiRow } from "./row.ts";

/** Anthropic's own API. */
export const anthropic: ApiRow = {
  family: "api",
  name: "anthropic",
  executor: "claude",
  protocol: "messages",
  models: [
    {
      name: "claude-haiku-5-5",
      // It reads a million; beyond these a request costs five times as much, and the price below does not hold.
      context_window: 100_000,
      tier: 1,
      price: {
        input: 0.1,
        cached: 0.01,
        written: 0.125,
        output: 0.5,
        date: "2026-10-24",
        source: "https://github.com/kurofune/claudit/releases/tag/v1.9.2",
      },
    },
    {
      name: "claude-sonnet-5-5",
      context_window: 1_000_000,
      tier: 2,
      price: {
        input: 2,
        cached: 0.1,
        written: 2.5,
        output: 10,
        date: "2026-10-24",
        source: "https://github.com/kurofune/claudit/releases/tag/v1.9.2",
      },
    },
    {
      name: "claude-opus-5-5",
      context_window: 1_000_000,
      tier: 3,
      price: {
        input: 4,
        cached: 0.2,
        written: 5,
        output: 20,
        date: "2026-09-23",
        source: "https://github.com/TheKrush/PromptFuel/releases/tag/v1.0.21",
      },
    },
  ],
  modelSetting: "ANTHROPIC_MODEL",
  capabilities: { edits: true, runs_commands: false, where: "inline", paid: true },
  prefers: [],
  verified: "@ai-sdk/anthropic 4.0.105",
  credentials: ["ANTHROPIC_API_KEY"],
  baseUrl: { setting: "ANTHROPIC_BASE_URL", fallback: "https://api.anthropic.com" },
  limits: REMOTE,
};
