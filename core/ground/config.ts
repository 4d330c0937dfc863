import * as z from "zod";
import { fail } from "./errors.ts";

/** The settings; the only place that reads the environment. Names are the contract's where the setting exists there. */
const number = (fallback: number, min: number, max: number) => z.coerce.number().min(min).max(max).default(fallback);
const whole = (fallback: number, min: number, max: number) =>
  z.coerce.number().int().min(min).max(max).default(fallback);
const flag = (fallback: boolean) =>
  z
    .string()
    .transform((text) => ["1", "true", "yes", "on", "y"].includes(text.trim().toLowerCase()))
    .default(fallback);
const text = z
  .string()
  .trim()
  .transform((value) => (value === "" ? undefined : value))
  .optional();

const model = (fallback: string) => z.string().trim().default(fallback);

const Environment = z.object({
  /** 0 takes a free port. */
  PORT: whole(8000, 0, 65535),
  COHERENCE_HOME: text,
  COHERENCE_SETUP_COMMAND: text,
  COHERENCE_TEST_COMMAND: text,
  COHERENCE_SUITE_TIMEOUT: whole(1800, 1, 86_400),
  COHERENCE_LOG_LEVEL: z.enum(["debug", "info", "warn", "error", "silent"]).default("info"),
  COHERENCE_SCENARIO: text,
  DYNAMODB_ENDPOINT: text,
  DYNOXIDE_BIN: text,
  XDG_STATE_HOME: text,
  HOME: text,
  ALLOWED_ORIGINS: text,
  AGENT_RUNNER_WORKERS: whole(5, 1, 64),
  AGENT_TASK_TIMEOUT: whole(3600, 30, 86_400),
  AGENT_AUTO_EXECUTE: flag(true),
  AGENT_ALLOW_PAID_PROVIDERS: flag(false),
  AGENT_TASK_MAX_COST_USD: number(0, 0, 1_000_000),
  AGENT_TASK_ESTIMATED_COST_USD: number(0, 0, 1_000_000),
  AGENT_TASK_COST_SLACK_RATIO: number(1.25, 1, 100),
  PIPELINE_ITEM_MAX_COST_USD: number(0, 0, 1_000_000),
  PIPELINE_DAY_MAX_COST_USD: number(0, 0, 1_000_000),
  /** Unset: no limit. */
  PAID_TOOL_8H_LIMIT: z.coerce.number().int().min(1).optional(),
  PAID_TOOL_WEEK_LIMIT: z.coerce.number().int().min(1).optional(),
  PAID_TOOL_WINDOW_BUDGET_FRACTION: z.coerce
    .number()
    .gt(0)
    .max(1)
    .default(1 / 3),
  AGENT_OBSERVATION_WINDOW_SEC: whole(900, 30, 604_800),
  AGENT_EXECUTE_TOKEN: text,
  AGENT_EXECUTE_TOKEN_ALLOW_UNAUTH: flag(false),
  AGENT_EXECUTORS_AVAILABLE: z.string().default("claude,cursor,openclaw"),
  AGENT_EXECUTOR_POLICY_ENABLED: flag(true),
  AGENT_EXECUTOR_DEFAULT: text,
  AGENT_EXECUTOR_CHEAP_DEFAULT: text,
  AGENT_EXECUTOR_REPO_DEFAULT: text,
  AGENT_EXECUTOR_OPEN_QUESTION_DEFAULT: text,
  AGENT_EXECUTOR_ESCALATE_TO: text,
  AGENT_EXECUTOR_ESCALATE_FAILURE_THRESHOLD: whole(1, 1, 1000),
  AGENT_EXECUTOR_ESCALATE_RETRY_THRESHOLD: whole(2, 1, 1000),
  AGENT_HOLD_PATTERN_SCORE_THRESHOLD: number(0.8, 0, 1),
  AGENT_MODEL_ALIAS_MAP: z.string().default(""),
  OLLAMA_MODEL: model("openrouter/free"),
  OLLAMA_CLOUD_MODEL: model("openrouter/free"),
  CLAUDE_FALLBACK_MODEL: model("openrouter/free"),
  CURSOR_CLI_MODEL: model("openrouter/free"),
  CURSOR_CLI_REVIEW_MODEL: model("openrouter/free"),
  OPENCLAW_MODEL: model("gpt-5-codex"),
  OPENCLAW_REVIEW_MODEL: text,
  OPENCLAW_COMMAND_TEMPLATE: z
    .string()
    .refine(placeStandsAlone, "{{direction}} stands bare or alone in quotes of its own")
    .default(
      'codex exec "{{direction}}" --model {{model}} --reasoning-effort high --worktree --skip-git-repo-check --json',
    ),
  /** On unless it is one of the contract's three words. */
  RUNTIME_TELEMETRY_ENABLED: z
    .string()
    .transform((word) => !["0", "false", "False"].includes(word.trim()))
    .default(true),
  RUNTIME_COST_PER_SECOND: number(0.002, 0, 1000),
  PIPELINE_META_BACKLOG: text,
  PIPELINE_META_RATIO: number(0.2, 0, 1),
  PIPELINE_NEEDS_DECISION_TIMEOUT_HOURS: number(0, 0, 8760),
  PIPELINE_ATTENTION_STUCK_MINUTES: number(10, 1, 1440),
  PIPELINE_ATTENTION_CONSECUTIVE_FAILURES: whole(3, 1, 50),
  PIPELINE_ATTENTION_MIN_TASKS: whole(10, 1, 1000),
  PIPELINE_ATTENTION_SUCCESS_RATE_MIN: number(0.8, 0, 1),
});

