import { listModels, type CliCall, type CliCommand, type CliRow } from "./row.ts";
import { codexParser } from "./codex-events.ts";

/** Prices hold up to so many input tokens a request, which is the window codex itself keeps to. */
const WINDOW = 272_000;

/**
 * OpenAI's codex, written and tested against 0.169.0. gpt-5-codex, the contract's old default, is shut down; these are models
 * that this version knows.
 */
export const codex: CliRow = {
  family: "cli",
  name: "codex",
  executor: "openclaw",
  models: [
    {
      name: "gpt-6-luna",
      context_window: WINDOW,
      tier: 1,
      price: {
        input: 0.1,
        cached: 0.01,
        written: 0.125,
        output: 0.5,
        date: "2026-11-20",
        source: "https://developers.openai.com/api/docs/models/gpt-6-luna",
      },
    },
    {
      name: "gpt-6.1-terra",
      context_window: WINDOW,
      tier: 2,
      price: {
        input: 1,
        cached: 0.05,
        written: 1.25,
        output: 5,
        date: "2026-11-20",
        source: "https://docs.litellm.ai/blog/gpt-6-1-terra",
      },
    },
    {
      name: "gpt-6.1-sol",
      context_window: WINDOW,
      tier: 3,
      price: {
        input: 2,
        cached: 0.1,
        written: 2.5,
        output: 10,
        date: "2026-11-20",
        source: "https://apidog.com/blog/gpt-6-1-terra-vs-gpt-6-1-sol/",
      },
    },
  ],
  modelSetting: "OPENCLAW_MODEL",
  capabilities: { edits: true, runs_commands: true, where: "machine", paid: true },
  prefers: ["impl", "test"],
  verified: "0.169.0",
  binary: {
    setting: "CODEX_BIN",
    fallback: "codex",
    install: "npm install -g @openai/codex@0.169.0",
    tellsVersion: true,
  },
  credentials: ["CODEX_API_KEY", "OPENAI_API_KEY"],
  server: { setting: "OPENAI_BASE_URL", fallback: "https://api.openai.com/v1", question: listModels },
  modelSilenceMs: 90_000,
  // Its JSON events come an item at a time, so a long answer is silent here; the stream itself is watched by modelSilenceMs.
  stallMs: 600_000,
  atHome: (home) => ({ CODEX_HOME: home }),
  command,
  parser: codexParser,
};

/** The name under which codex finds its key; its commands do not get to see it. */
const KEY = "CODEX_API_KEY";

function command(call: CliCall): CliCommand {
  const provider = [
    `name="coherence"`,
    `base_url=${toml(call.baseUrl)}`,
    `env_key="${KEY}"`,
    `wire_api="responses"`,
    // Retries are ours: one turn is one request, so that a cooldown is kept.
    "request_max_retries=0",
    "stream_max_retries=0",
    `stream_idle_timeout_ms=${call.modelSilenceMs}`,
  ].join(",");
  const settings = [
    `model_provider="coherence"`,
    `model_providers.coherence={${provider}}`,
    // Its commands need no key of ours (measured: without this they see it).
    `shell_environment_policy.exclude=["${KEY}"]`,
    // A login shell resets PATH to the system's and finds another node than the host's (measured).
    "allow_login_shell=false",
    "analytics.enabled=false",
    "check_for_update_on_startup=false",
  ];
  return {
    args: [
      ...["exec", "--json", "--skip-git-repo-check", "--ephemeral", "--color", "never", "--sandbox", "workspace-write"],
      ...settings.flatMap((setting) => ["-c", setting]),
      ...["-m", call.model],
      // The prompt comes by standard input: an argument is limited to 128 KiB.
      "-",
    ],
    env: { [KEY]: call.key },
    input: call.prompt,
  };
}

/** A TOML basic string; JSON's escapes are TOML's. */
function toml(text: string): string {
  return JSON.stringify(text);
}
