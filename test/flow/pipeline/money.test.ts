import { describe, expect, it } from "vitest";
import * as Pipeline from "../../../core/flow/pipeline/index.ts";
import * as Friction from "../../../core/work/friction/index.ts";
import * as Metrics from "../../../core/work/metrics/index.ts";
import * as Provider from "../../../core/work/provider/index.ts";
import * as Spend from "../../../core/work/spend/index.ts";
import * as Task from "../../../core/work/task/index.ts";
import {
  attemptOf,
  attemptOnce,
  coolDown,
  drive,
  failed,
  finished,
  hold,
  itemOf,
  models,
  newTask,
  NOON,
  pushItems,
  rowOf,
  scripted,
  testPipeline,
  untilStill,
  USAGE,
  wholeOf,
  type TestPipeline,
} from "../../support/pipeline.ts";

const HOUR = 3_600_000;
const DOLLAR = { ...USAGE, cost_usd: 1 };
const PAID = { edits: true, runs_commands: true, where: "inline" as const, paid: true, tells_cost: true as const };

/** A paid provider whose every run costs a dollar, and one that costs nothing. */
const paid = () => scripted("paid", () => finished(undefined, DOLLAR), { models: models("p1"), capabilities: PAID });
const free = () => scripted("free", () => finished(undefined, { ...USAGE, cost_usd: 0 }), { models: models("f1") });

/** A paid run in so many parts of a dollar each; `then` happens in the first. */
function inParts(parts: number, then: () => Promise<void> | undefined = () => undefined): Provider.Provider {
  let part = 0;
  const play = async (): Promise<Provider.RunResult> => {
    part++;
    if (part === 1) await then();
    return part < parts ? { kind: "continue", saved: { part }, usage: DOLLAR } : finished(undefined, DOLLAR);
  };
  return scripted("paid", play, { models: models("p1"), capabilities: PAID });
}

const never = new AbortController().signal;

/** A task of this host that is planned, and whose candidate was not entered yet. */
async function plannedOne(deps: TestPipeline) {
  const { id, attempt } = await hold(deps, await newTask(deps));
  return Pipeline.plan(deps, { taskId: id, attempt });
}

const asked = (deps: TestPipeline) => deps.requests.map((request) => request.model);
const episodes = async (deps: TestPipeline) =>
  (await Friction.openEpisodes(deps)).map(({ provider, reason, count }) => `${provider} ${reason} ${count}`);

describe("paid providers that are not allowed", () => {
  it("FAILURES 48: are passed over for the low-cost fallback, as one episode that closes when it serves again", async () => {
    const deps = await testPipeline({ providers: [paid(), free()] });
    for (let i = 0; i < 5; i++) expect((await attemptOnce(deps, await newTask(deps))).row.status).toBe("completed");
    expect(asked(deps)).toEqual(Array(5).fill("f1"));
    expect(await episodes(deps)).toEqual(["paid paid_provider_blocked 5"]);
    // Naming a provider is consent to pay.
    const { row } = await attemptOnce(deps, await newTask(deps, { context: { provider: "paid" } }));
    expect(row).toMatchObject({ status: "completed", model: "paid/p1" });
    expect(await episodes(deps)).toEqual([]);
  });

  it("with no other: a question with the remedy, and no budget spent", async () => {
    const deps = await testPipeline({ providers: [paid()] });
    const { row } = await attemptOnce(deps, await newTask(deps));
    expect(row).toMatchObject({ status: "needs_decision", tries: 0 });
    expect(row.decision_prompt).toContain("AGENT_ALLOW_PAID_PROVIDERS=1");
    expect(asked(deps)).toEqual([]);
  });
});

