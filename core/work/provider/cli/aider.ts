import type { Failure, FailureClass } from "../../task/index.ts";
import { openai } from "../api/openai.ts";
import { oneLine } from "../classify.ts";
import { plainParser } from "./plain.ts";
import { listModels, type CliCall, type CliCommand, type CliRow, type Parser } from "./row.ts";

/**
 * aider with OpenAI's models, or those of any server that speaks chat completions, by its documentation
 * (https://aider.chat/docs/config/options.html). It is a Python program without structured output, so that nobody here has run it:
 * its exit code and what it leaves in the tree are what counts.
 */
export const aider: CliRow = {
  family: "cli",
  name: "aider",
  executor: null,
  models: openai.models,
  modelSetting: "AIDER_MODEL",
  capabilities: { edits: true, runs_commands: false, where: "machine", paid: true },
  prefers: [],
  verified: null,
  binary: { setting: "AIDER_BIN", fallback: "aider", install: "https://aider.chat", tellsVersion: true },
  credentials: ["OPENAI_API_KEY"],
  server: { setting: "OPENAI_BASE_URL", fallback: "https://api.openai.com/v1", question: listModels },
  modelSilenceMs: 90_000,
  stallMs: 600_000,
  atHome: (home) => ({ HOME: home }),
  command,
  parser: aiderParser,
};

const PROMPT = "prompt.md";
const SETTINGS = "settings.yml";

function command(call: CliCall): CliCommand {
  return {
    args: [
      ...["--message-file", `${call.home}/${PROMPT}`, "--model", `openai/${call.model}`],
      // Commits are the pipeline's, and so are tests; it runs no command.
      ...["--yes-always", "--no-auto-commits", "--no-dirty-commits", "--no-auto-lint", "--no-auto-test"],
      ...["--no-suggest-shell-commands", "--no-detect-urls", "--no-gitignore", "--no-check-update"],
      ...["--analytics-disable", "--no-show-model-warnings", "--no-show-release-notes"],
      ...["--no-pretty", "--no-fancy-input", "--no-stream", "--timeout", String(call.modelSilenceMs / 1000)],
      ...["--config", `${call.home}/${SETTINGS}`, "--env-file", `${call.home}/${SETTINGS}`],
      ...["--input-history-file", `${call.home}/input`, "--chat-history-file", `${call.home}/chat.md`],
    ],
    env: { OPENAI_API_KEY: call.key, OPENAI_API_BASE: call.baseUrl },
    input: "",
    files: { [PROMPT]: call.prompt, [SETTINGS]: "" },
  };
}

/** Names of its library's errors, with which the line of an error begins. */
const ERRORS: Readonly<Record<string, FailureClass>> = {
  RateLimitError: "rate_limit",
  AuthenticationError: "auth",
  PermissionDeniedError: "payment",
  NotFoundError: "model_not_found",
  BadRequestError: "bad_request",
  ContextWindowExceededError: "context_length",
  ContentPolicyViolationError: "content_filter",
  InternalServerError: "overloaded",
  ServiceUnavailableError: "overloaded",
  BadGatewayError: "overloaded",
  APIConnectionError: "network",
  Timeout: "stalled",
};

/** Reads aider's text. It waits and asks again by itself for a minute: the first time that it says so ends it. */
export function aiderParser(): Parser {
  const plain = plainParser();
  let failure: Failure | null = null;
  return {
    line(text) {
      const name = /^litellm\.(\w+):/.exec(text)?.[1];
      const known = name === undefined ? undefined : ERRORS[name];
      if (known) failure = { class: known, message: oneLine(text) };
      if (failure && /^Retrying in [\d.]+ seconds/.test(text)) return { kind: "fatal", failure };
      return plain.line(text);
    },
    end: (exit) => ({ ...plain.end(exit), completed: failure === null, failure }),
  };
}
