import { REMOTE } from "./limits.ts";
import type { ApiRow } from "./row.ts";

/** Claude on Amazon Bedrock, by a Bedrock API key. Its prices differ by region and are not kept. */
export const bedrock: ApiRow = {
  family: "api",
  name: "bedrock",
  executor: null,
  protocol: "bedrock",
  models: [
    { name: "us.anthropic.claude-sonnet-5-5", context_window: 1_000_000, tier: 2, price: null },
    { name: "us.anthropic.claude-opus-5-5", context_window: 1_000_000, tier: 3, price: null },
  ],
  modelSetting: "BEDROCK_MODEL",
  capabilities: { edits: true, runs_commands: false, where: "inline", paid: true },
  prefers: [],
  verified: null,
  credentials: ["AWS_BEARER_TOKEN_BEDROCK"],
  baseUrl: { setting: "BEDROCK_BASE_URL", fallback: "https://bedrock-runtime.{AWS_REGION}.amazonaws.com" },
  limits: REMOTE,
};
