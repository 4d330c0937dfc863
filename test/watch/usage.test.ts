import { expect, it } from "vitest";
import * as Pipeline from "../../core/flow/pipeline/index.ts";
import * as Store from "../../core/ground/store/index.ts";
import { Keys } from "../../core/ground/store/index.ts";
import * as Metrics from "../../core/work/metrics/index.ts";
import * as Status from "../../core/watch/status/index.ts";
import { health } from "../../core/watch/status/visibility.ts";
import { attemptOnce, failed, finished, newTask, NOON, rowOf, scripted, testPipeline } from "../support/pipeline.ts";

const EMPTY_RUNS = {
  tracked_runs: 0,
  failed_runs: 0,
  success_runs: 0,
  success_rate: 1,
  codex_runs: 0,
  by_executor: {},
  by_agent: {},
  by_tool: {},
  coverage: { completed_or_failed_tasks: 0, tracked_task_runs: 0, coverage_rate: 1, untracked_task_ids: [] },
  recent_runs: [],
};
const ROUTE = { model: "openrouter/free", tier: "openrouter" };
const OPERATOR = { kind: "operator" } as const;

it("of an empty store is whole: nothing to measure is a rate of 1", async () => {
  const deps = await testPipeline();
  const usage = await Status.usage(deps);
  expect(Status.UsageAnswer.parse(usage)).toEqual(usage);
  expect(usage).toEqual({
    by_model: {},
    routing: { spec: ROUTE, test: ROUTE, impl: ROUTE, review: ROUTE, heal: ROUTE },
    execution: EMPTY_RUNS,
  });
});

it("counts the runs of our host, of codex and of clients, and the ends that nobody worked for", async () => {
  let answer = finished();
  const deps = await testPipeline({
    providers: [scripted("codex", () => answer, { executor: "openclaw" })],
    env: { PIPELINE_NEEDS_DECISION_TIMEOUT_HOURS: "1" },
  });
  const external = async (context: Record<string, unknown> = {}) => {
    const input = { direction: "Work", task_type: "impl" as const, context: { dispatch: "external", ...context } };
    return (await Pipeline.create(deps, input)).task.row;
  };
  const client = async (id: string, patch: Pipeline.Update) => Pipeline.update(deps, id, patch, OPERATOR);
  const ours = await newTask(deps);
  await attemptOnce(deps, ours);
  await deps.clock.advance(1000);
  answer = failed("content_filter");
  await attemptOnce(deps, await newTask(deps));
  await deps.clock.advance(1000);

  const { id: claimed } = await external({ executor: "cursor" });
  await client(claimed, { status: "running", worker_id: "w1" });
  await deps.clock.advance(5000);
  await client(claimed, { status: "completed", worker_id: "w1", output: "done" });
  await deps.clock.advance(1000);
  const { id: inOne } = await external({ executor: "openclaw" });
  await client(inOne, { status: "failed", worker_id: "openai-codex:thread-1" });

  const { id: asked } = await external();
  await client(asked, { status: "needs_decision", decision_prompt: "Which?" });
  await deps.clock.advance(2 * 3_600_000);
  await Pipeline.tick(deps);
  const waiting = await external({ executor: "claude" });

  const { by_model, execution } = await Status.usage(deps);
  expect(execution).toMatchObject({
    tracked_runs: 4,
    failed_runs: 2,
    success_runs: 2,
    success_rate: 0.5,
    codex_runs: 3,
    by_executor: {
      openclaw: { count: 3, completed: 1, failed: 2 },
      cursor: { count: 1, completed: 1, failed: 0 },
    },
    by_agent: {
      "openai-codex": { count: 3, completed: 1, failed: 2 },
      w1: { count: 1, completed: 1, failed: 0 },
    },
    by_tool: {
      codex: { count: 2, completed: 1, failed: 1, success_rate: 0.5 },
      "agent-task-completion": { count: 2, completed: 1, failed: 1, success_rate: 0.5 },
    },
    coverage: {
      completed_or_failed_tasks: 5,
      tracked_task_runs: 4,
      coverage_rate: 0.8,
      untracked_task_ids: [asked],
    },
  });
  expect(execution.recent_runs).toEqual([
    {
      event_id: expect.stringMatching(/^rt_[0-9a-f]{12}$/) as string,
      task_id: inOne,
      endpoint: "/tool:agent-task-completion",
      tool: "agent-task-completion",
      status_code: 500,
      executor: "openclaw",
      agent_id: "openai-codex",
      provider: "openai-codex",
      is_openai_codex: true,
      runtime_ms: 0.1,
      recorded_at: "2026-05-20T12:00:08.000000+00:00",
    },
    expect.objectContaining({
      task_id: claimed,
      executor: "cursor",
      agent_id: "w1",
      provider: "openrouter",
      runtime_ms: 5000,
    }),
    expect.objectContaining({ tool: "codex", provider: "openai-codex", status_code: 500 }),
    expect.objectContaining({ task_id: ours, tool: "codex", status_code: 200 }),
  ]);
  expect(by_model[waiting.model]).toEqual({
    count: 1,
    by_status: { pending: 1 },
    last_used: "2026-05-20T14:00:08.000000+00:00",
  });
  // As the task shows it (contract 4.3, 4.6), in metrics too.
  const { model } = await rowOf(deps, ours);
  expect(model).toBe("codex/m1");
  expect(Object.keys((await Metrics.read(deps)).by_model)).toContain(model);
  expect(by_model[model]).toMatchObject({
    count: 1,
    by_status: { completed: 1 },
    last_used: expect.stringMatching(/\+00:00$/) as string,
  });
  expect(Object.values(by_model).reduce((sum, { count }) => sum + count, 0)).toBe(6);
});

