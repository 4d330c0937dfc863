import { describe, expect, it } from "vitest";
import * as Pipeline from "../../core/flow/pipeline/index.ts";
import * as Store from "../../core/ground/store/index.ts";
import { Keys } from "../../core/ground/store/index.ts";
import * as Effectiveness from "../../core/watch/effectiveness/index.ts";
import { planProgress } from "../../core/watch/effectiveness/plan.ts";
import type { Standing } from "../../core/work/backlog/index.ts";
import * as Metrics from "../../core/work/metrics/index.ts";
import * as Telemetry from "../../core/work/telemetry/index.ts";
import { attemptOnce, newTask, testPipeline, type TestPipeline } from "../support/pipeline.ts";
import { plantIssue, resolve } from "./monitor-helpers.ts";

const DAY = 86_400_000;
const ping = (deps: TestPipeline) => Telemetry.ping(deps, "monitor", { ok: true, ms: 1, detail: "" });

describe("goal proximity", () => {
  const { goalProximity } = Effectiveness;
  const best = { successRate: 1, tasksPerDay: 10, openIssues: 0, watched: true };
  it.each([
    [best, 1],
    [{ ...best, tasksPerDay: 1000 }, 1],
    [{ ...best, tasksPerDay: 0 }, 0.5],
    [{ ...best, successRate: 0.8, tasksPerDay: 0.6 }, 0.42],
    [{ ...best, openIssues: 1 }, 0.85],
    [{ ...best, openIssues: 6 }, 0.1],
    [{ ...best, openIssues: 7 }, 0],
    [{ ...best, openIssues: 700 }, 0],
    [{ ...best, successRate: 0 }, 0],
  ])("%j is %f", (seen, proximity) => {
    expect(goalProximity(seen)).toBe(proximity);
  });

  it("FAILURES 44: without a monitor that runs it is lower, as if issues were open", () => {
    expect(goalProximity({ ...best, watched: false })).toBe(0.7);
    for (let openIssues = 0; openIssues < 10; openIssues++) {
      const watched = goalProximity({ ...best, openIssues });
      expect(goalProximity({ ...best, openIssues, watched: false })).toBeLessThanOrEqual(watched);
    }
  });
});

describe("plan progress", () => {
  let rank = 0;
  const one = (
    phase_number: number | null,
    state: Standing["state"],
    kind: Standing["kind"] = "product",
  ): Standing => ({
    id: `i${rank}`,
    rank: rank++,
    kind,
    phase_number,
    state,
  });

  it("without a backlog is zero, and nothing waits to be worked on", () => {
    const none = { completed: 0, total: 0, pct: 0 };
    expect(planProgress(null, [])).toEqual({
      index: 0,
      total: 0,
      pct: 0,
      state_file: null,
      phase_6: none,
      phase_7: none,
      backlog_alignment: {
        phases_from_backlog: true,
        phase_6_7_status: "not_reached",
        phase_6_7_not_worked: false,
      },
    });
  });

  it("counts product items by the phase in their header, whatever their place", () => {
    const items = [
      one(7, "queued"),
      one(6, "done"),
      one(1, "done"),
      one(null, "impl"),
      one(6, "asking"),
      one(6, "abandoned"),
      one(7, "done", "meta"),
    ];
    expect(planProgress("b", items)).toMatchObject({
      index: 2,
      total: 6,
      pct: 33.3,
      state_file: "b",
      phase_6: { completed: 1, total: 3, pct: 33.3 },
      phase_7: { completed: 0, total: 1, pct: 0 },
    });
  });

  it.each([
    [[one(1, "impl"), one(6, "queued"), one(7, "queued")], "not_reached", true],
    [[one(1, "done"), one(2, "queued")], "not_reached", false],
    [[one(6, "spec"), one(7, "queued")], "in_progress", false],
    [[one(6, "done"), one(7, "queued")], "in_progress", false],
    [[one(6, "done"), one(7, "abandoned")], "in_progress", false],
    [[one(1, "queued"), one(6, "done"), one(7, "done")], "complete", false],
    [[one(7, "done")], "complete", false],
  ] as const)("%# stands as it should", (items, status, notWorked) => {
    expect(planProgress("b", items).backlog_alignment).toEqual({
      phases_from_backlog: true,
      phase_6_7_status: status,
      phase_6_7_not_worked: notWorked,
    });
  });
});