describe("the windows of paid runs", () => {
  const env = { AGENT_ALLOW_PAID_PROVIDERS: "1", PAID_TOOL_8H_LIMIT: "6" };

  it("full: the low-cost fallback works, one episode; free again: the paid one serves and closes it", async () => {
    const suited = { context: { executor: "claude" } };
    const deps = await testPipeline({
      env,
      providers: [{ ...paid(), executor: "claude" }, free()],
    });
    for (let i = 0; i < 4; i++) await attemptOnce(deps, await newTask(deps, suited));
    expect(asked(deps)).toEqual(["p1", "p1", "f1", "f1"]);
    expect(await episodes(deps)).toEqual(["paid usage_window_budget_exceeded 2"]);
    await deps.clock.advance(9 * HOUR);
    await attemptOnce(deps, await newTask(deps, suited));
    expect(asked(deps).at(-1)).toBe("p1");
    expect(await episodes(deps)).toEqual([]);
  });

  it("full without a fallback: parked until a run leaves the window", async () => {
    const deps = await testPipeline({ env, providers: [paid()] });
    for (let i = 0; i < 2; i++) await attemptOnce(deps, await newTask(deps));
    const { row } = await attemptOnce(deps, await newTask(deps));
    expect(row).toMatchObject({ status: "pending", tries: 0, retry_not_before: NOON + 9 * HOUR });
    expect(row.wait_reason).toContain("8h_limit used=2/6, allowed=2");
    await untilStill(deps);
    expect((await rowOf(deps, row.id)).status).toBe("completed");
  });

  /** A pipeline whose windows are full. */
  const full = async (...providers: Provider.Provider[]) => {
    const deps = await testPipeline({ env, providers: [paid(), ...providers] });
    for (let i = 0; i < 2; i++) await attemptOnce(deps, await newTask(deps));
    return deps;
  };

  it.each(["query", "header"] as const)("forced by a request's %s: passed for one run, as readers see", async (how) => {
    const deps = await full();
    const id = await newTask(deps);
    await Pipeline.execute(deps, id, { forcePaid: how, budget: {} });
    const { row, parts } = await attemptOnce(deps, id);
    expect(row.status).toBe("completed");
    expect(row.forced_by).toBeUndefined();
    expect(parts.context).toMatchObject({ force_paid_providers: true, force_paid_override_source: how });
  });

  it("forced by a request: once, not for the tries after it", async () => {
    const bad = scripted("paid", () => failed("bad_result", DOLLAR), { models: models("p1"), capabilities: PAID });
    const deps = await testPipeline({ env: { ...env, PAID_TOOL_8H_LIMIT: "3" }, providers: [bad] });
    await attemptOnce(deps, await newTask(deps));
    const id = await newTask(deps);
    await Pipeline.execute(deps, id, { forcePaid: "query", budget: {} });
    expect((await attemptOnce(deps, id)).row).toMatchObject({ status: "pending", tries: 1 });
    expect((await attemptOnce(deps, id)).row.wait_reason).toContain("8h_limit used=2/3, allowed=1");
    expect(asked(deps)).toHaveLength(2);
  });

  it("forced by a request: still so when nobody could be asked and it had to wait", async () => {
    const deps = await full();
    await coolDown(deps, { provider: "paid", account: "none", model: "p1" }, { class: "rate_limit", message: "429" });
    const id = await newTask(deps);
    await Pipeline.execute(deps, id, { forcePaid: "query", budget: {} });
    expect((await attemptOnce(deps, id)).row.status).toBe("pending");
    await deps.clock.advance(30_000);
    expect((await attemptOnce(deps, id)).row.status).toBe("completed");
  });

  it.each(["query", "header", "auto_retry_openai_override"])(
    "are not passed by a context that says %s",
    async (source) => {
      const deps = await full();
      const context = { force_paid_providers: true, force_paid_override_source: source };
      const id = await newTask(deps, { context });
      const update = Pipeline.Update.parse({ context });
      await Pipeline.update(deps, id, update, { kind: "operator" });
      const { row, parts } = await attemptOnce(deps, id);
      expect(row.wait_reason).toContain("8h_limit used=2/6");
      expect(parts.context).toMatchObject({ force_paid_providers: true });
      expect(parts.context).not.toHaveProperty("force_paid_override_source");
      // Nor by one that was written before contexts were read so.
      await Task.mergeContext(deps.store, id, { force_paid_override_source: source });
      expect((await attemptOnce(deps, id)).row.status).toBe("pending");
    },
  );

  it("are rechecked when a go begins: no more than allowed are asked, however many were planned", async () => {
    const deps = await testPipeline({ env, providers: [paid()] });
    const planned = await Promise.all(Array.from({ length: 5 }, async () => plannedOne(deps)));
    expect(planned.map((one) => one.kind)).toEqual(Array(5).fill("inline"));
    const kinds: string[] = [];
    for (const one of planned) kinds.push((await Pipeline.invoke(deps, one, never)).kind);
    expect(kinds).toEqual(["outcome", "outcome", "fallback", "fallback", "fallback"]);
    expect(asked(deps)).toHaveLength(2);
  });

  it("turn a go away before it may test what cooled down, so that whoever may be paid can", async () => {
    const deps = await testPipeline({ env, providers: [paid()] });
    const planned = await Promise.all(Array.from({ length: 3 }, async () => plannedOne(deps)));
    for (const one of planned.slice(0, 2)) await Pipeline.invoke(deps, one, never);
    await coolDown(deps, { provider: "paid", account: "none", model: "p1" }, { class: "rate_limit", message: "429" });
    await deps.clock.advance(30_000);
    for (const one of planned.slice(2)) expect((await Pipeline.invoke(deps, one, never)).kind).toBe("fallback");
    expect((await Provider.health(deps)).cooldowns).toMatchObject([{ class: "rate_limit" }]);
    expect((await Provider.health(deps)).cooldowns[0]).not.toHaveProperty("probe_by");
  });

  it("count a go once, in however many parts it comes, and let it go on when it was the last", async () => {
    const deps = await testPipeline({ env: { ...env, PAID_TOOL_8H_LIMIT: "3" }, providers: [inParts(3)] });
    deps.work.continueAfterMs = 1000;
    expect((await attemptOnce(deps, await newTask(deps))).row.status).toBe("completed");
    expect(asked(deps)).toHaveLength(3);
    expect(await Spend.paidWindows(deps, deps.config.cost)).toMatchObject([{ used: 1, allowed: 1 }]);
  });
});

