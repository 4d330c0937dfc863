import { describe, expect, it } from "vitest";
import * as Pipeline from "../../../core/flow/pipeline/index.ts";
import * as Friction from "../../../core/work/friction/index.ts";
import * as Metrics from "../../../core/work/metrics/index.ts";
import {
  attemptOf,
  attemptOnce,
  drive,
  failed,
  finished,
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
const PAID = { edits: true, runs_commands: true, where: "inline" as const, paid: true };

/** A paid provider whose every run costs a dollar, and one that costs nothing. */
const paid = () => scripted("paid", () => finished(undefined, DOLLAR), { models: models("p1"), capabilities: PAID });
const free = () => scripted("free", () => finished(undefined, { ...USAGE, cost_usd: 0 }), { models: models("f1") });

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

  it.each([
    ["query", "completed"],
    ["header", "completed"],
    ["auto_retry_openai_override", "pending"],
  ])("forced by %s: %s", async (source, status) => {
    const deps = await testPipeline({ env, providers: [paid()] });
    for (let i = 0; i < 2; i++) await attemptOnce(deps, await newTask(deps));
    const context = { force_paid_providers: true, force_paid_override_source: source };
    expect((await attemptOnce(deps, await newTask(deps, { context }))).row.status).toBe(status);
  });

  it("are rechecked when a go begins: no more than allowed are asked, however many were planned", async () => {
    const deps = await testPipeline({ env, providers: [paid()] });
    const ids = await Promise.all(Array.from({ length: 5 }, () => newTask(deps)));
    for (const id of ids) await attemptOnce(deps, id);
    expect(asked(deps)).toHaveLength(2);
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
  expect(Object.keys(by_model)).toEqual(["b1", "a1"]);
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
