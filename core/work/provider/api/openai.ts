import { codex } from "../cli/codex.ts";
import { REMOTE } from "./limits.ts";
import type { ApiRow } from "./row.ts";

/** OpenAI's own API: the models that codex is run with, without codex. */
export const openai: ApiRow = {
  family: "api",
  name: "openai",
  executor: null,
  protocol: "responses",
  models: codex.models,
  modelSetting: "OPENAI_MODEL",
  capabilities: { edits: true, runs_commands: false, where: "inline", paid: true },
  prefers: [],
  verified: "@ai-sdk/openai 4.0.118",
  credentials: ["OPENAI_API_KEY"],
  baseUrl: { setting: "OPENAI_BASE_URL", fallback: "https://api.openai.com/v1" },
  limits: REMOTE,
};