export type Environment = z.infer<typeof Environment>;

export type Config = {
  port: number;
  home: string | undefined;
  stateHome: string | undefined;
  userHome: string | undefined;
  setupCommand: string | undefined;
  testCommand: string | undefined;
  /** How long a suite, and each command of a set-up, may take. */
  suiteTimeoutMs: number;
  logLevel: "debug" | "info" | "warn" | "error" | "silent";
  scenario: string | undefined;
  dynamodbEndpoint: string | undefined;
  dynoxideBin: string | undefined;
  allowedOrigins: readonly string[];
  /** Places of items and slots of attempts. */
  workers: number;
  taskTimeoutMs: number;
  /** Whether the pipeline dispatches what is posted. */
  autoExecute: boolean;
  allowPaid: boolean;
  /** What may be spent, in US dollars (0: no bound), and how many paid runs a window takes. */
  cost: {
    taskMax: number;
    taskEstimate: number;
    /** An estimate may be exceeded so many times. */
    slack: number;
    itemMax: number;
    dayMax: number;
    paid8h: number | undefined;
    paidWeek: number | undefined;
    /** The share of a window's limit that the pipeline may use. */
    fraction: number;
  };
  observationWindowSec: number;
  /** Who may call the execute endpoints (contract 1.2); never shown. */
  execute: { token: string | undefined; allowUnauthenticated: boolean };
  /** A failed task whose context has a hold-pattern score from this on is asked about rather than tried again. */
  holdPatternScore: number;
  /** The contract's executors (3.1, 3.3): names as they were given. */
  executor: {
    policyEnabled: boolean;
    /** Which can be had; an AWS host has no PATH to look at. */
    available: readonly string[];
    default: string | undefined;
    cheapDefault: string | undefined;
    repoDefault: string | undefined;
    openDefault: string | undefined;
    escalateTo: string | undefined;
    escalateFailures: number;
    escalateRetries: number;
    models: {
      claudeSpec: string;
      claude: string;
      claudeReview: string;
      cursor: string;
      cursorReview: string;
      openclaw: string;
      openclawReview: string;
    };
    openclawTemplate: string;
    /** What a model is called today, by the name it may still be asked for. */
    aliases: Readonly<Record<string, string>>;
  };
  /** Whether answered requests are counted, and what a second of serving is taken to cost, in US dollars. */
  runtime: { telemetry: boolean; costPerSecond: number };
  metaBacklog: string | undefined;
  metaRatio: number;
  /** 0: a question without a default waits for a person for ever. */
  decisionTimeoutMs: number;
  attention: { stuckMs: number; consecutiveFailures: number; minTasks: number; successRateMin: number };
  /** The host's own environment, for children that need part of it; never logged. */
  environment: Readonly<Record<string, string | undefined>>;
};