describe("effectiveness", () => {
  it("of an empty store is whole, and says that no monitor ever ran", async () => {
    const deps = await testPipeline();
    const empty = await Effectiveness.effectiveness(deps);
    expect(Effectiveness.Effectiveness.parse(empty)).toEqual(empty);
    expect(empty).toMatchObject({
      throughput: { completed_7d: 0, tasks_per_day: 0 },
      success_rate: 0,
      issues: { open: 0, resolved_7d: 0 },
      progress: { spec: 0, impl: 0, test: 0, review: 0, heal: 0 },
      goal_proximity: 0,
      heal_resolved_count: 0,
      top_issues_by_priority: [],
      plan_progress: { index: 0, total: 0, state_file: null },
      monitor: { state: "never", last_check: null },
    });
  });

  it("counts tasks, issues and items from the table", async () => {
    const deps = await testPipeline();
    for (let i = 0; i < 4; i++) await attemptOnce(deps, await newTask(deps, { task_type: i === 0 ? "heal" : "impl" }));
    const text = "## Phase 6: Late\n\n1. One {#one}\n2. Two {#two}\n\n## Phase 7: Later\n\n3. Three {#three}\n";
    await Pipeline.push(deps, { id: "older", kind: "product", text: "1. Something else\n" });
    await deps.clock.advance(1000);
    await Pipeline.push(deps, { id: "b", kind: "product", text });
    await Pipeline.push(deps, { id: "b", kind: "meta", text: "## Phase 6: Meta\n\n1. Meta\n" });
    await Store.write(deps.store, {
      kind: "update",
      key: Keys.item("b", "two"),
      set: { state: "done", ...Keys.byItemState("b", "done", 1, "two", 6) },
    });
    await ping(deps);
    for (const [i, severity] of (["low", "high", "medium", "high", "low", "medium"] as const).entries())
      await plantIssue(deps, { condition: `c${i}`, severity, state: "firing", message: `${"é".repeat(90)}` });
    await resolve(deps, "x", deps.clock.now() - DAY, true);
    await resolve(deps, "y", deps.clock.now() - DAY, false);

    const answer = await Effectiveness.effectiveness(deps);
    expect(Effectiveness.Effectiveness.parse(answer)).toEqual(answer);
    expect(answer).toMatchObject({
      throughput: { completed_7d: 4, tasks_per_day: 0.6 },
      success_rate: 1,
      issues: { open: 6, resolved_7d: 2 },
      progress: { spec: 0, impl: 3, test: 0, review: 0, heal: 1 },
      // 1 × 0.53 × 0.1
      goal_proximity: 0.05,
      heal_resolved_count: 1,
      plan_progress: {
        index: 1,
        total: 3,
        pct: 33.3,
        state_file: "b",
        phase_6: { completed: 1, total: 2, pct: 50 },
        phase_7: { completed: 0, total: 1, pct: 0 },
        backlog_alignment: { phase_6_7_status: "in_progress" },
      },
      monitor: { state: "fresh", last_check: "2026-05-20T12:00:01.000Z" },
    });
    expect(answer.top_issues_by_priority.map(({ condition }) => condition)).toEqual(["c1", "c3", "c2", "c5", "c0"]);
    expect(answer.top_issues_by_priority[0]?.message).toHaveLength(80);
  });

  it("FAILURES 44: a dead monitor is seen, and takes the goal away rather than nearer", async () => {
    const deps = await testPipeline();
    for (let i = 0; i < 70; i += 10)
      await Promise.all(Array.from({ length: 10 }, async () => attemptOnce(deps, await newTask(deps))));
    const seen = async () => {
      const { goal_proximity, monitor } = await Effectiveness.effectiveness(deps);
      return [monitor.state, goal_proximity];
    };
    expect(await seen()).toEqual(["never", 0.7]);
    await ping(deps);
    expect(await seen()).toEqual(["fresh", 1]);
    await deps.clock.advance(5 * 60_000 + 1);
    expect(await seen()).toEqual(["missed", 0.7]);
    await Telemetry.ping(deps, "monitor", { ok: false, ms: 1, detail: "" });
    expect(await seen()).toEqual(["failing", 0.7]);
  });

  it("FAILURES 34: metrics that cannot be read are zeros, the rest is there", async () => {
    const deps = await testPipeline();
    await attemptOnce(deps, await newTask(deps));
    await Pipeline.push(deps, { id: "b", kind: "product", text: "1. One\n" });
    await Store.write(deps.store, {
      kind: "put",
      item: { ...Keys.rollup(deps.clock.now()), json: "{", watermark: "x" },
    });
    expect(await Effectiveness.effectiveness(deps)).toMatchObject({
      throughput: { completed_7d: 0 },
      plan_progress: { total: 1 },
    });
  });

  it("costs the same at any number of tasks", async () => {
    const deps = await testPipeline();
    await attemptOnce(deps, await newTask(deps));
    const [record] = await Store.queryAll(deps.store, { pk: Keys.metricPartition(deps.clock.now()) });
    await Pipeline.push(deps, { id: "b", kind: "product", text: "1. One\n" });
    const cost = async () => {
      let [calls, units] = [0, 0];
      deps.store.onCapacity = (n) => ((units += n), calls++);
      await Effectiveness.effectiveness(deps);
      delete deps.store.onCapacity;
      return { calls, units };
    };
    const fill = async (count: number) => {
      const at = deps.clock.now();
      const put = (i: number) =>
        Store.write(deps.store, {
          kind: "put",
          item: { ...record, ...Keys.metric(at + i, `t${at}${i}`, 1), created_at: at + i },
        });
      for (let i = 0; i < count; i += 50) await Promise.all(Array.from({ length: 50 }, (_, k) => put(i + k)));
      await deps.clock.advance(120_000);
      while (!(await Metrics.fold(deps)).complete);
    };
    await fill(50);
    const few = await cost();
    await fill(1000);
    const many = await cost();
    expect(many.calls).toBe(few.calls);
    expect(many.calls).toBeLessThanOrEqual(24);
    expect(many.units).toBeLessThanOrEqual(few.units * 1.2 + 1);
  });
});
