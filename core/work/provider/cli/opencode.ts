import { openrouter } from "../api/openrouter.ts";
import { COMMANDS } from "./commands.ts";
import { opencodeParser } from "./opencode-events.ts";
import { opencodePlugin } from "./opencode-plugin.ts";
import type { CliCall, CliCommand, CliRow } from "./row.ts";

/** opencode with OpenRouter's models, or with those of a server that speaks chat completions and answers for a key as it does; written and tested against 1.18.33. */
export const opencode: CliRow = {
  family: "cli",
  name: "opencode",
  executor: null,
  models: openrouter.models,
  modelSetting: "OPENROUTER_MODEL",
  capabilities: { edits: true, runs_commands: true, where: "machine", paid: true },
  prefers: ["impl", "test"],
  verified: "1.18.33",
  binary: {
    setting: "OPENCODE_BIN",
    fallback: "opencode",
    install: "npm install -g opencode-ai@1.18.33",
    tellsVersion: true,
  },
  credentials: ["OPENROUTER_API_KEY"],
  server: {
    ...openrouter.baseUrl,
    fallback: "https://openrouter.ai/api/v1",
    // Its list of models is public.
    question: (key) => ({ path: "/key", headers: { authorization: `Bearer ${key}` } }),
  },
  modelSilenceMs: 90_000,
  // An event is a whole message, so a long answer is silent here; the stream itself is watched by modelSilenceMs.
  stallMs: 600_000,
  // All that it reads and writes of its own lies below HOME: no XDG variable of the host's gets through.
  atHome: (home) => ({ HOME: home }),
  command,
  parser: opencodeParser,
};

/** Where it looks for its configuration, plugins and packages, from its home on. */
const CONFIG = ".config/opencode";

/** The longest answer, in tokens. */
const OUTPUT = 32_000;

function command(call: CliCall): CliCommand {
  const known = openrouter.models.find((model) => model.name === call.model) ?? openrouter.models.at(-1);
  const config = {
    // Without this it writes the file anew.
    $schema: "https://opencode.ai/config.json",
    enabled_providers: ["coherence"],
    provider: {
      coherence: {
        npm: "@ai-sdk/openai-compatible",
        options: {
          baseURL: call.baseUrl,
          // By a file: what is in its environment its commands see, whatever it is told (measured).
          apiKey: "{file:./key}",
          headerTimeout: call.modelSilenceMs,
          chunkTimeout: call.modelSilenceMs,
        },
        models: { [call.model]: { limit: { context: known?.context_window, output: OUTPUT } } },
      },
    },
    permission: {
      // Of several patterns that fit, the last counts.
      bash: { "*": "deny", ...Object.fromEntries(COMMANDS.map((start) => [`${start} *`, "allow"])) },
      // Nobody is there to ask; and what a second agent of its takes is not among its events.
      ...{
        external_directory: "deny",
        webfetch: "deny",
        websearch: "deny",
        question: "deny",
        task: "deny",
        skill: "deny",
      },
    },
    ...{ autoupdate: false, share: "disabled", snapshot: false, lsp: false, formatter: false },
  };
  return {
    // A title, or it asks the model for one; the prompt comes by standard input: an argument is limited to 128 KiB.
    args: ["run", "--format", "json", "--title", "coherence", "-m", `coherence/${call.model}`],
    env: {
      // Settings and plugins of the tree are others' words.
      OPENCODE_DISABLE_PROJECT_CONFIG: "1",
      OPENCODE_DISABLE_CLAUDE_CODE: "1",
      OPENCODE_DISABLE_EXTERNAL_SKILLS: "1",
      OPENCODE_DISABLE_MODELS_FETCH: "1",
      OPENCODE_DISABLE_LSP_DOWNLOAD: "1",
    },
    input: call.prompt,
    files: {
      [`${CONFIG}/opencode.json`]: JSON.stringify(config),
      [`${CONFIG}/key`]: call.key,
      [`${CONFIG}/plugin/coherence.js`]: opencodePlugin(call.baseUrl),
      // As installed: otherwise it fetches its plugins' types from npm's registry at each start (measured).
      [`${CONFIG}/node_modules/.installed`]: "",
      [`${CONFIG}/package-lock.json`]: `{"packages":{"":{"dependencies":{"@opencode-ai/plugin":"*"}}}}`,
    },
  };
}