describe("money within one attempt", () => {
  const allow = { AGENT_ALLOW_PAID_PROVIDERS: "1" };
  const stalling = (name: string, ...of: string[]) =>
    scripted(name, () => failed("stalled", DOLLAR), { models: models(...of), capabilities: PAID });
  const scopes: [string, Record<string, string>, Record<string, unknown>][] = [
    ["task", {}, { max_cost_usd: 1 }],
    ["day", { PIPELINE_DAY_MAX_COST_USD: "1" }, {}],
  ];

  it.each(scopes)("of the %s: a candidate that failed has spent it for the next ones", async (scope, env, context) => {
    const deps = await testPipeline({
      env: { ...allow, ...env },
      providers: [stalling("a", "a1", "a2"), stalling("b", "b1"), stalling("c", "c1")],
    });
    const id = await newTask(deps, { context });
    const { row } = await attemptOnce(deps, id);
    expect(asked(deps)).toEqual(["a1"]);
    expect(row).toMatchObject({ spent_usd: 1, tries: 0 });
    const { tried } = await attemptOf(deps, id, 1);
    expect(tried.map((one) => one.class)).toEqual(["stalled", "budget", "budget", "budget"]);
    expect(tried.at(-1)?.message).toContain(`the ${scope}'s cost budget is spent: $1.00 of $1.00`);
    // The next attempt says what can be done, and nobody is asked meanwhile.
    const next = await attemptOnce(deps, id);
    expect(next.row.decision_prompt ?? next.row.wait_reason).toContain(`the ${scope}'s cost budget is spent`);
    expect(asked(deps)).toHaveLength(1);
  });

  it("of the item: what its task has cost in this attempt counts too", async () => {
    const deps = await testPipeline({
      env: { ...allow, PIPELINE_ITEM_MAX_COST_USD: "1.5" },
      providers: [stalling("a", "a1"), stalling("b", "b1"), stalling("c", "c1")],
    });
    await pushItems(deps, ["x"]);
    await untilStill(deps, 3);
    expect(deps.requests.map((request) => request.budgetUsd)).toEqual([1.5, 0.5]);
  });

  it("spent by one: the next that costs nothing still works", async () => {
    const deps = await testPipeline({
      env: allow,
      providers: [{ ...stalling("a", "a1"), prefers: ["impl"] }, { ...stalling("b", "b1"), prefers: ["impl"] }, free()],
    });
    const { row } = await attemptOnce(deps, await newTask(deps, { context: { max_cost_usd: 1 } }));
    expect(row).toMatchObject({ status: "completed", model: "free/f1", spent_usd: 1 });
    expect(asked(deps)).toEqual(["a1", "f1"]);
  });

  it("a go in parts is told the rest at each, and ends with what it cost when there is none", async () => {
    const deps = await testPipeline({ env: allow, providers: [inParts(9)] });
    deps.work.continueAfterMs = 1000;
    const id = await newTask(deps, { context: { max_cost_usd: 2.5 } });
    const { row } = await attemptOnce(deps, id);
    expect(deps.requests.map((request) => request.budgetUsd)).toEqual([2.5, 1.5, 0.5]);
    expect(row).toMatchObject({ spent_usd: 3, tries: 0 });
    expect((await attemptOf(deps, id, 1)).tried).toMatchObject([{ class: "budget", usage: { cost_usd: 3 } }]);
    expect((await Metrics.read(deps)).usage).toMatchObject({ cost_usd: 3, cost_coverage: 1 });
    expect((await attemptOnce(deps, id)).row.decision_prompt).toContain("$3.00 of $2.50");
  });
});

