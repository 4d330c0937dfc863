import { beforeAll, describe, expect, it } from "vitest";
import * as Attempt from "../../core/work/attempt/index.ts";
import { expectShape, Metrics, PipelineStatus } from "./shapes.ts";
import { contract, inStatus, ms, OWNER, type Body, type Contract } from "./support.ts";

/** Contract 4.1 pipeline-status, 4.2 attention, 4.3 metrics. */

type Item = Body & { id: string };
type Status = {
  running: (Item & { live_tail?: unknown })[];
  pending: Item[];
  recent_completed: Item[];
  running_by_phase: Record<string, number>;
  latest_request: Body | null;
  latest_response: Body | null;
  attention: Record<string, boolean> & { flags: string[] };
};
const status = async (app: Contract) => {
  const answer = await app.get("/api/agent/pipeline-status");
  expect(answer.status, answer.text).toBe(200);
  expectShape(PipelineStatus, answer.body);
  return answer.body as unknown as Status;
};

/** A task that runs, then ends so. */
async function ended(
  app: Contract,
  end: "completed" | "failed",
  more: { output?: string; type?: string; ms?: number } = {},
) {
  const id = await app.create({ task_type: more.type ?? "impl" });
  await app.patch(id, { status: "running", worker_id: OWNER });
  await app.clock.advance(more.ms ?? 1000);
  const { output = `it ${end}` } = more;
  const answer = await app.patch(id, { status: end, worker_id: OWNER, output });
  expect(answer.status, answer.text).toBe(200);
  return id;
}

describe("pipeline-status (4.1)", () => {
  it("of an empty store is whole", async () => {
    expect(await status(await contract())).toMatchObject({
      running: [],
      pending: [],
      recent_completed: [],
      running_by_phase: { spec: 0, impl: 0, test: 0, review: 0 },
      latest_request: null,
      latest_response: null,
      attention: {
        stuck: false,
        repeated_failures: false,
        output_empty: false,
        executor_fail: false,
        low_success_rate: false,
        flags: [],
      },
      project_manager: null,
    });
  });

  describe("of many", () => {
    let app: Contract;
    const pending: string[] = [];
    const running: string[] = [];
    const over: string[] = [];
    beforeAll(async () => {
      app = await contract();
      for (let i = 0; i < 25; i++) {
        pending.push(await app.create({ task_type: i % 2 === 0 ? "spec" : "heal" }));
        await app.clock.advance(10);
      }
      for (let i = 0; i < 12; i++) running.push(await inStatus(app, "running", { task_type: "test" }));
      for (let i = 0; i < 14; i++) {
        const end = i % 3 === 0 ? "failed" : i % 3 === 1 ? "completed" : "needs_decision";
        over.push(await inStatus(app, end, { task_type: "review" }));
        await app.clock.advance(10);
      }
    });

    it("shows 10, 20 and 10 of them, the oldest pending and the last changed first", async () => {
      const now = await status(app);
      expect(now.running).toHaveLength(10);
      for (const one of now.running) expect(running).toContain(one.id);
      expect(now.pending.map((one) => one.id)).toEqual(pending.slice(0, 20));
      expect(now.recent_completed.map((one) => one.id)).toEqual([...over].reverse().slice(0, 10));
    });

    it("counts running and pending a phase before it cuts; heals are no phase", async () => {
      expect((await status(app)).running_by_phase).toEqual({ spec: 13, impl: 0, test: 12, review: 0 });
    });

    it("what needs a decision is among the recent", async () => {
      const { recent_completed } = await status(app);
      const there = new Set(recent_completed.map((one) => over.indexOf(one.id) % 3));
      expect(there).toEqual(new Set([0, 1, 2]));
    });

    it("the request is the first that runs, the response the last that ended", async () => {
      const now = await status(app);
      const first = await app.task(now.running[0]?.id ?? "");
      expect(now.latest_request).toMatchObject({ task_id: first.id, status: "running", direction: first.direction });
      expect(now.latest_response).toMatchObject({ task_id: over[13] });
    });
  });

  it("an item's seconds: waiting, running, from start to end", async () => {
    const app = await contract();
    const waits = await app.create({ direction: "w".repeat(300) });
    await app.clock.advance(1500);
    const runs = await inStatus(app, "running");
    const done = await ended(app, "completed", { ms: 7900, output: "o".repeat(50) });
    const asks = await inStatus(app, "needs_decision");
    await app.clock.advance(2999);
    const now = await status(app);
    const item = (list: Item[], id: string) => list.find((one) => one.id === id);
    const all = { wait_seconds: null, running_seconds: null, duration_seconds: null };
    // Whole seconds, cut off.
    expect(item(now.pending, waits)).toMatchObject({ ...all, wait_seconds: 14, updated_at: "None", claimed_by: null });
    expect(item(now.pending, waits)?.direction).toBe("w".repeat(100));
    expect(item(now.running, runs)).toMatchObject({ ...all, running_seconds: 12, claimed_by: OWNER });
    expect(item(now.recent_completed, done)).toMatchObject({ ...all, duration_seconds: 7, output_len: 50 });
    expect(item(now.recent_completed, asks)).toMatchObject({ ...all, output_len: 0 });
    const shown = item(now.recent_completed, done);
    const task = await app.task(done);
    expect([ms(shown?.created_at), ms(shown?.updated_at)]).toEqual([ms(task.created_at), ms(task.updated_at)]);
  });

  it("one that runs and has no log has a live tail of null", async () => {
    const app = await contract();
    await inStatus(app, "running");
    expect((await status(app)).running[0]).toHaveProperty("live_tail", null);
  });

  it("the first that runs shows the last 20 lines of its log, blank ones left out", async () => {
    const app = await contract();
    const id = await inStatus(app, "running");
    const writer = Attempt.logWriter(app.deps.store, app.clock, { taskId: id, n: 1, turn: 1 }, ["# task"]);
    for (let i = 1; i <= 30; i++) {
      writer.line(`line ${i}`);
      if (i % 3 === 0) writer.line("  ");
    }
    await writer.end({ seconds: 1, exit: 0, status: "completed" });
    const tail = (await status(app)).running[0]?.live_tail as string[];
    expect(tail).toHaveLength(20);
    // The footer is the last of them.
    expect(tail.slice(0, 19)).toEqual(Array.from({ length: 19 }, (_, i) => `line ${i + 12}`));
  });

  it("previews are cut: 500 of the prompt, 2 000 of the output, whose length is whole", async () => {
    const app = await contract();
    await ended(app, "completed", { output: "o".repeat(3500) });
    const runs = await app.create({ direction: "d".repeat(3000) });
    await app.patch(runs, { status: "running", worker_id: OWNER });
    const { latest_request, latest_response } = await status(app);
    expect(latest_request).toMatchObject({ task_id: runs });
    expect(String(latest_request?.prompt_preview)).toHaveLength(500);
    expect(latest_response).toMatchObject({ output_preview: "o".repeat(2000), output_len: 3500 });
  });
});