it("names our host, without its incarnation, for what another provider ran", async () => {
  const deps = await testPipeline();
  await attemptOnce(deps, await newTask(deps));
  const { execution } = await Status.usage(deps);
  expect(execution.by_agent).toEqual({ h1: { count: 1, completed: 1, failed: 0 } });
  expect(execution.recent_runs[0]).toMatchObject({ agent_id: "h1", provider: "alpha", is_openai_codex: false });
});

it("an end that is taken back is none: its task is not untracked", async () => {
  const deps = await testPipeline({ env: { PIPELINE_NEEDS_DECISION_TIMEOUT_HOURS: "1" } });
  const id = await newTask(deps, { context: { dispatch: "external" } });
  await Pipeline.update(deps, id, { status: "needs_decision", decision_prompt: "Which?" }, OPERATOR);
  await deps.clock.advance(2 * 3_600_000);
  await Pipeline.tick(deps);
  const coverage = async () => (await Status.usage(deps)).execution.coverage;
  expect(await coverage()).toMatchObject({ coverage_rate: 0, untracked_task_ids: [id] });
  await deps.clock.advance(1000);
  await Pipeline.retry(deps, id);
  expect(await coverage()).toEqual(EMPTY_RUNS.coverage);
});

it("the last use of a model is the latest of its runs, not of the last task looked at", async () => {
  const deps = await testPipeline();
  await attemptOnce(deps, await newTask(deps));
  await deps.clock.advance(60_000);
  await attemptOnce(deps, await newTask(deps));
  const latest = (await Status.usage(deps)).by_model["alpha/m1"];
  expect(latest).toMatchObject({ count: 2, last_used: "2026-05-20T12:01:00.000000+00:00" });
  await deps.clock.advance(120_000);
  await Metrics.fold(deps);
  expect((await Status.usage(deps)).by_model["alpha/m1"]).toEqual(latest);
});

it("shows at most 50 runs, and costs the same number of calls at any number of tasks", async () => {
  const deps = await testPipeline();
  const { record } = await oneRecord(deps);
  const cost = async () => {
    let calls = 0;
    let units = 0;
    deps.store.onCapacity = (n) => ((units += n), calls++);
    const { execution } = await Status.usage(deps);
    delete deps.store.onCapacity;
    return { calls, units, runs: execution.tracked_runs, shown: execution.recent_runs.length };
  };
  const fill = async (count: number) => {
    const at = deps.clock.now();
    for (let i = 0; i < count; i += 25)
      await Promise.all(
        Array.from({ length: 25 }, (_, k) =>
          Store.write(deps.store, {
            kind: "put",
            item: { ...record, ...Keys.metric(at + i + k, `t${at}${i + k}`, 1), created_at: at + i + k },
          }),
        ),
      );
    await deps.clock.advance(120_000);
    while (!(await Metrics.fold(deps)).complete);
  };
  await fill(100);
  const few = await cost();
  await fill(1000);
  const many = await cost();
  expect([few.runs, few.shown, many.runs, many.shown]).toEqual([101, 50, 1101, 50]);
  expect(many.calls).toBe(few.calls);
  expect(many.calls).toBeLessThanOrEqual(9);
  expect(many.units).toBeLessThanOrEqual(few.units * 1.2 + 1);
});

it("looks at so many tasks in work and no more", async () => {
  const deps = await testPipeline();
  const id = await newTask(deps);
  const row = await Store.get(deps.store, Keys.task(id));
  for (let i = 0; i < 1100; i += 50)
    await Promise.all(
      Array.from({ length: 50 }, (_, k) =>
        Store.write(deps.store, {
          kind: "put",
          item: { ...row, ...Keys.task(`x${i + k}`), ...Keys.byStatus("pending", NOON + i, `x${i + k}`), model: "m9" },
        }),
      ),
    );
  let calls = 0;
  deps.store.onCapacity = () => calls++;
  const { by_model } = await Status.usage(deps);
  expect(by_model.m9?.count).toBe(1000);
  expect(calls).toBeLessThanOrEqual(20);
});

it("visibility counts what pipeline-status lists, and says how far usage is from whole", async () => {
  const deps = await testPipeline();
  const empty = await Status.visibility(deps);
  expect(Status.Visibility.parse(empty)).toEqual(empty);
  expect(empty).toMatchObject({
    pipeline: {
      running_count: 0,
      pending_count: 0,
      recent_completed_count: 0,
      running_by_phase: { spec: 0, impl: 0, test: 0, review: 0 },
      attention_flags: [],
    },
    remaining_usage: { coverage_rate: 1, remaining_to_full_coverage: 0, untracked_task_ids: [], health: "green" },
  });
  for (let i = 0; i < 25; i++) await newTask(deps);
  await attemptOnce(deps, await newTask(deps));
  const filled = await Status.visibility(deps);
  expect(filled.pipeline).toMatchObject({ pending_count: 20, recent_completed_count: 1 });
  expect(filled.pipeline.running_by_phase.impl).toBe(25);
  expect(filled.usage).toEqual(await Status.usage(deps));
});

it.each([
  [0, 1, "green"],
  [1, 0.9999, "yellow"],
  [3, 0.7, "yellow"],
  [4, 0.6999, "red"],
  [0, 0.9, "yellow"],
] as const)("%i untracked at a rate of %f is %s", (untracked, rate, colour) => {
  expect(health(untracked, rate)).toBe(colour);
});

async function oneRecord(deps: Awaited<ReturnType<typeof testPipeline>>) {
  await attemptOnce(deps, await newTask(deps));
  const [record] = await Store.queryAll(deps.store, { pk: Keys.metricPartition(deps.clock.now()) });
  if (!record) throw new Error("no record");
  return { record };
}
