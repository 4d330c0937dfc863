import { beforeEach, describe, expect, it } from "vitest";
import * as Clock from "../../core/ground/clock.ts";
import * as Store from "../../core/ground/store/index.ts";
import { Keys } from "../../core/ground/store/index.ts";
import * as Monitor from "../../core/watch/monitor/index.ts";
import * as Telemetry from "../../core/work/telemetry/index.ts";
import { testDeps, type TestDeps } from "../support/deps.ts";
import { leave, plantIssue, resolve } from "./monitor-helpers.ts";

const NOON = Date.UTC(2026, 4, 20, 12);
const MINUTE = 60_000;
const DAY = 86_400_000;
let clock: Clock.VirtualClock;
let deps: TestDeps;
beforeEach(async () => {
  clock = Clock.virtual(NOON);
  deps = await testDeps({ clock });
});
const ping = (ok = true) => Telemetry.ping(deps, "monitor", { ok, ms: 1, detail: "" });

describe("freshness", () => {
  it("is never, fresh, missed or failing by the monitor's own pings, although nothing runs", async () => {
    await Telemetry.ping(deps, "reaper", { ok: true, ms: 1, detail: "" });
    expect(await Monitor.freshness(deps)).toEqual({ state: "never", last_check: null });
    await ping();
    expect(await Monitor.freshness(deps)).toEqual({ state: "fresh", last_check: NOON });
    await clock.advance(5 * MINUTE);
    expect(await Monitor.freshness(deps)).toEqual({ state: "fresh", last_check: NOON });
    await clock.advance(1);
    expect(await Monitor.freshness(deps)).toEqual({ state: "missed", last_check: NOON });
    await ping(false);
    expect(await Monitor.freshness(deps)).toEqual({ state: "failing", last_check: NOON });
  });
});

describe("open issues", () => {
  it("are those that fire, are known or came back, the most pressing first, then the oldest", async () => {
    await plantIssue(deps, { condition: "low", severity: "low", state: "firing" });
    await plantIssue(deps, { condition: "young", severity: "high", state: "acked", first_seen: NOON - 1 });
    await plantIssue(deps, { condition: "old", severity: "high", state: "regressed", first_seen: NOON - 2 });
    for (const state of ["pending", "silenced", "resolved"] as const)
      await plantIssue(deps, { condition: state, severity: "high", state });
    const { issues, total } = await Monitor.open(deps);
    expect(issues.map(({ condition }) => condition)).toEqual(["old", "young", "low"]);
    expect(total).toBe(3);
  });

  it("one that the index still shows and the table does not is none; one that cannot be read counts", async () => {
    const fp = await plantIssue(deps, { condition: "gone", severity: "high", state: "firing" });
    await Store.write(deps.store, { kind: "update", key: Keys.issue(fp), set: { state: "resolved" } });
    const bad = await plantIssue(deps, { condition: "bad", severity: "high", state: "firing" });
    await Store.write(deps.store, { kind: "update", key: Keys.issue(bad), set: { severity: "catastrophic" } });
    await plantIssue(deps, { condition: "good", severity: "medium", state: "firing" });
    const { issues, total } = await Monitor.open(deps);
    expect([issues.map(({ condition }) => condition), total]).toEqual([["good"], 2]);
  });

  it("resolutions are counted over their time, across months, healed ones apart", async () => {
    await clock.advance(13 * DAY);
    const now = clock.now();
    expect(Clock.month(now)).not.toBe(Clock.month(now - 5 * DAY));
    await resolve(deps, "a", now - 8 * DAY, true);
    await resolve(deps, "b", now - 5 * DAY, true);
    await resolve(deps, "c", now - 5 * DAY, false);
    await resolve(deps, "c", now - 1, false);
    expect(await Monitor.resolvedSince(deps, now - 7 * DAY)).toEqual({ total: 3, healed: 1 });
    expect(await Monitor.resolvedSince(deps, now - 8 * DAY)).toEqual({ total: 4, healed: 2 });
  });
});