describe("what was paid is kept", () => {
  const env = { AGENT_ALLOW_PAID_PROVIDERS: "1" };
  const target = { provider: "paid", account: "none", model: "p1" };
  const said = async (deps: TestPipeline, id: string) => [
    (await rowOf(deps, id)).spent_usd,
    (await Metrics.read(deps)).usage.cost_usd,
  ];

  it.each([
    ["its model has failed others meanwhile", false],
    ["it is itself what tests a model that cooled down", true],
  ])("a run that paused goes on, though %s", async (_name, tests) => {
    const deps: TestPipeline = await testPipeline({
      env,
      providers: [inParts(2, () => (tests ? undefined : coolDown(deps, target, limited)))],
    });
    const limited = { class: "rate_limit", message: "429" } as const;
    deps.work.continueAfterMs = 1000;
    if (tests) {
      await coolDown(deps, target, limited);
      await deps.clock.advance(30_000);
    }
    const id = await newTask(deps);
    expect((await attemptOnce(deps, id)).row.status).toBe("completed");
    expect(await attemptOf(deps, id, 1)).toMatchObject({ tried: [], usage: { cost_usd: 2 } });
    expect(await said(deps, id)).toEqual([2, 2]);
  });

  it.each<[string, (deps: TestPipeline, id: string) => Promise<unknown>]>([
    ["cancelled", (deps, id) => Pipeline.cancel(deps, id)],
    ["released", (deps, id) => Pipeline.release(deps, id)],
    ["reaped", async (deps) => (await deps.clock.advance(deps.work.leaseMs), Pipeline.reap(deps))],
    ["ended with its execution", (deps, id) => Pipeline.executionEnded(deps, id, 1)],
  ])("when a paused run is %s", async (_name, end) => {
    const deps = await testPipeline({ env, providers: [inParts(2)] });
    deps.work.continueAfterMs = 1000;
    const one = await plannedOne(deps);
    expect((await Pipeline.invoke(deps, one, never)).kind).toBe("continue");
    await end(deps, one.taskId);
    expect((await attemptOf(deps, one.taskId, 1)).ended_at).toBeDefined();
    expect(await said(deps, one.taskId)).toEqual([1, 1]);
    expect((await Metrics.read(deps)).by_provider).toMatchObject({ paid: { cost_usd: 1 } });
  });

  it("of a step that was cut off: what it said it used, at the latest a renewal before", async () => {
    let began = () => {};
    const working = new Promise<void>((resolve) => (began = resolve));
    const deps = await testPipeline({
      env,
      providers: [
        scripted(
          "paid",
          ({ used }, signal) => {
            used?.(DOLLAR);
            began();
            return new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("aborted"))));
          },
          { models: models("p1"), capabilities: PAID },
        ),
      ],
    });
    const cut = new AbortController();
    const one = await plannedOne(deps);
    const invoked = Pipeline.invoke(deps, one, cut.signal);
    await working;
    await deps.clock.advance(deps.work.leaseMs / 3);
    while ((await attemptOf(deps, one.taskId, 1)).usage === undefined) await new Promise((go) => setImmediate(go));
    cut.abort(new Error("the step's time is over"));
    await invoked;
    await Pipeline.recordFailure(deps, { ...one, kind: "fallback" });
    expect((await attemptOf(deps, one.taskId, 1)).tried).toMatchObject([{ class: "lost", usage: DOLLAR }]);
    await Pipeline.settle(deps, { taskId: one.taskId, attempt: 1 });
    expect(await said(deps, one.taskId)).toEqual([1, 1]);
  });

  it("of a run that was not done in time: what it said it used by then", async () => {
    const deps = await testPipeline({
      env: { ...env, AGENT_TASK_TIMEOUT: "60" },
      providers: [
        scripted(
          "paid",
          ({ used }, signal) => {
            used?.(DOLLAR);
            return new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("aborted"))));
          },
          { models: models("p1"), capabilities: PAID },
        ),
      ],
    });
    const id = await newTask(deps);
    const run = attemptOnce(deps, id);
    while (deps.requests.length === 0) await new Promise((go) => setImmediate(go));
    await deps.clock.advance(60_000);
    await run;
    expect((await attemptOf(deps, id, 1)).tried).toMatchObject([{ class: "stalled", usage: DOLLAR }]);
    expect(await said(deps, id)).toEqual([1, 1]);
  });
});