describe("attention (4.2)", () => {
  const flags = async (app: Contract) => {
    const { attention } = await status(app);
    const { flags: up, ...each } = attention;
    // The list says what the flags say, in the contract's order.
    const order = ["stuck", "repeated_failures", "output_empty", "executor_fail", "low_success_rate"];
    expect(up).toEqual(order.filter((flag) => each[flag]));
    return up;
  };
  const MINUTES = 60_000;

  it("stuck: due for more than 10 minutes, and nothing moved", async () => {
    const app = await contract();
    await app.create();
    await app.clock.advance(10 * MINUTES);
    expect(await flags(app)).toEqual([]);
    await app.clock.advance(1000);
    expect(await flags(app)).toEqual(["stuck"]);
  });

  it.each<[string, (app: Contract) => Promise<unknown>]>([
    ["started", (app) => inStatus(app, "running")],
    ["finished", (app) => ended(app, "completed")],
    [
      "sent a heartbeat",
      async (app) => {
        const id = String(((await app.get("/api/agent/tasks?status=running")).body.tasks as Item[])[0]?.id);
        return app.patch(id, { progress_pct: 5, worker_id: OWNER });
      },
    ],
  ])("not stuck when something %s within them", async (_name, moves) => {
    const app = await contract();
    await app.create();
    await inStatus(app, "running");
    await app.clock.advance(11 * MINUTES);
    await moves(app);
    await app.clock.advance(9 * MINUTES);
    expect(await flags(app)).toEqual([]);
    await app.clock.advance(2 * MINUTES);
    expect(await flags(app)).toEqual(["stuck"]);
  });

  it("not stuck while all is paused: nothing of ours may start; what outside runners may take is", async () => {
    const app = await contract({ AGENT_AUTO_EXECUTE: "1" });
    await app.create();
    await app.post("/api/agent/queue/pause", { all: true });
    await app.clock.advance(11 * MINUTES);
    expect(await flags(app)).toEqual([]);
    await app.post("/api/agent/queue/resume", { all: true });
    expect(await flags(app)).toEqual(["stuck"]);
    await app.post("/api/agent/queue/pause", { all: true });
    await app.create({ context: { dispatch: "external" } });
    await app.clock.advance(11 * MINUTES);
    expect(await flags(app)).toEqual(["stuck"]);
  });

  it("not stuck while nothing is pending", async () => {
    const app = await contract();
    await inStatus(app, "running");
    await app.clock.advance(25 * MINUTES);
    expect(await flags(app)).toEqual([]);
  });

  it.each([
    [["failed", "failed", "failed"], true],
    [["completed", "failed", "failed", "failed"], true],
    [["failed", "failed"], false],
    [["failed", "failed", "failed", "completed"], false],
    [["failed", "completed", "failed", "failed"], false],
  ] as const)("repeated_failures after %j: %s", async (ends, up) => {
    const app = await contract();
    for (const end of ends) {
      await ended(app, end);
      await app.clock.advance(10);
    }
    expect(await flags(app)).toEqual(up ? ["repeated_failures"] : []);
  });

  it("repeated_failures of one type, though others complete between", async () => {
    const app = await contract();
    for (let i = 0; i < 3; i++) {
      await ended(app, "failed", { type: "spec" });
      await app.clock.advance(10);
      await ended(app, "completed", { type: "test" });
      await app.clock.advance(10);
    }
    expect(await flags(app)).toEqual(["repeated_failures"]);
  });

  it.each([
    ["completed", "output_empty"],
    ["failed", "executor_fail"],
  ] as const)("one of the last five that %s with nothing to show: %s", async (end, flag) => {
    const app = await contract();
    await ended(app, end, { output: "" });
    for (let i = 0; i < 4; i++) {
      await app.clock.advance(10);
      await ended(app, "completed");
      expect(await flags(app)).toEqual([flag]);
    }
    await app.clock.advance(10);
    await ended(app, "completed");
    expect(await flags(app)).toEqual([]);
  });

  it.each([
    [8, 2, false],
    [7, 3, true],
    [7, 2, false],
    [0, 9, false],
  ])("low_success_rate at %i completed and %i failed: %s", async (completed, failed, up) => {
    const app = await contract();
    for (let i = 0; i < failed; i++) await ended(app, "failed");
    await app.clock.advance(10);
    for (let i = 0; i < completed; i++) await ended(app, "completed");
    expect((await flags(app)).includes("low_success_rate")).toBe(up);
  });

  describe("the thresholds are settings", () => {
    it("PIPELINE_ATTENTION_STUCK_MINUTES", async () => {
      const app = await (await contract()).with({ PIPELINE_ATTENTION_STUCK_MINUTES: "2" });
      await app.create();
      await app.clock.advance(2 * MINUTES + 1000);
      expect(await flags(app)).toEqual(["stuck"]);
    });
    it("PIPELINE_ATTENTION_CONSECUTIVE_FAILURES", async () => {
      const app = await (await contract()).with({ PIPELINE_ATTENTION_CONSECUTIVE_FAILURES: "2" });
      for (let i = 0; i < 2; i++) await ended(app, "failed");
      expect(await flags(app)).toEqual(["repeated_failures"]);
    });
    it("PIPELINE_ATTENTION_MIN_TASKS and _SUCCESS_RATE_MIN", async () => {
      const env = { PIPELINE_ATTENTION_MIN_TASKS: "2", PIPELINE_ATTENTION_SUCCESS_RATE_MIN: "0.6" };
      const app = await (await contract()).with(env);
      await ended(app, "failed");
      await app.clock.advance(10);
      await ended(app, "completed");
      expect(await flags(app)).toEqual(["low_success_rate"]);
      await app.clock.advance(10);
      await ended(app, "completed");
      expect(await flags(app)).toEqual([]);
    });
  });
});

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