describe("monitor-issues", () => {
  it("is exactly nothing while no monitor ever ran, whatever lies in the table", async () => {
    await plantIssue(deps, { condition: "x", severity: "high", state: "firing" });
    expect(await Monitor.issues(deps)).toEqual({ issues: [], last_check: null });
  });

  it("shows what the last check left, and goes on showing it when the monitor dies", async () => {
    await ping();
    await plantIssue(deps, { condition: "stuck", severity: "medium", state: "firing", heal_task_id: "task_1" });
    const check = {
      history: [{ at: "2026-05-20T12:00:00Z", condition: "stuck", severity: "medium" }],
      resolved_since_last: ["low_success_rate"],
    };
    await leave(deps, "check", check);
    await clock.advance(DAY);
    const answer = await Monitor.issues(deps);
    expect(Monitor.MonitorIssues.parse(answer)).toEqual(answer);
    expect(answer).toEqual({
      issues: [
        {
          id: "i-stuck",
          condition: "stuck",
          severity: "medium",
          priority: 2,
          message: "stuck is so",
          suggested_action: "Look at it.",
          created_at: "2026-05-20T12:00:00.000Z",
          resolved_at: null,
          heal_task_id: "task_1",
        },
      ],
      last_check: "2026-05-20T12:00:00.000Z",
      ...check,
    });
  });

  it("FAILURES 34: what a check left and nobody can read costs no more than that", async () => {
    await ping(false);
    await plantIssue(deps, { condition: "x", severity: "high", state: "firing" });
    for (const json of ["{", "[]", '{"history":7}', undefined]) {
      await Store.write(deps.store, { kind: "put", item: { ...Keys.monitor("check"), json } });
      expect(await Monitor.issues(deps)).toMatchObject({
        issues: [{ condition: "x" }],
        last_check: null,
        history: [],
        resolved_since_last: [],
      });
    }
  });
});

describe("status-report", () => {
  const unknown = { status: "unknown", summary: "" };
  const MISSING = {
    generated_at: null,
    overall: { status: "unknown", going_well: [], needs_attention: [] },
    layer_0_goal: { status: "unknown", summary: "Report not yet generated by monitor" },
    layer_1_orchestration: unknown,
    layer_2_execution: unknown,
    layer_3_attention: unknown,
  };
  const WRITTEN = {
    generated_at: "2026-05-20T12:00:00Z",
    overall: { status: "needs_attention", going_well: ["api_and_metrics"], needs_attention: ["stuck"] },
    layer_0_goal: { status: "needs_attention", goal_proximity: 0.5, summary: "3 tasks (7d), 100% success" },
    layer_1_orchestration: {
      status: "ok",
      project_manager: "running",
      pm_in_flight: 1,
      agent_runner: "running",
      runner_workers: 5,
      pm_parallel: true,
      summary: "",
    },
    layer_2_execution: { status: "ok", api: "ok", metrics: "ok", summary: "" },
    layer_3_attention: {
      status: "needs_attention",
      issues_count: 1,
      resolved_since_last: [],
      issues: [{ priority: 1, condition: "stuck", severity: "high", message: "it is" }],
      summary: "1 issue",
    },
  };

  it("is exactly the missing one while there is none", async () => {
    expect(await Monitor.report(deps)).toEqual(MISSING);
  });

  it("is what the monitor wrote, unchanged", async () => {
    await leave(deps, "report", WRITTEN);
    expect(await Monitor.report(deps)).toEqual(WRITTEN);
    expect(Monitor.StatusReport.parse(WRITTEN)).toEqual(WRITTEN);
  });

  it("FAILURES 34: one that cannot be read says so", async () => {
    for (const bad of ["{", '{"generated_at":1}', JSON.stringify({ ...WRITTEN, overall: 3 })]) {
      await Store.write(deps.store, { kind: "put", item: { ...Keys.monitor("report"), json: bad } });
      const answer = await Monitor.report(deps);
      expect(answer).toEqual({ ...MISSING, error: "Could not read report" });
      expect(Monitor.StatusReport.parse(answer)).toEqual(answer);
    }
  });
});

it("fatal-issues is false until something fatal is left, and when that cannot be read", async () => {
  expect(await Monitor.fatal(deps)).toEqual({ fatal: false });
  await Store.write(deps.store, { kind: "put", item: { ...Keys.monitor("fatal"), json: "{" } });
  expect(await Monitor.fatal(deps)).toEqual({ fatal: false });
  const left = { at: "2026-05-20T12:00:00Z", reason: "api_start_failed", detail: "port", recovery_attempted: true };
  await leave(deps, "fatal", left);
  expect(await Monitor.fatal(deps)).toEqual({ fatal: true, ...left });
});
