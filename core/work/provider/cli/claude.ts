import { anthropic } from "../api/anthropic.ts";
import { claudeParser } from "./claude-events.ts";
import { COMMANDS } from "./commands.ts";
import type { CliCall, CliCommand, CliRow } from "./row.ts";

/** Anthropic's Claude Code, written and tested against 2.1.332. Its licence lets it be run, not shipped. */
export const claude: CliRow = {
  family: "cli",
  name: "claude",
  executor: "claude",
  models: anthropic.models,
  modelSetting: "ANTHROPIC_MODEL",
  capabilities: { edits: true, runs_commands: true, where: "machine", paid: true, tells_cost: true },
  prefers: ["impl", "test"],
  verified: "2.1.332",
  binary: {
    setting: "CLAUDE_BIN",
    fallback: "claude",
    install: "npm install -g @anthropic-ai/claude-code@2.1.332",
    tellsVersion: true,
  },
  credentials: ["ANTHROPIC_API_KEY"],
  server: {
    setting: "ANTHROPIC_BASE_URL",
    fallback: "https://api.anthropic.com",
    question: (key, baseUrl) => ({
      path: baseUrl.endsWith("/v1") ? "/models" : "/v1/models",
      headers: { "x-api-key": key, "anthropic-version": "2023-06-01" },
    }),
  },
  modelSilenceMs: 90_000,
  // An event is a whole message, so a long answer is silent here; the stream itself is watched by modelSilenceMs.
  stallMs: 600_000,
  // HOME too: its commands run in a login shell, whose profile would bring in what the user exports there (measured).
  atHome: (home) => ({
    HOME: home,
    CLAUDE_CONFIG_DIR: `${home}/config`,
    ANTHROPIC_CONFIG_DIR: `${home}/anthropic`,
    CLAUDE_CODE_TMPDIR: home,
    DISABLE_AUTOUPDATER: "1",
  }),
  command,
  parser: claudeParser,
};

const TOOLS = ["Read", "Glob", "Grep", "Edit", "Write", "Bash"];

/** Before each of its commands: they need no key of ours (measured: without this they see it). */
const COMMAND_ENV = "commands.sh";

function command(call: CliCall): CliCommand {
  return {
    args: [
      ...["-p", "--output-format", "stream-json", "--verbose", "--no-session-persistence"],
      // No settings, hooks or MCP servers of the tree or the user; file tools keep to the tree.
      ...["--restricted", "--strict-mcp-config", "--permission-mode", "acceptEdits", "--permission-prompts", "none"],
      ...["--tools", TOOLS.join(",")],
      ...["--allowedTools", [...TOOLS.slice(0, -1), ...COMMANDS.map((start) => `Bash(${start}:*)`)].join(",")],
      ...(call.budgetUsd === undefined ? [] : ["--max-budget-usd", String(call.budgetUsd)]),
      ...["--model", call.model],
    ],
    env: {
      ANTHROPIC_API_KEY: call.key,
      // It adds the version by itself.
      ANTHROPIC_BASE_URL: call.baseUrl.replace(/\/v1$/, ""),
      // Retries are ours: one turn is one request, so that a cooldown is kept.
      CLAUDE_CODE_MAX_RETRIES: "0",
      CLAUDE_CODE_DISABLE_NONSTREAMING_FALLBACK: "1",
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
      CLAUDE_ENABLE_STREAM_WATCHDOG: "1",
      CLAUDE_STREAM_IDLE_TIMEOUT_MS: String(call.modelSilenceMs),
      API_TIMEOUT_MS: String(call.modelSilenceMs),
      CLAUDE_ENV_FILE: `${call.home}/${COMMAND_ENV}`,
    },
    input: call.prompt,
    files: { [COMMAND_ENV]: "unset ANTHROPIC_API_KEY\n" },
  };
}
