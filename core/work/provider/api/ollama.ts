import { LOCAL } from "./limits.ts";
import type { ApiRow } from "./row.ts";

/** A server on this machine, Ollama's by default; vLLM and others that speak the same by OLLAMA_BASE_URL. */
export const ollama: ApiRow = {
  family: "api",
  name: "ollama",
  executor: null,
  protocol: "chat",
  models: [
    {
      name: "qwen3-coder",
      // The model reads 256k; what Ollama gives it by default is less and not said by its API.
      context_window: 32_000,
      tier: 1,
      price: {
        input: 0,
        cached: 0,
        written: 0,
        output: 0,
        date: "2026-11-26",
        source: "runs on a machine of one's own",
      },
    },
  ],
  modelSetting: "OLLAMA_MODEL",
  capabilities: { edits: true, runs_commands: false, where: "inline", paid: false },
  prefers: [],
  verified: "@ai-sdk/openai-compatible 3.0.92",
  credentials: [],
  baseUrl: { setting: "OLLAMA_BASE_URL", fallback: "http://127.0.0.1:11434/v1" },
  limits: LOCAL,
};
