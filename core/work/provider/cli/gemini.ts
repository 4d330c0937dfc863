import { COMMANDS } from "./commands.ts";
import { geminiParser } from "./gemini-events.ts";
import type { CliCall, CliCommand, CliRow } from "./row.ts";

/** Google's Gemini CLI, written and tested against 0.61.0. */
export const gemini: CliRow = {
  family: "cli",
  name: "gemini",
  executor: null,
  // What Google asks for them was not found.
  models: [
    { name: "gemini-2.5-flash", price: null, context_window: 1_000_000, tier: 1 },
    { name: "gemini-2.5-pro", price: null, context_window: 1_000_000, tier: 2 },
  ],
  modelSetting: "GEMINI_MODEL",
  capabilities: { edits: true, runs_commands: true, where: "machine", paid: true },
  prefers: [],
  verified: "0.61.0",
  binary: {
    setting: "GEMINI_BIN",
    fallback: "gemini",
    install: "npm install -g @google/gemini-cli@0.61.0",
    tellsVersion: true,
  },
  credentials: ["GEMINI_API_KEY"],
  server: {
    setting: "GOOGLE_GEMINI_BASE_URL",
    fallback: "https://generativelanguage.googleapis.com",
    question: (key) => ({ path: "/v1beta/models", headers: { "x-goog-api-key": key } }),
  },
  modelSilenceMs: 0,
  // It cannot be told how long its model may be silent: an answer's parts are its signs of life.
  stallMs: 120_000,
  atHome: (home) => ({
    HOME: home,
    GEMINI_CLI_HOME: home,
    // Settings, hooks and variables of the tree are others' words, and are not read where it is not trusted.
    GEMINI_CLI_TRUST_WORKSPACE: "false",
  }),
  command,
  parser: geminiParser,
};

const SETTINGS = ".gemini/settings.json";
const POLICY = ".gemini/policies/coherence.toml";
/** It leaves whole conversations there when a request fails. */
const TEMPORARY = "tmp";

/** Its tools that look at the tree and change it. */
const TOOLS = ["list_directory", "glob", "grep_search", "read_file", "read_many_files", "write_file", "replace"];

function command(call: CliCall): CliCommand {
  const settings = {
    security: {
      // With it on it would refuse to work where the tree is not trusted.
      folderTrust: { enabled: false },
      auth: { selectedType: "gemini-api-key", enforcedType: "gemini-api-key" },
      // Before each of its commands: they need no key of ours.
      environmentVariableRedaction: { enabled: true, blocked: ["GEMINI_API_KEY"] },
    },
    general: {
      enableAutoUpdate: false,
      enableAutoUpdateNotification: false,
      // Retries are ours: one turn is one request, so that a cooldown is kept.
      maxAttempts: 1,
      retryFetchErrors: false,
      checkpointing: { enabled: false },
    },
    privacy: { usageStatisticsEnabled: false },
    telemetry: { enabled: false },
    // Settings of the tree are others' words: what they would start does not start.
    hooksConfig: { enabled: false },
    mcp: { allowed: ["none"] },
    skills: { enabled: false },
    tools: { discoveryCommand: "", callCommand: "" },
    experimental: { enableAgents: false, autoMemory: false },
    advanced: { ignoreLocalEnv: true },
    ide: { enabled: false },
  };
  return {
    args: [
      ...["--output-format", "stream-json", "--model", call.model],
      // Nobody is there to ask: what the policy does not allow is refused.
      ...["--approval-mode", "default", "--extensions", "none", "--allowed-mcp-server-names", "none"],
    ],
    env: {
      GEMINI_API_KEY: call.key,
      GOOGLE_GEMINI_BASE_URL: call.baseUrl,
      TMPDIR: `${call.home}/${TEMPORARY}`,
    },
    input: call.prompt,
    files: { [SETTINGS]: JSON.stringify(settings), [POLICY]: policy(), [`${TEMPORARY}/.keep`]: "" },
  };
}

/** Its rules, in TOML: a text in JSON is one there too. */
function policy(): string {
  const rule = (of: Record<string, unknown>) =>
    ["[[rule]]", ...Object.entries(of).map(([key, value]) => `${key} = ${JSON.stringify(value)}`)].join("\n");
  return [
    rule({ toolName: TOOLS, decision: "allow", priority: 200 }),
    rule({ toolName: "run_shell_command", commandPrefix: COMMANDS, decision: "allow", priority: 200 }),
    rule({ toolName: "run_shell_command", decision: "deny", priority: 100 }),
  ].join("\n\n");
}
