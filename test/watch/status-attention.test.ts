import { describe, expect, it } from "vitest";
import { attention, type Finished, type Snapshot } from "../../core/watch/status/attention.ts";

// FAILURES 40: three of these could never fire. Each is seen to fire and not to fire.
const NOW = 1_700_000_000_000;
const MINUTE = 60_000;
const thresholds = { stuckMs: 10 * MINUTE, consecutiveFailures: 3, minTasks: 10, successRateMin: 0.8 };
const calm: Snapshot = { dueSince: null, lastActivity: null, finished: [], ended: null };
const flags = (snapshot: Partial<Snapshot>, more: Partial<typeof thresholds> = {}) =>
  attention({ ...calm, ...snapshot }, { ...thresholds, ...more }, NOW).flags;
const done = (status: Finished["status"], task_type = "impl", output_len = 9): Finished => ({
  task_type,
  status,
  output_len,
});

it("has no flag up when nothing ever happened", () => {
  expect(attention(calm, thresholds, NOW)).toEqual({
    stuck: false,
    repeated_failures: false,
    output_empty: false,
    executor_fail: false,
    low_success_rate: false,
    flags: [],
  });
});

describe("stuck", () => {
  const old = NOW - 11 * MINUTE;
  it("fires when a task is due for over ten minutes and nothing has moved for as long", () => {
    expect(flags({ dueSince: old, lastActivity: old })).toEqual(["stuck"]);
    expect(flags({ dueSince: old, lastActivity: null })).toEqual(["stuck"]);
  });
  it("does not while something moves, nothing is due, or the wait is short", () => {
    expect(flags({ dueSince: old, lastActivity: NOW - 9 * MINUTE })).toEqual([]);
    expect(flags({ dueSince: null, lastActivity: old })).toEqual([]);
    expect(flags({ dueSince: NOW - 10 * MINUTE, lastActivity: null })).toEqual([]);
    expect(flags({ dueSince: old, lastActivity: old }, { stuckMs: 12 * MINUTE })).toEqual([]);
  });
});

describe("repeated_failures", () => {
  it("fires when the last three overall failed, or of one type", () => {
    expect(flags({ finished: [done("failed"), done("failed", "spec"), done("failed", "test")] })).toEqual([
      "repeated_failures",
    ]);
    const mixed = [
      done("failed"),
      done("completed", "spec"),
      done("failed"),
      done("completed", "spec"),
      done("failed"),
    ];
    expect(flags({ finished: mixed })).toEqual(["repeated_failures"]);
  });
  it("does not with fewer, or a success among them", () => {
    expect(flags({ finished: [done("failed"), done("failed")] })).toEqual([]);
    expect(flags({ finished: [done("failed"), done("completed"), done("failed"), done("failed")] })).toEqual([]);
    const three = [done("failed"), done("failed"), done("failed"), done("completed")];
    expect(flags({ finished: three }, { consecutiveFailures: 4 })).toEqual([]);
  });
});

describe("output_empty and executor_fail", () => {
  it("fire for an empty output among the last five", () => {
    const four = Array.from({ length: 4 }, () => done("completed"));
    expect(flags({ finished: [...four, done("completed", "impl", 0)] })).toEqual(["output_empty"]);
    expect(flags({ finished: [...four, done("failed", "impl", 0)] })).toEqual(["executor_fail"]);
  });
  it("do not for one further back, or with an output", () => {
    const five = Array.from({ length: 5 }, () => done("completed"));
    expect(flags({ finished: [...five, done("completed", "impl", 0), done("failed", "impl", 0)] })).toEqual([]);
    expect(flags({ finished: [done("failed", "impl", 1)] })).toEqual([]);
  });
});

describe("low_success_rate", () => {
  it("fires below the rate once there are enough tasks", () => {
    expect(flags({ ended: { completed: 7, total: 10 } })).toEqual(["low_success_rate"]);
  });
  it("does not with few tasks, at the rate, or when metrics could not be read", () => {
    expect(flags({ ended: { completed: 0, total: 9 } })).toEqual([]);
    expect(flags({ ended: { completed: 8, total: 10 } })).toEqual([]);
    expect(flags({ ended: { completed: 7, total: 10 } }, { successRateMin: 0.5 })).toEqual([]);
    expect(flags({ ended: null })).toEqual([]);
  });
});

it("names flags in the contract's order", () => {
  const failed = Array.from({ length: 3 }, () => done("failed", "impl", 0));
  const all = flags({
    dueSince: 0,
    finished: [...failed, done("completed", "spec", 0)],
    ended: { completed: 1, total: 10 },
  });
  expect(all).toEqual(["stuck", "repeated_failures", "output_empty", "executor_fail", "low_success_rate"]);
});