describe("budgets of money", () => {
  const env = { AGENT_ALLOW_PAID_PROVIDERS: "1" };

  it("a task's: spent over its attempts, then a question that names the sums and the remedy", async () => {
    const bad = scripted("paid", () => failed("bad_result", DOLLAR), { models: models("p1"), capabilities: PAID });
    const deps = await testPipeline({ env, providers: [bad] });
    const id = await newTask(deps, { context: { max_cost_usd: 1 } });
    expect((await attemptOnce(deps, id)).row).toMatchObject({ status: "pending", spent_usd: 1, tries: 1 });
    const { row } = await attemptOnce(deps, id);
    expect(row).toMatchObject({ status: "needs_decision", tries: 1 });
    expect(row.decision_prompt).toContain("the task's cost budget is spent: $1.00 of $1.00");
    expect(row.decision_prompt).toContain("max_cost_usd");
    expect(asked(deps)).toHaveLength(1);
    expect(await episodes(deps)).toEqual(["paid cost_overrun 1"]);
  });

  it("a model whose price nobody knows is not asked for it, and the remedy is named; without a budget it is", async () => {
    const { tells_cost: _, ...silent } = PAID;
    const deps = await testPipeline({
      env,
      providers: [scripted("paid", () => finished(undefined, DOLLAR), { models: models("p1"), capabilities: silent })],
    });
    const { row } = await attemptOnce(deps, await newTask(deps, { context: { max_cost_usd: 1 } }));
    expect(row).toMatchObject({ status: "needs_decision", tries: 0 });
    expect(row.decision_prompt).toMatch(/price is unknown.*Give p1 a price in coherence\.config\.json/s);
    expect(asked(deps)).toEqual([]);
    expect((await attemptOnce(deps, await newTask(deps))).row.status).toBe("completed");
  });

  it("a task's: the rest of it bounds a run that can tell its cost", async () => {
    const deps = await testPipeline({ env, providers: [paid()] });
    await attemptOnce(deps, await newTask(deps, { context: { max_cost_usd: 2.5 } }));
    await attemptOnce(deps, await newTask(deps));
    expect(deps.requests.map((request) => request.budgetUsd)).toEqual([2.5, undefined]);
  });

  it("spent: what costs nothing still works", async () => {
    const bad = { ...paid(), prefers: ["impl" as const], run: async () => failed("bad_result", DOLLAR) };
    const deps = await testPipeline({ env, providers: [bad, free()] });
    const id = await newTask(deps, { context: { max_cost_usd: 1 } });
    await attemptOnce(deps, id);
    expect((await attemptOnce(deps, id)).row).toMatchObject({ status: "completed", model: "free/f1" });
    expect(asked(deps)).toEqual(["p1", "f1"]);
  });

  it("an item's: all its tasks count", async () => {
    const deps = await testPipeline({
      env: { ...env, PIPELINE_ITEM_MAX_COST_USD: "2" },
      providers: [paid()],
    });
    await pushItems(deps, ["x"]);
    await untilStill(deps);
    const item = await itemOf(deps, "x");
    expect(item.state).toBe("asking");
    expect((await rowOf(deps, item.task ?? "")).decision_prompt).toContain(
      "the item's cost budget is spent: $2.00 of $2.00",
    );
    expect(asked(deps)).toHaveLength(2);
  });

  it("the day's: parked until the next UTC day, then it goes on", async () => {
    const deps = await testPipeline({ env: { ...env, PIPELINE_DAY_MAX_COST_USD: "3" }, providers: [paid()] });
    for (let i = 0; i < 3; i++) await attemptOnce(deps, await newTask(deps));
    const { row } = await attemptOnce(deps, await newTask(deps));
    expect(row).toMatchObject({ status: "pending", tries: 0, retry_not_before: NOON + 12 * HOUR });
    expect(row.wait_reason).toContain("the day's cost budget is spent: $3.00 of $3.00");
    await untilStill(deps);
    expect((await rowOf(deps, row.id)).status).toBe("completed");
  });

  it("at most what is under way is overspent", async () => {
    const deps = await testPipeline({
      env: { ...env, PIPELINE_DAY_MAX_COST_USD: "1", AGENT_RUNNER_WORKERS: "5" },
      providers: [paid()],
    });
    await Promise.all(Array.from({ length: 30 }, () => newTask(deps)));
    for (let i = 0; i < 10; i++) {
      const started = await Pipeline.dispatch(deps);
      await Promise.all(started.map(async (id) => drive(deps, id, (await rowOf(deps, id)).att)));
    }
    expect(asked(deps).length).toBeLessThanOrEqual(5);
    expect(await Metrics.costOfDay(deps, deps.clock.now())).toBe(asked(deps).length);
  });

  it.each([
    ["the day's", { PIPELINE_DAY_MAX_COST_USD: "1" }],
    ["a window", { PAID_TOOL_8H_LIMIT: "3" }],
  ])("%s that was raised meanwhile: who was parked for it goes on at the next start", async (_name, limits) => {
    const deps = await testPipeline({ env: { ...env, ...limits }, providers: [paid()] });
    await attemptOnce(deps, await newTask(deps));
    const { row } = await attemptOnce(deps, await newTask(deps));
    expect(row).toMatchObject({ status: "pending", waits_for: ["money"] });
    await Pipeline.wake(deps, { kind: "money" });
    await Pipeline.dispatch({ ...deps, config: (await testPipeline({ env })).config });
    expect((await rowOf(deps, row.id)).status).toBe("running");
  });

  it("retry begins with the budget whole", async () => {
    const bad = scripted("paid", () => failed("bad_result", DOLLAR), { models: models("p1"), capabilities: PAID });
    const deps = await testPipeline({ env, providers: [bad] });
    const id = await newTask(deps, { context: { max_cost_usd: 5 } });
    await attemptOnce(deps, id);
    await attemptOnce(deps, id);
    expect(await rowOf(deps, id)).toMatchObject({ status: "failed", spent_usd: 2 });
    await Pipeline.retry(deps, id);
    expect((await rowOf(deps, id)).spent_usd).toBeUndefined();
  });
});

