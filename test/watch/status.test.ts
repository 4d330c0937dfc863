import { beforeEach, expect, it } from "vitest";
import * as Clock from "../../core/ground/clock.ts";
import * as Store from "../../core/ground/store/index.ts";
import { Keys } from "../../core/ground/store/index.ts";
import * as Attempt from "../../core/work/attempt/index.ts";
import * as Metrics from "../../core/work/metrics/index.ts";
import * as Status from "../../core/watch/status/index.ts";
import { NO_USAGE } from "../../core/work/task/index.ts";
import { testDeps, type TestDeps } from "../support/deps.ts";
import { mover } from "./status-helpers.ts";

const START = Date.UTC(2026, 4, 31, 23, 0);
const MINUTE = 60_000;
let clock: Clock.VirtualClock;
let deps: TestDeps;
let tasks: ReturnType<typeof mover>;
beforeEach(async () => {
  clock = Clock.virtual(START);
  deps = await testDeps({ clock });
  tasks = mover(deps);
});

it("answers whole when nothing is there", async () => {
  const status = await Status.pipelineStatus(deps);
  expect(status).toEqual({
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

it("shows tasks in the contract's shape, times and orders", async () => {
  const done = await tasks.create("d".repeat(300), "spec");
  const asked = await tasks.create("asked", "review");
  await clock.advance(1500);
  const attempt = await tasks.claim(done);
  await tasks.claim(asked);
  await clock.advance(2600);
  await tasks.end(done, "completed", "o".repeat(3000));
  await clock.advance(1000);
  await tasks.end(asked, "needs_decision");
  const run = await tasks.create("run");
  const wait = await tasks.create("wait", "test");
  await clock.advance(500);
  await tasks.claim(run);
  const log = Attempt.logWriter(deps.store, clock, { taskId: run, n: 1, turn: 1 }, ["# header"], undefined);
  for (let i = 0; i < 30; i++) log.line(i % 2 ? "" : `line ${i}`);
  for (let i = 30; i < 50; i++) log.line(`line ${i}`);
  await log.end({ seconds: 1, exit: 0, status: "completed" });
  await clock.advance(2000);

  const status = await Status.pipelineStatus(deps, { projectManager: { backlog: "b" } });
  expect(Status.PipelineStatus.parse(status)).toEqual(status);
  expect(status.running).toMatchObject([{ id: run, running_seconds: 2, wait_seconds: null, duration_seconds: null }]);
  expect(status.running[0]?.live_tail).toHaveLength(20);
  expect(status.running[0]?.live_tail?.at(-1)).toMatch(/^# duration_seconds=/);
  expect(status.pending).toMatchObject([
    { id: wait, wait_seconds: 2, running_seconds: null, updated_at: "None", claimed_by: null },
  ]);
  expect(status.recent_completed).toEqual([
    expect.objectContaining({ id: asked, output_len: 0, duration_seconds: null }),
    {
      id: done,
      task_type: "spec",
      model: "openclaw/gpt-5-codex",
      direction: "d".repeat(100),
      claimed_by: "host",
      created_at: "2026-05-31T23:00:00.000000+00:00",
      updated_at: "2026-05-31T23:00:04.100000+00:00",
      wait_seconds: null,
      running_seconds: null,
      duration_seconds: 2,
      output_len: 3000,
      status: "completed",
      current_step: null,
      retry_not_before: null,
      wait_reason: null,
    },
  ]);
  expect(attempt.claimed_at).toBe(START + 1500);
  expect(status.running_by_phase).toEqual({ spec: 0, impl: 1, test: 1, review: 0 });
  expect(status.latest_request).toMatchObject({ task_id: run, status: "running", direction: "run" });
  expect(status.latest_request?.prompt_preview).toContain("Direction: run");
  expect(status.latest_response).toMatchObject({ task_id: asked, status: "needs_decision", output_preview: "" });
  expect(status.project_manager).toEqual({ backlog: "b" });
});

it("cuts lists after counting, keeps the oldest waiting first, and reaches back into the month before", async () => {
  const ended: string[] = [];
  for (let i = 0; i < 12; i++) {
    const id = await tasks.create(`ended ${i}`);
    await tasks.claim(id);
    await clock.advance(10 * MINUTE);
    await tasks.end(id, "completed", "x".repeat(2500));
    ended.unshift(id);
  }
  expect(Clock.month(clock.now())).not.toBe(Clock.month(START));
  const heal = await tasks.create("heal", "heal");
  const waiting: string[] = [heal];
  for (let i = 0; i < 25; i++) {
    await clock.advance(1);
    waiting.push(await tasks.create(`waiting ${i}`, "review"));
  }
  const running = await Promise.all(Array.from({ length: 12 }, (_, i) => tasks.create(`running ${i}`, "test")));
  for (const id of running) await tasks.claim(id);

  const status = await Status.pipelineStatus(deps);
  expect(status.running).toHaveLength(10);
  expect(status.pending.map(({ id }) => id)).toEqual(waiting.slice(0, 20));
  expect(status.recent_completed.map(({ id }) => id)).toEqual(ended.slice(0, 10));
  expect(status.running_by_phase).toEqual({ spec: 0, impl: 0, test: 12, review: 25 });
  expect(status.latest_response).toMatchObject({ task_id: ended[0], output_len: 2500 });
  expect(status.latest_response?.output_preview).toHaveLength(2000);
});

it("FAILURES 40: failures in a row and empty outputs raise their flags from the stored tasks", async () => {
  for (const output of ["said something", "said more", undefined]) {
    const id = await tasks.create("fails");
    await tasks.claim(id);
    await clock.advance(1000);
    await tasks.end(id, "failed", output);
  }
  expect((await Status.pipelineStatus(deps)).attention.flags).toEqual(["repeated_failures", "executor_fail"]);
  for (let i = 0; i < 5; i++) {
    const id = await tasks.create("works");
    await tasks.claim(id);
    await clock.advance(1000);
    await tasks.end(id, "completed", i === 4 ? undefined : "fine");
  }
  expect((await Status.pipelineStatus(deps)).attention.flags).toEqual(["output_empty"]);
});

it("a failed task that was begun again is no finished one", async () => {
  for (let i = 0; i < 3; i++) {
    const id = await tasks.create("fails");
    await tasks.claim(id);
    await tasks.end(id, "failed", "why");
    await tasks.move(id, "pending", "operator");
  }
  const status = await Status.pipelineStatus(deps);
  expect(status.recent_completed).toEqual([]);
  expect(status.attention.flags).toEqual([]);
});

it("is stuck when due tasks wait and nobody moves, not while one does, and parked tasks do not count", async () => {
  const flags = async () => (await Status.pipelineStatus(deps)).attention.flags;
  const id = await tasks.create("due");
  await clock.advance(10 * MINUTE);
  expect(await flags()).toEqual([]);
  await clock.advance(1);
  expect(await flags()).toEqual(["stuck"]);

  const other = await tasks.create("other");
  const { n } = await tasks.claim(other);
  expect(await flags()).toEqual([]);
  await clock.advance(11 * MINUTE);
  expect(await flags()).toEqual(["stuck"]);
  await Attempt.renew(deps.store, { taskId: other, n, turn: 0 }, 60_000);
  await clock.advance(9 * MINUTE);
  expect(await flags()).toEqual([]);
  await clock.advance(2 * MINUTE);
  expect(await flags()).toEqual(["stuck"]);
  await tasks.end(other, "completed", "done");
  expect(await flags()).toEqual([]);
  await clock.advance(11 * MINUTE);
  expect(await flags()).toEqual(["stuck"]);

  await tasks.claim(id);
  await tasks.move(id, "pending", "settle", { until: clock.now() + 60 * MINUTE });
  await clock.advance(30 * MINUTE);
  expect(await flags()).toEqual([]);
});

it("a low success rate is flagged from the metrics, and metrics that cannot be read flag nothing", async () => {
  for (let i = 0; i < 10; i++)
    await Store.write(
      deps.store,
      Metrics.record({
        attempt: { n: 1, task_id: `t${i}`, tried: [] },
        task: { task_type: "impl" },
        now: clock.now(),
        endedTask: i < 7 ? "completed" : "failed",
        class: null,
        model: "m",
        provider: null,
        executor: null,
        agent: "host",
        usage: NO_USAGE,
        queue_ms: 0,
        run_ms: 0,
        prompt_variant: null,
        skill_version: null,
      }),
    );
  expect((await Status.pipelineStatus(deps)).attention.flags).toEqual(["low_success_rate"]);
  await Store.write(deps.store, { kind: "put", item: { ...Keys.rollup(clock.now()), json: "{", watermark: "" } });
  expect((await Status.pipelineStatus(deps)).attention.flags).toEqual([]);
});
