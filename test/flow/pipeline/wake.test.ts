import { describe, expect, it } from "vitest";
import * as Pipeline from "../../../core/flow/pipeline/index.ts";
import * as Store from "../../../core/ground/store/index.ts";
import { Keys } from "../../../core/ground/store/index.ts";
import { meanwhile, newTask, rowOf, testPipeline, type TestPipeline } from "../../support/pipeline.ts";
import { between } from "../../support/wire.ts";

const ALPHA = { kind: "provider", provider: "alpha" } as const;
/** Parked far longer than any test waits. */
const HOUR_MS = 3_600_000;
/** Rows that a run may read while it wakes: those it looks at, and what a run reads anyway. */
const MOST_READ = 130;

/** A host with one slot, which another task has: what is woken stays in the queue, to be seen there. */
async function busy(): Promise<TestPipeline> {
  const deps = await testPipeline({ env: { AGENT_RUNNER_WORKERS: "1" } });
  await newTask(deps);
  await Pipeline.dispatch(deps);
  return deps;
}

async function parked(deps: TestPipeline, n: number, reason: string, ms = HOUR_MS): Promise<string[]> {
  const until = deps.clock.now() + ms;
  return Promise.all(
    Array.from({ length: n }, async () => {
      const id = await newTask(deps);
      await Store.write(deps.store, {
        kind: "update",
        key: Keys.task(id),
        set: {
          ...Keys.delayed(until, id),
          retry_not_before: until,
          wait_reason: reason,
          waits_for: [reason.includes("no live worker") ? "worker" : `${reason.split(":")[0]}:`],
        },
      });
      return id;
    }),
  );
}

const inQueue = (deps: TestPipeline) =>
  Store.countOf(deps.store, { index: "gsi3", pk: Keys.queuePartition("pipeline") });
const stillParked = (deps: TestPipeline) => Store.countOf(deps.store, { index: "gsi3", pk: Keys.DELAYED });

/** What `act` asks of the table, by operation. */
async function asked(deps: TestPipeline, act: () => Promise<unknown>): Promise<Record<string, number>> {
  const count: Record<string, number> = {};
  const end = between(deps.store, (operation, _input, next) => {
    count[operation] = (count[operation] ?? 0) + 1;
    return next();
  });
  await act();
  end();
  return count;
}

/** Runs as their event asks for them, until none does. */
async function toTheEnd(deps: TestPipeline): Promise<number> {
  for (let runs = 1; ; runs++) {
    deps.published.length = 0;
    expect((await asked(deps, () => Pipeline.dispatch(deps))).GetItem).toBeLessThan(MOST_READ);
    if (!deps.published.some(({ type }) => type === "queue.unfinished")) return runs;
    expect(runs).toBeLessThan(20);
  }
}

describe("resuming a provider", () => {
  it("costs the same however many tasks are parked, and runs of dispatch wake them by and by, those of others not", async () => {
    const deps = await busy();
    await Pipeline.pause(deps, ALPHA, "");
    await parked(deps, 1, "alpha: paused by an operator");
    const few = await asked(deps, () => Pipeline.resume(deps, ALPHA));
    await toTheEnd(deps);
    expect(await inQueue(deps)).toBe(1);

    await Pipeline.pause(deps, ALPHA, "");
    await parked(deps, 120, "alpha: paused by an operator");
    await parked(deps, 110, "beta: paused by an operator");
    deps.published.length = 0;
    expect(await asked(deps, () => Pipeline.resume(deps, ALPHA))).toEqual(few);
    expect(deps.published).toContainEqual({ type: "queue.resumed" });
    expect(await toTheEnd(deps)).toBeGreaterThan(1);
    expect([await inQueue(deps), await stillParked(deps)]).toEqual([121, 110]);
    expect((await asked(deps, () => Pipeline.dispatch(deps))).UpdateItem ?? 0).toBe(0);
  });

  it("whose events are lost: the minutes alone wake the last", async () => {
    const deps = await busy();
    await parked(deps, 110, "beta: cooling down");
    await parked(deps, 10, "alpha: paused by an operator", HOUR_MS + 1);
    await Pipeline.resume(deps, ALPHA);
    for (let minute = 0; minute < 2; minute++) {
      await Pipeline.dispatch(deps);
      await deps.clock.advance(60_000);
    }
    expect(await stillParked(deps)).toBe(110);
  });

  it("with nobody parked asks for nothing", async () => {
    const deps = await busy();
    await Pipeline.resume(deps, ALPHA);
    expect((await Pipeline.readLock(deps)).wakes).toEqual({});
  });
});

describe("waking", () => {
  it("again while it is under way: what was parked before its place meanwhile is woken too, and three times is once", async () => {
    const deps = await busy();
    await parked(deps, 110, "beta: cooling down");
    await Pipeline.wake(deps, ALPHA);
    await Pipeline.dispatch(deps);
    const [late = ""] = await parked(deps, 1, "alpha: could not be reached", HOUR_MS - 1);
    for (let i = 0; i < 3; i++) await Pipeline.wake(deps, ALPHA);
    expect(await toTheEnd(deps)).toBeLessThanOrEqual(4);
    expect((await rowOf(deps, late)).retry_not_before).toBeUndefined();
    expect((await Pipeline.readLock(deps)).wakes).toEqual({});
  });

  it("goes on where a host died", async () => {
    const deps = await busy();
    const ids = await parked(deps, 4, "alpha: could not be reached");
    await Pipeline.wake(deps, ALPHA);
    meanwhile(deps.store, "write", ids.sort()[2] ?? "", () => Promise.reject(new Error("killed")));
    await expect(Pipeline.dispatch(deps)).rejects.toThrow("killed");
    await toTheEnd(deps);
    expect([await inQueue(deps), await stillParked(deps)]).toEqual([4, 0]);
  });

  it("for a provider and for a worker at once: each wakes its own", async () => {
    const deps = await busy();
    const [alpha = ""] = await parked(deps, 1, "alpha: could not be reached");
    const [worker = ""] = await parked(deps, 1, "gamma: no live worker has it");
    const [other = ""] = await parked(deps, 1, "alphabet: could not be reached");
    await Promise.all([Pipeline.wake(deps, ALPHA), Pipeline.wake(deps, { kind: "worker" })]);
    await toTheEnd(deps);
    for (const id of [alpha, worker]) expect((await rowOf(deps, id)).retry_not_before).toBeUndefined();
    expect((await rowOf(deps, other)).retry_not_before).toBeDefined();
  });
});