describe("an item's money when a person begins anew", () => {
  const env = { AGENT_ALLOW_PAID_PROVIDERS: "1", PIPELINE_ITEM_MAX_COST_USD: "100" };
  const bad = () => scripted("paid", () => failed("bad_result", DOLLAR), { models: models("p1"), capabilities: PAID });

  it("is whole for an item that was abandoned", async () => {
    const deps = await testPipeline({ env, providers: [bad()] });
    await pushItems(deps, ["x"]);
    await untilStill(deps);
    expect((await itemOf(deps, "x")).state).toBe("abandoned");
    const before = deps.requests.length;
    await Pipeline.retryItem(deps, "b", "x");
    await untilStill(deps);
    const left = deps.requests.map((request) => request.budgetUsd);
    expect([left[0], left[1], left[before], left[before + 1]]).toEqual([100, 99, 100, 99]);
  });

  it("still counts what a task of it had cost before the task was retried", async () => {
    const deps = await testPipeline({ env, providers: [bad()] });
    await pushItems(deps, ["x"]);
    await untilStill(deps, 1);
    const { task } = await itemOf(deps, "x");
    await Pipeline.cancel(deps, task ?? "", "a person looked at it");
    await Pipeline.retry(deps, task ?? "");
    await untilStill(deps);
    expect(deps.requests.map((request) => request.budgetUsd).slice(0, 3)).toEqual([100, 99, 98]);
  });
});

