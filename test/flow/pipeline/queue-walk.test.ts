import { describe, expect, it } from "vitest";
import * as Pipeline from "../../../core/flow/pipeline/index.ts";
import * as Store from "../../../core/ground/store/index.ts";
import { Keys } from "../../../core/ground/store/index.ts";
import { react } from "../../../functions/subscribers/subscribers.ts";
import { newTask, testPipeline, type TestPipeline } from "../../support/pipeline.ts";
import { between } from "../../support/wire.ts";

/** Far more tasks than a run looks at, none of which can be started. */
const MANY = 250;
/** Rows that a run may read: those of the tasks it looks at, of its head and behind it, of parked ones, and the lock. */
const MOST_READ = 260;

const two = () => testPipeline({ env: { AGENT_RUNNER_WORKERS: "2" } });

async function crowd(deps: TestPipeline, input: Parameters<typeof newTask>[1] = {}): Promise<string[]> {
  const ids = await Promise.all(Array.from({ length: MANY }, () => newTask(deps, input)));
  await deps.clock.advance(1);
  return ids;
}

/** Tasks that an outside runner has reserved. */
async function reserved(deps: TestPipeline, ms = 86_400_000): Promise<string[]> {
  const ids = await crowd(deps);
  await Promise.all(ids.map((id) => reserve(deps, id, ms)));
  return ids;
}
const reserve = (deps: TestPipeline, id: string, ms: number) =>
  Store.write(deps.store, {
    kind: "update",
    key: Keys.task(id),
    set: { run_id: "r", run_worker: "w", run_until: deps.clock.now() + ms },
  });

/** A run, what it asked of the table, and whether it said that it did not come to the end. */
async function run(deps: TestPipeline): Promise<{ started: string[]; unfinished: boolean }> {
  let rows = 0;
  deps.published.length = 0;
  const end = between(deps.store, (operation, _input, next) => {
    if (operation === "GetItem") rows++;
    return next();
  });
  const started = await Pipeline.dispatch(deps);
  end();
  expect(rows).toBeLessThan(MOST_READ);
  return { started, unfinished: deps.published.some(({ type }) => type === "queue.unfinished") };
}

/** Runs as its event asks for them, until none does. */
async function toTheEnd(deps: TestPipeline): Promise<{ started: string[]; runs: number }> {
  const started: string[] = [];
  for (let runs = 1; ; runs++) {
    const one = await run(deps);
    started.push(...one.started);
    if (!one.unfinished) return { started, runs };
    expect(runs).toBeLessThan(20);
  }
}

describe("a queue of more tasks than a run looks at", () => {
  it("which outside runners have reserved: each run is bounded, the next goes on behind it, and the last is reached", async () => {
    const deps = await two();
    await reserved(deps);
    const free = await newTask(deps);
    expect(await run(deps)).toEqual({ started: [], unfinished: true });
    expect((await toTheEnd(deps)).started).toEqual([free]);
  });

  it("whose events are lost: the minutes alone reach the last", async () => {
    const deps = await two();
    await reserved(deps);
    const free = await newTask(deps);
    const started: string[] = [];
    for (let minute = 0; minute < 3 && started.length === 0; minute++) {
      deps.published.length = 0;
      started.push(...(await Pipeline.dispatch(deps)));
      await deps.clock.advance(60_000);
    }
    expect(started).toEqual([free]);
  });

  it("where none can be started: it is walked once, and rests until something happens", async () => {
    const deps = await two();
    await reserved(deps);
    expect(await toTheEnd(deps)).toEqual({ started: [], runs: 2 });
    expect((await run(deps)).unfinished).toBe(true);
  });

  it("what comes to its head meanwhile is met by the next run", async () => {
    const deps = await two();
    await reserved(deps);
    const last = await newTask(deps);
    await run(deps);
    const urgent = await newTask(deps, { priority: 90 });
    const { started } = await run(deps);
    expect(started).toContain(urgent);
    if (!started.includes(last)) started.push(...(await toTheEnd(deps)).started);
    expect(started).toEqual([urgent, last]);
  });

  it("after a claim is walked from its head again: the first that can be started is the next", async () => {
    const deps = await testPipeline({ env: { AGENT_RUNNER_WORKERS: "1" } });
    const ids = await reserved(deps);
    const [free = "", another] = [await newTask(deps), await newTask(deps)];
    const { started } = await toTheEnd(deps);
    expect(started).toHaveLength(1);
    expect([free, another]).toContain(started[0]);
    const queue = await Store.query(deps.store, { index: "gsi3", pk: Keys.queuePartition("pipeline"), limit: 150 });
    const middle = queue.items[149]?.pk.slice(2) ?? "";
    expect(ids).toContain(middle);
    await reserve(deps, middle, -1);
    await Pipeline.cancel(deps, started[0] ?? "");
    expect((await toTheEnd(deps)).started).toEqual([middle]);
  });

  it("of a type that is paused: they are put aside by and by, and what stands behind them is started", async () => {
    const deps = await two();
    await crowd(deps);
    const review = await newTask(deps, { task_type: "review" });
    await Pipeline.pause(deps, { kind: "type", type: "impl" }, "");
    const { started, runs } = await toTheEnd(deps);
    expect(started).toEqual([review]);
    expect(runs).toBeGreaterThan(1);
    const aside = { index: "gsi3", pk: Keys.asidePartition("pipeline", "impl") } as const;
    expect(await Store.countOf(deps.store, aside)).toBe(MANY);
    await Pipeline.resume(deps, { kind: "type", type: "impl" });
    await Pipeline.cancel(deps, review);
    expect((await toTheEnd(deps)).started).toHaveLength(2);
  });

  it("that are parked and due at once: they are put back by and by, asked for by the run itself", async () => {
    const deps = await two();
    const ids = await crowd(deps);
    const until = deps.clock.now() + 1000;
    await Promise.all(
      ids.map((id) =>
        Store.write(deps.store, {
          kind: "update",
          key: Keys.task(id),
          set: { ...Keys.delayed(until, id), retry_not_before: until, wait_reason: "alpha: later" },
        }),
      ),
    );
    await deps.clock.advance(1000);
    const { started, runs } = await toTheEnd(deps);
    expect(started).toHaveLength(2);
    expect(runs).toBeGreaterThan(1);
    expect(await Store.countOf(deps.store, { index: "gsi3", pk: Keys.DELAYED })).toBe(0);
  });

  it("walked by two hosts at once: everything is started once", async () => {
    const deps = await two();
    await reserved(deps);
    const free = await newTask(deps);
    const started: string[] = [];
    for (let i = 0; i < 4; i++)
      started.push(...(await Promise.all([Pipeline.dispatch(deps), Pipeline.dispatch(deps)])).flat());
    expect(started).toEqual([free]);
  });
});

it("the event of a run that did not come to the end is followed by the next run", async () => {
  let runs = 0;
  await react(await two(), { dispatch: () => void runs++, tick: () => {} }, { type: "queue.unfinished" });
  expect(runs).toBe(1);
});
