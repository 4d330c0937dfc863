import { describe, expect, it } from "vitest";
import { expectShape, Metrics } from "./shapes.ts";
import { contract, inStatus, type Body, type Contract } from "./support.ts";
import { ended } from "./status-support.ts";

describe("metrics (4.3)", () => {
  type Answer = Record<string, Body> & { by_task_type: Record<string, Body>; by_model: Record<string, Body> };
  const metrics = async (app: Contract) => {
    const answer = await app.get("/api/agent/metrics");
    expect(answer.status, answer.text).toBe(200);
    expectShape(Metrics, answer.body);
    return answer.body as Answer;
  };

  it("of an empty store are zeros and empty maps", async () => {
    expect(await metrics(await contract())).toMatchObject({
      success_rate: { completed: 0, failed: 0, total: 0, rate: 0 },
      execution_time: { p50_seconds: 0, p95_seconds: 0 },
      by_task_type: {},
      by_model: {},
      by_executor: {},
      by_provider: {},
      by_prompt_variant: {},
      by_skill_version: {},
    });
  });

  it("one task is its own median", async () => {
    const app = await contract();
    await ended(app, "completed", { ms: 42_000 });
    const { p50_seconds, p95_seconds } = (await metrics(app)).execution_time ?? {};
    for (const seconds of [p50_seconds, p95_seconds]) expectAbout(seconds, 42);
  });

  it("percentiles: the n/2-th and the 0.95·n-th of all, rounded", async () => {
    const app = await contract();
    // Out of order; sorted 1 to 20: the 11th is 11, the 20th 20.
    for (const s of [20, 1, 19, 2, 18, 3, 17, 4, 16, 5, 15, 6, 14, 7, 13, 8, 12, 9, 11, 10])
      await ended(app, "completed", { ms: s * 1000 });
    const { execution_time } = await metrics(app);
    expectAbout(execution_time?.p50_seconds, 11);
    expectAbout(execution_time?.p95_seconds, 20);
  });

  /** Rounded to whole seconds, from bins that are 2 % wide (DESIGN 6). */
  function expectAbout(seconds: unknown, exact: number): void {
    expect(seconds).toEqual(Math.round(Number(seconds)));
    expect(Math.abs(Number(seconds) - exact)).toBeLessThanOrEqual(0.5 + exact * 0.02);
  }

  it("rates have two digits, types plain names, models a count and an average of one digit", async () => {
    const app = await contract();
    await ended(app, "completed", { type: "spec", ms: 1000 });
    await ended(app, "completed", { type: "spec", ms: 2000 });
    await ended(app, "failed", { type: "spec", ms: 2000 });
    await ended(app, "failed", { type: "heal", ms: 1000 });
    const { success_rate, by_task_type, by_model } = await metrics(app);
    expect(success_rate).toMatchObject({ completed: 2, failed: 2, total: 4, rate: 0.5 });
    expect(by_task_type).toEqual({
      spec: { count: 3, completed: 2, failed: 1, success_rate: 0.67 },
      heal: { count: 1, completed: 0, failed: 1, success_rate: 0 },
    });
    const models = Object.values(by_model);
    expect(models.reduce((sum, one) => sum + Number(one.count), 0)).toBe(4);
    expect(models).toMatchObject([{ avg_duration: 1.5 }]);
  });

  it("are of seven days: an older end is not there any more", async () => {
    const app = await contract();
    const DAY = 86_400_000;
    await ended(app, "completed");
    await app.clock.advance(6 * DAY);
    expect((await metrics(app)).success_rate).toMatchObject({ completed: 1, total: 1 });
    await ended(app, "failed");
    await app.clock.advance(2 * DAY);
    expect((await metrics(app)).success_rate).toMatchObject({ completed: 0, failed: 1, total: 1 });
  });

  it("only ends of tasks are counted as such", async () => {
    const app = await contract();
    for (const status of ["pending", "running", "needs_decision", "cancelled"] as const) await inStatus(app, status);
    expect((await metrics(app)).success_rate).toMatchObject({ completed: 0, failed: 0, total: 0 });
  });
});