it("a model that always says done and leaves nothing is stopped by its tries, its cost shown", async () => {
  const deps = await testPipeline({
    env: { AGENT_ALLOW_PAID_PROVIDERS: "1" },
    providers: [scripted("paid", () => failed("bad_result", DOLLAR), { models: models("p1"), capabilities: PAID })],
  });
  const id = await newTask(deps);
  await untilStill(deps);
  const { row, parts } = await wholeOf(deps, id);
  expect(row).toMatchObject({ status: "failed", tries: 2, spent_usd: 2 });
  expect(parts.error?.message).toContain("all 2 tries are spent");
  expect(asked(deps)).toHaveLength(2);
  expect((await attemptOf(deps, id, 1)).tried).toMatchObject([{ usage: DOLLAR }]);
  expect((await Metrics.read(deps)).usage).toMatchObject({ cost_usd: 2, cost_coverage: 1 });
});

it("FAILURES 55: a fallback's run shows its own cost, and the one that failed before it shows what that cost", async () => {
  const cut = { ...DOLLAR, tokens_in: 7, tokens_out: 1 };
  const deps = await testPipeline({
    env: { AGENT_ALLOW_PAID_PROVIDERS: "1" },
    providers: [
      scripted("first", () => failed("stalled", cut), { models: models("a1") }),
      scripted("second", () => finished(undefined, { ...USAGE, cost_usd: 0.25 }), { models: models("b1") }),
    ],
  });
  await attemptOnce(deps, await newTask(deps));
  const { by_provider, by_model, usage } = await Metrics.read(deps);
  expect(by_provider).toMatchObject({
    first: { count: 0, cost_usd: 1, tokens_in: 7, completed: 0 },
    second: { count: 1, cost_usd: 0.25, tokens_in: 100, completed: 1 },
  });
  expect(Object.keys(by_model)).toEqual(["second/b1", "first/a1"]);
  expect(usage).toMatchObject({ cost_usd: 1.25, coverage: 1, cost_coverage: 1 });
});

it("FAILURES 55: a fallback whose cost nobody knows is unknown, not free, though the one before it said", async () => {
  const unknown = { tokens_in: null, tokens_out: null, tokens_cached: null, cost_usd: null };
  const deps = await testPipeline({
    providers: [
      scripted("first", () => failed("stalled", DOLLAR), { models: models("a1") }),
      scripted("second", () => finished(undefined, unknown), { models: models("b1") }),
    ],
  });
  await attemptOnce(deps, await newTask(deps));
  expect((await Metrics.read(deps)).by_provider).toMatchObject({ first: { cost_usd: 1 }, second: { cost_usd: null } });
});

it("a run whose cost nobody knows is not hidden behind the next one's: the coverage says so, by provider too", async () => {
  const silent = { tokens_in: null, tokens_out: null, tokens_cached: null, cost_usd: null };
  const deps = await testPipeline({
    env: { AGENT_ALLOW_PAID_PROVIDERS: "1" },
    providers: [
      scripted("first", () => failed("stalled", silent), { models: models("a1") }),
      scripted("second", () => finished(undefined, DOLLAR), { models: models("b1") }),
    ],
  });
  await attemptOnce(deps, await newTask(deps));
  const { by_provider, usage } = await Metrics.read(deps);
  expect(usage).toMatchObject({ cost_usd: 1, coverage: 0.5, cost_coverage: 0.5 });
  expect(by_provider).toMatchObject({ first: { cost_usd: null, tokens_in: null }, second: { cost_usd: 1 } });
});

it("a retry takes a task's end back, and what its candidates cost counts once", async () => {
  const deps = await testPipeline({
    env: { AGENT_ALLOW_PAID_PROVIDERS: "1" },
    providers: [
      scripted("first", () => failed("stalled", DOLLAR), { models: models("a1") }),
      scripted("second", () => failed("bad_result", DOLLAR), { models: models("b1") }),
    ],
  });
  const id = await newTask(deps);
  await untilStill(deps);
  expect((await rowOf(deps, id)).status).toBe("failed");
  const before = (await Metrics.read(deps)).by_provider;
  await Pipeline.retry(deps, id);
  const after = (await Metrics.read(deps)).by_provider;
  const costs = (by: typeof before) => Object.entries(by).map(([name, { cost_usd }]) => [name, cost_usd]);
  expect(costs(after)).toEqual(costs(before));
});
