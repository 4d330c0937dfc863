import { describe, expect, it } from "vitest";
import * as Store from "../../core/ground/store/index.ts";
import * as Metrics from "../../core/work/metrics/index.ts";
import { NO_USAGE } from "../../core/work/task/index.ts";
import { DAY, NOON, base, virtualDeps, write, foldAll } from "./metrics-support.ts";

describe("an answer", () => {
  it("is zeros and empty tables when nothing ever ran", async () => {
    const { deps } = await virtualDeps();
    const percentiles = { p50_seconds: 0, p95_seconds: 0 };
    expect(await Metrics.read(deps)).toEqual({
      success_rate: { completed: 0, failed: 0, total: 0, rate: 0 },
      execution_time: percentiles,
      queue_time: percentiles,
      by_task_type: {},
      by_model: {},
      by_executor: {},
      by_provider: {},
      by_prompt_variant: {},
      by_skill_version: {},
      usage: { tokens_in: 0, tokens_out: 0, cost_usd: 0, coverage: 0, cost_coverage: 0 },
      diagnostics: { failed: 0, missing: 0 },
    });
  });

  it("FAILURES 38: keys types as the contract names them, and stands up to any name a client gives", async () => {
    const { deps } = await virtualDeps();
    await write(deps, { ...base, model: "__proto__", prompt_variant: "constructor" });
    const answer = await Metrics.read(deps);
    expect(answer.by_task_type).toEqual({ impl: { count: 1, completed: 1, failed: 0, success_rate: 1 } });
    expect(Object.entries(answer.by_model)).toEqual([["__proto__", { count: 1, avg_duration: 10 }]]);
    expect(Object.keys(answer.by_prompt_variant)).toEqual(["constructor"]);
    expect(Metrics.MetricsAnswer.safeParse(answer).success).toBe(true);
  });

  it("says unknown where nobody said what was used, and how much of the rest it knows", async () => {
    const { deps } = await virtualDeps();
    await write(deps, { ...base, id: "a", usage: NO_USAGE });
    expect((await Metrics.read(deps)).usage).toEqual({
      tokens_in: null,
      tokens_out: null,
      cost_usd: null,
      coverage: 0,
      cost_coverage: 0,
    });
    await write(deps, { ...base, id: "b", usage: { ...NO_USAGE, tokens_in: 7, tokens_out: 3 } });
    const { usage, by_provider } = await Metrics.read(deps);
    expect(usage).toEqual({ tokens_in: 7, tokens_out: 3, cost_usd: null, coverage: 0.5, cost_coverage: 0 });
    expect(by_provider.codex).toMatchObject({ count: 2, tokens_in: 7, cost_usd: null });
  });

  it("FAILURES 32: keeps queue time apart, counts every attempt's time and each task's end once, and parks as nothing run", async () => {
    const { deps } = await virtualDeps();
    await write(deps, { ...base, id: "t", endedTask: null, class: "lost", run_ms: 30_000, queue_ms: 500_000 }, NOON);
    await write(
      deps,
      { ...base, id: "t", endedTask: null, class: "rate_limit", run_ms: null, queue_ms: null },
      NOON + 1,
    );
    await write(deps, { ...base, id: "t", endedTask: "failed", class: "unreported", run_ms: 30_000 }, NOON + 2);
    const answer = await Metrics.read(deps);
    expect(answer.success_rate).toEqual({ completed: 0, failed: 1, total: 1, rate: 0 });
    expect(answer.by_model).toEqual({ m1: { count: 2, avg_duration: 30 } });
    expect(answer.execution_time).toEqual({ p50_seconds: 30, p95_seconds: 30 });
    expect(answer.diagnostics).toEqual({ failed: 1, missing: 1 });
  });

  it("keeps a day's roll-up small whatever clients call their models", async () => {
    const { deps } = await virtualDeps();
    for (let i = 0; i < 80; i++)
      await write(deps, { ...base, id: `t${i}`, model: `${i}-${"x".repeat(300)}` }, NOON + i);
    const answer = await Metrics.read(deps);
    expect(answer.by_model["(other)"]).toMatchObject({ count: 30 });
    expect(answer.success_rate.completed).toBe(80);
  });
});

describe("a return from an end", () => {
  it("takes it out of the day it was counted on, and counts the next end once", async () => {
    const { deps, clock } = await virtualDeps();
    await write(deps, { ...base, id: "t", endedTask: "failed", class: null, prompt_variant: "a" });
    await write(deps, { ...base, id: "other", endedTask: "failed", class: "bad_result" });
    await clock.advance(2 * DAY);
    await foldAll(deps);
    const end = await Metrics.recordOfEnd(deps.store, { taskId: "t", n: 1, at: NOON });
    expect(end).toMatchObject({ status: "failed" });
    if (!end) return;
    await Store.write(deps.store, Metrics.takeOut(end, clock.now()));
    const without = await Metrics.read(deps);
    expect(without.success_rate).toMatchObject({ failed: 1, total: 1 });
    expect(without.diagnostics).toEqual({ failed: 1, missing: 0 });
    expect(without.by_model.m1).toMatchObject({ count: 2 });
    expect(without.by_prompt_variant.a).toMatchObject({ count: 1, failed: 0 });
    await write(deps, { ...base, id: "t" }, clock.now() + 1);
    await clock.advance(120_000);
    await foldAll(deps);
    expect((await Metrics.read(deps)).success_rate).toEqual({ completed: 1, failed: 1, total: 2, rate: 0.5 });
    // Five days on, the day of the end leaves the window and what took it out with it.
    await clock.advance(5 * DAY);
    await foldAll(deps);
    expect((await Metrics.read(deps)).success_rate).toEqual({ completed: 1, failed: 0, total: 1, rate: 1 });
  });

  it("is nothing when the attempt ended no task", async () => {
    const { deps } = await virtualDeps();
    await write(deps, { ...base, id: "t", endedTask: null });
    expect(await Metrics.recordOfEnd(deps.store, { taskId: "t", n: 1, at: NOON })).toBeUndefined();
  });
});
