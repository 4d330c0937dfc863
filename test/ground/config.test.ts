import { describe, expect, it } from "vitest";
import * as Config from "../../core/ground/config.ts";
import { CoherenceError } from "../../core/ground/errors.ts";

/** What reading `env` throws. */
function refusal(env: Record<string, string>): CoherenceError {
  try {
    Config.read(env);
  } catch (error) {
    if (error instanceof CoherenceError) return error;
    throw error;
  }
  throw new Error("it was accepted");
}

describe("settings", () => {
  it("have the documented defaults", () => {
    expect(Config.read({})).toMatchObject({
      port: 8000,
      home: undefined,
      workers: 5,
      taskTimeoutMs: 3_600_000,
      suiteTimeoutMs: 1_800_000,
      autoExecute: true,
      allowPaid: false,
      observationWindowSec: 900,
      metaRatio: 0.2,
      runtime: { telemetry: true, costPerSecond: 0.002 },
      decisionTimeoutMs: 0,
      attention: { stuckMs: 600_000, consecutiveFailures: 3, minTasks: 10, successRateMin: 0.8 },
      allowedOrigins: [],
      logLevel: "info",
    });
  });

  it("are not set when they are empty or blank", () => {
    expect(
      Config.read({ PORT: "", COHERENCE_HOME: "  ", AGENT_RUNNER_WORKERS: " ", AGENT_AUTO_EXECUTE: "" }),
    ).toMatchObject({ port: 8000, home: undefined, workers: 5, autoExecute: true });
  });

  /** Each numeric setting with its bounds and how it is read. */
  const BOUNDS: [name: string, min: number, max: number, read: (config: Config.Config) => number][] = [
    ["PORT", 0, 65535, (c) => c.port],
    ["AGENT_RUNNER_WORKERS", 1, 64, (c) => c.workers],
    ["AGENT_TASK_TIMEOUT", 30, 86_400, (c) => c.taskTimeoutMs / 1000],
    ["COHERENCE_SUITE_TIMEOUT", 1, 86_400, (c) => c.suiteTimeoutMs / 1000],
    ["AGENT_OBSERVATION_WINDOW_SEC", 30, 604_800, (c) => c.observationWindowSec],
    ["RUNTIME_COST_PER_SECOND", 0, 1000, (c) => c.runtime.costPerSecond],
    ["PIPELINE_META_RATIO", 0, 1, (c) => c.metaRatio],
    ["PIPELINE_NEEDS_DECISION_TIMEOUT_HOURS", 0, 8760, (c) => c.decisionTimeoutMs / 3_600_000],
    ["PIPELINE_ATTENTION_STUCK_MINUTES", 1, 1440, (c) => c.attention.stuckMs / 60_000],
    ["PIPELINE_ATTENTION_CONSECUTIVE_FAILURES", 1, 50, (c) => c.attention.consecutiveFailures],
    ["PIPELINE_ATTENTION_MIN_TASKS", 1, 1000, (c) => c.attention.minTasks],
    ["PIPELINE_ATTENTION_SUCCESS_RATE_MIN", 0, 1, (c) => c.attention.successRateMin],
  ];

  it.each(BOUNDS)("%s takes %d to %d and names itself beyond", (name, min, max, read) => {
    expect(read(Config.read({ [name]: String(min) }))).toBe(min);
    expect(read(Config.read({ [name]: ` ${max} ` }))).toBe(max);
    for (const wrong of [String(min - 1), String(max + 1), "many", "NaN", "Infinity"]) {
      const error = refusal({ [name]: wrong });
      expect(error.code).toBe("config.invalid");
      expect(error.message.startsWith(`${name}: `)).toBe(true);
      expect(error.remedy).toContain(name);
    }
  });

  it.each(["PORT", "AGENT_RUNNER_WORKERS", "AGENT_TASK_TIMEOUT"])("%s is a whole number", (name) => {
    expect(refusal({ [name]: "40.5" }).message).toContain(name);
  });

  it("a log level is one of those there are", () => {
    expect(Config.read({ COHERENCE_LOG_LEVEL: "debug" }).logLevel).toBe("debug");
    expect(refusal({ COHERENCE_LOG_LEVEL: "loud" }).message).toContain("COHERENCE_LOG_LEVEL");
  });

  it.each([
    ["1", true],
    ["TRUE", true],
    [" yes ", true],
    ["on", true],
    ["0", false],
    ["false", false],
    ["no", false],
    ["off", false],
  ])("a switch reads %j as %s", (text, value) => {
    expect(Config.read({ AGENT_ALLOW_PAID_PROVIDERS: text, AGENT_AUTO_EXECUTE: text })).toMatchObject({
      allowPaid: value,
      autoExecute: value,
    });
  });

  it.each([
    ["0", false],
    ["false", false],
    [" False ", false],
    ["1", true],
    ["FALSE", true],
    ["no", true],
  ])("request telemetry reads %j as %s: only the contract's three words turn it off", (text, value) => {
    expect(Config.read({ RUNTIME_TELEMETRY_ENABLED: text }).runtime.telemetry).toBe(value);
  });

  it("origins are a list by commas", () => {
    expect(Config.read({ ALLOWED_ORIGINS: " https://a.example , ,https://b.example" }).allowedOrigins).toEqual([
      "https://a.example",
      "https://b.example",
    ]);
  });

  it("an error does not repeat the value: it may be a secret in the wrong place", () => {
    const { message, remedy } = refusal({ PORT: "sk-secret" });
    expect(`${message} ${remedy}`).not.toContain("sk-secret");
  });
});