/** Reads the settings; throws `config.invalid` naming the variable. An empty variable counts as not set. */
export function read(env: Readonly<Record<string, string | undefined>> = process.env): Config {
  const given = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value.trim() !== ""),
  );
  const parsed = Environment.safeParse(given);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const name = issue?.path.join(".") ?? "";
    throw fail("config.invalid", `${name}: ${issue?.message ?? "invalid"}`, {
      remedy: `Set ${name} to a value in its range, or unset it.`,
    });
  }
  const e = parsed.data;
  return {
    port: e.PORT,
    home: e.COHERENCE_HOME,
    stateHome: e.XDG_STATE_HOME,
    userHome: e.HOME,
    setupCommand: e.COHERENCE_SETUP_COMMAND,
    testCommand: e.COHERENCE_TEST_COMMAND,
    suiteTimeoutMs: e.COHERENCE_SUITE_TIMEOUT * 1000,
    logLevel: e.COHERENCE_LOG_LEVEL,
    scenario: e.COHERENCE_SCENARIO,
    dynamodbEndpoint: e.DYNAMODB_ENDPOINT,
    dynoxideBin: e.DYNOXIDE_BIN,
    allowedOrigins: list(e.ALLOWED_ORIGINS ?? ""),
    workers: e.AGENT_RUNNER_WORKERS,
    taskTimeoutMs: e.AGENT_TASK_TIMEOUT * 1000,
    autoExecute: e.AGENT_AUTO_EXECUTE,
    allowPaid: e.AGENT_ALLOW_PAID_PROVIDERS,
    cost: {
      taskMax: e.AGENT_TASK_MAX_COST_USD,
      taskEstimate: e.AGENT_TASK_ESTIMATED_COST_USD,
      slack: e.AGENT_TASK_COST_SLACK_RATIO,
      itemMax: e.PIPELINE_ITEM_MAX_COST_USD,
      dayMax: e.PIPELINE_DAY_MAX_COST_USD,
      paid8h: e.PAID_TOOL_8H_LIMIT,
      paidWeek: e.PAID_TOOL_WEEK_LIMIT,
      fraction: e.PAID_TOOL_WINDOW_BUDGET_FRACTION,
    },
    observationWindowSec: e.AGENT_OBSERVATION_WINDOW_SEC,
    execute: { token: e.AGENT_EXECUTE_TOKEN, allowUnauthenticated: e.AGENT_EXECUTE_TOKEN_ALLOW_UNAUTH },
    holdPatternScore: e.AGENT_HOLD_PATTERN_SCORE_THRESHOLD,
    executor: {
      policyEnabled: e.AGENT_EXECUTOR_POLICY_ENABLED,
      available: list(e.AGENT_EXECUTORS_AVAILABLE),
      default: e.AGENT_EXECUTOR_DEFAULT,
      cheapDefault: e.AGENT_EXECUTOR_CHEAP_DEFAULT,
      repoDefault: e.AGENT_EXECUTOR_REPO_DEFAULT,
      openDefault: e.AGENT_EXECUTOR_OPEN_QUESTION_DEFAULT,
      escalateTo: e.AGENT_EXECUTOR_ESCALATE_TO,
      escalateFailures: e.AGENT_EXECUTOR_ESCALATE_FAILURE_THRESHOLD,
      escalateRetries: e.AGENT_EXECUTOR_ESCALATE_RETRY_THRESHOLD,
      models: {
        claudeSpec: e.OLLAMA_MODEL,
        claude: e.OLLAMA_CLOUD_MODEL,
        claudeReview: e.CLAUDE_FALLBACK_MODEL,
        cursor: e.CURSOR_CLI_MODEL,
        cursorReview: e.CURSOR_CLI_REVIEW_MODEL,
        openclaw: e.OPENCLAW_MODEL,
        openclawReview: e.OPENCLAW_REVIEW_MODEL ?? e.OPENCLAW_MODEL,
      },
      openclawTemplate: e.OPENCLAW_COMMAND_TEMPLATE,
      aliases: { ...MODEL_ALIASES, ...Object.fromEntries(list(e.AGENT_MODEL_ALIAS_MAP).map(pair)) },
    },
    runtime: { telemetry: e.RUNTIME_TELEMETRY_ENABLED, costPerSecond: e.RUNTIME_COST_PER_SECOND },
    metaBacklog: e.PIPELINE_META_BACKLOG,
    metaRatio: e.PIPELINE_META_RATIO,
    decisionTimeoutMs: e.PIPELINE_NEEDS_DECISION_TIMEOUT_HOURS * 3_600_000,
    attention: {
      stuckMs: e.PIPELINE_ATTENTION_STUCK_MINUTES * 60_000,
      consecutiveFailures: e.PIPELINE_ATTENTION_CONSECUTIVE_FAILURES,
      minTasks: e.PIPELINE_ATTENTION_MIN_TASKS,
      successRateMin: e.PIPELINE_ATTENTION_SUCCESS_RATE_MIN,
    },
    environment: env,
  };
}

/** Names under which a model is still asked for (contract 3.1). */
const MODEL_ALIASES = {
  "gpt-5.3-codex-spark": "gpt-5.3-codex",
  "gtp-5.3-codex-spark": "gpt-5.3-codex",
  "gtp-5.3-codex": "gpt-5.3-codex",
};

/** The words between commas. */
function list(text: string): string[] {
  return text
    .split(",")
    .map((word) => word.trim())
    .filter(Boolean);
}

/** `from:to`; what follows the first colon belongs to the model. */
function pair(text: string): [string, string] {
  const at = text.indexOf(":");
  return at < 0 ? [text, text] : [text.slice(0, at).trim(), text.slice(at + 1).trim()];
}

/** Whether a command template leaves its place to us: within other quotes a shell that the template starts would read the prompt. */
function placeStandsAlone(template: string): boolean {
  const rest = template.replaceAll(/(["']?)\{\{direction\}\}\1/g, "");
  const quotes = template.split(/["']?\{\{direction\}\}/)[0] ?? "";
  const open = (quote: string) => quotes.split(quote).length % 2 === 0;
  return !rest.includes("{{direction}}") && !open('"') && !open("'") && !quotes.endsWith("$");
}
