import { describe, expect, it } from "vitest";
import * as Pipeline from "../../../core/flow/pipeline/index.ts";
import { fail } from "../../../core/ground/errors.ts";
import * as Store from "../../../core/ground/store/index.ts";
import { Keys } from "../../../core/ground/store/index.ts";
import { injectConflicts } from "../../support/conflicts.ts";
import {
  attemptOf,
  drive,
  failed,
  finished,
  hold,
  inTurn,
  meanwhile,
  newTask,
  otherHost,
  rowOf,
  scripted,
  testPipeline,
  type TestPipeline,
} from "../../support/pipeline.ts";

const workers = (n: number) => ({ AGENT_RUNNER_WORKERS: String(n) });

async function many(deps: TestPipeline, n: number): Promise<string[]> {
  const ids: string[] = [];
  for (let i = 0; i < n; i++) {
    ids.push(await newTask(deps));
    await deps.clock.advance(1);
  }
  return ids;
}
const slots = async (deps: TestPipeline) =>
  ((await Store.get(deps.store, Keys.lock("dispatch")))?.slots ?? []) as { task: string; attempt: number }[];
const running = async (deps: TestPipeline) =>
  Store.countOf(deps.store, { index: "gsi1", pk: Keys.statusPartition("running", 0) });

describe("slots", () => {
  it("as many attempts start as there are slots, each with its execution named after it", async () => {
    const deps = await testPipeline({ env: workers(3) });
    const ids = await many(deps, 5);
    expect(await Pipeline.dispatch(deps)).toEqual(ids.slice(0, 3));
    expect(deps.started).toEqual(ids.slice(0, 3).map((id) => `${id}-1`));
    expect(await slots(deps)).toEqual(ids.slice(0, 3).map((task) => ({ task, attempt: 1 })));
    const attempt = await attemptOf(deps, ids[0] ?? "", 1);
    expect(attempt).toMatchObject({ by: "pipeline", owner: "h1/one", lease_ms: Pipeline.CLAIM_LEASE_MS });
    expect(await Pipeline.dispatch(deps)).toEqual([]);
  });

  it.each([0, 0.3])("never exceeded with 8 dispatches at once on two hosts (conflicts p = %d)", async (p) => {
    const deps = await testPipeline({ env: workers(5) });
    if (p > 0) injectConflicts(deps.store, p);
    const second = await otherHost(deps, { id: "h2", incarnation: "one" });
    const ids = await many(deps, 20);
    let done = 0;
    for (let round = 0; round < 40 && done < ids.length; round++) {
      const hosts = Array.from({ length: 8 }, (_, i) => (i % 2 === 0 ? deps : second));
      const started = (await Promise.all(hosts.map((host) => Pipeline.dispatch(host)))).flat();
      expect(new Set(started).size).toBe(started.length);
      expect(await running(deps)).toBeLessThanOrEqual(5);
      for (const id of started) await drive(deps, id, 1);
      done += started.length;
    }
    expect(done).toBe(20);
    expect(deps.started).toHaveLength(20);
    expect(new Set(deps.started).size).toBe(20);
    for (const id of ids) expect(await rowOf(deps, id)).toMatchObject({ status: "completed", att: 1 });
  });

  it("FAILURES 20: a freed slot is filled at once, no batch waits for its slowest", async () => {
    const deps = await testPipeline({ env: workers(2) });
    const ids = await many(deps, 4);
    await Pipeline.dispatch(deps);
    await drive(deps, ids[1] ?? "", 1);
    expect(await Pipeline.dispatch(deps)).toEqual([ids[2]]);
    expect((await slots(deps)).map((slot) => slot.task)).toEqual([ids[0], ids[2]]);
  });

  it.each(["cancel", "release"] as const)("%s frees the slot", async (verb) => {
    const deps = await testPipeline({ env: workers(1) });
    const [first = "", second] = await many(deps, 2);
    await Pipeline.dispatch(deps);
    await Pipeline[verb](deps, first);
    expect(await Pipeline.dispatch(deps)).toEqual([second]);
  });

  it("a client's claim takes none", async () => {
    const deps = await testPipeline({ env: workers(1) });
    const [first = "", second] = await many(deps, 2);
    await Pipeline.update(deps, first, { status: "running", worker_id: "w" }, { kind: "operator" });
    expect(await Pipeline.dispatch(deps)).toEqual([second]);
  });

  it.each([
    ["paused", { paused: true, itemsLeft: Infinity, until: Infinity }],
    ["past its hours", { paused: false, itemsLeft: Infinity, until: 0 }],
  ])("%s it starts nothing", async (_name, pace) => {
    const deps = await testPipeline();
    await many(deps, 2);
    deps.pace = pace;
    expect(await Pipeline.dispatch(deps)).toEqual([]);
  });
});

describe("FAILURES 20: the order of the queue", () => {
  it("higher priority first, the oldest first within it", async () => {
    const deps = await testPipeline({ env: workers(64) });
    const wanted: [number, number][] = [];
    const ids = new Map<string, string>();
    for (const [i, priority] of [50, 99, 0, 50, 99, 1].entries()) {
      ids.set(await newTask(deps, { priority }), `${priority}:${i}`);
      wanted.push([priority, i]);
      await deps.clock.advance(1);
    }
    const expected = wanted.sort(([a, i], [b, j]) => b - a || i - j).map(([priority, i]) => `${priority}:${i}`);
    expect((await Pipeline.dispatch(deps)).map((id) => ids.get(id))).toEqual(expected);
  });

  it("a task that was given back stands behind those that waited before", async () => {
    const deps = await testPipeline({ env: workers(1) });
    const [a = "", b = "", c = ""] = await many(deps, 3);
    const order: string[] = [];
    await Pipeline.dispatch(deps);
    await Pipeline.release(deps, a);
    for (let i = 0; i < 3; i++) {
      const [id = ""] = await Pipeline.dispatch(deps);
      order.push(id);
      await drive(deps, id, (await rowOf(deps, id)).att);
    }
    expect(order).toEqual([b, c, a]);
  });

  it("a task for outside runners is never started", async () => {
    const deps = await testPipeline();
    await newTask(deps, { context: { dispatch: "external" } });
    expect(await Pipeline.dispatch(deps)).toEqual([]);
  });

  it("tasks that outside runners lease hold up nobody behind them, however many they are", async () => {
    const deps = await testPipeline({ env: workers(2) });
    const leased = await many(deps, 60);
    const until = deps.clock.now() + 3_600_000;
    for (const id of leased)
      await Store.write(deps.store, {
        kind: "update",
        key: Keys.task(id),
        set: { run_id: "r", run_worker: "w", run_until: until },
      });
    const free = await many(deps, 3);
    expect(await Pipeline.dispatch(deps)).toEqual(free.slice(0, 2));
    for (const id of leased.slice(0, 3)) expect((await rowOf(deps, id)).status).toBe("pending");
  });
});

describe("parked tasks", () => {
  it("are not started before they are due, and then with the age they had", async () => {
    const answers = inTurn(failed({ class: "quota", message: "used up" }), finished());
    const deps = await testPipeline({ env: workers(1), providers: [scripted("alpha", answers)] });
    const [parked = ""] = await many(deps, 1);
    await Pipeline.dispatch(deps);
    await drive(deps, parked, 1);
    const { retry_not_before: until = 0 } = await rowOf(deps, parked);
    expect(until - deps.clock.now()).toBe(30 * 60_000);
    await deps.clock.advance(1000);
    const [later = ""] = await many(deps, 1);
    await deps.clock.advance(until - deps.clock.now() - 1);
    await Pipeline.cancel(deps, later);
    expect(await Pipeline.dispatch(deps)).toEqual([]);
    expect(await Pipeline.nextDue(deps)).toBe(until);
    const [young] = await many(deps, 1);
    expect(await Pipeline.dispatch(deps)).toEqual([parked]);
    await drive(deps, parked, 2);
    expect((await rowOf(deps, parked)).status).toBe("completed");
    expect(await Pipeline.dispatch(deps)).toEqual([young]);
  });

  it("are woken early by the event that ends their waiting, those with its reason alone", async () => {
    const deps = await testPipeline({
      providers: [scripted("cli", () => finished(), { family: "cli", capabilities: { where: "machine" } as never })],
    });
    const [a = ""] = await many(deps, 1);
    await Pipeline.dispatch(deps);
    await drive(deps, a, 1);
    expect(await rowOf(deps, a)).toMatchObject({ status: "pending", parks: 1 });
    await Pipeline.wake(deps, { kind: "provider", provider: "other" });
    expect(await Pipeline.dispatch(deps)).toEqual([]);
    await Pipeline.wake(deps, { kind: "provider", provider: "cli" });
    expect(await Pipeline.dispatch(deps)).toEqual([a]);
  });
});

describe("a crash between the claim and the start", () => {
  it("is healed by the reaper when the lease of a minute ends: the slot is free and the task goes again", async () => {
    const deps = await testPipeline({ env: workers(1) });
    const [id = ""] = await many(deps, 1);
    const start = deps.workflow.start;
    deps.workflow.start = async () => Promise.reject(new Error("the state machine is away"));
    expect(await Pipeline.dispatch(deps)).toEqual([id]);
    expect((await rowOf(deps, id)).status).toBe("running");
    deps.workflow.start = start;
    expect(await Pipeline.dispatch(deps)).toEqual([]);
    await deps.clock.advance(Pipeline.CLAIM_LEASE_MS);
    expect(await Pipeline.reap(deps)).toEqual([id]);
    expect(await Pipeline.dispatch(deps)).toEqual([id]);
    expect(deps.started).toEqual([`${id}-2`]);
    expect(await rowOf(deps, id)).toMatchObject({ status: "running", att: 2, stalls: 1 });
  });

  it("an execution that is there already was started by whoever held the slot before", async () => {
    const deps = await testPipeline();
    const [id = ""] = await many(deps, 1);
    deps.workflow.start = async () => Promise.reject(fail("workflow.exists", "it exists"));
    expect(await Pipeline.dispatch(deps)).toEqual([id]);
    expect((await rowOf(deps, id)).status).toBe("running");
  });

  it("killed right after the claim (the process is gone), the next life gives it back at once", async () => {
    const deps = await testPipeline({
      at: (point) => {
        if (point === "claimed") throw new Error("killed");
      },
    });
    const [id = ""] = await many(deps, 1);
    await expect(Pipeline.dispatch(deps)).rejects.toThrow("killed");
    const reborn = await otherHost(deps, { id: "h1", incarnation: "two" }, { at: () => {} });
    expect(await Pipeline.reapEarlierLives(reborn)).toEqual([id]);
    expect(await Pipeline.dispatch(reborn)).toEqual([id]);
    expect(deps.started).toEqual([`${id}-2`]);
  });
});

describe("a task that the table cannot take", () => {
  it("is said in the log and holds up nobody behind it", async () => {
    const deps = await testPipeline({ env: workers(2) });
    const [first = "", second] = await many(deps, 2);
    const refusal = Object.assign(new Error("Item size has exceeded"), { name: "ValidationException" });
    meanwhile(deps.store, "write", `"T#${first}"`, () => Promise.reject(refusal));
    expect(await Pipeline.dispatch(deps)).toEqual([second]);
  });

  it("a store that is away is no fault of a task's: the dispatch ends", async () => {
    const deps = await testPipeline({ env: workers(2) });
    await many(deps, 2);
    meanwhile(deps.store, "write", "A#001", () => Promise.reject(new Error("away")));
    await expect(Pipeline.dispatch(deps)).rejects.toThrow("away");
  });
});

describe("a claim from elsewhere between dispatch's reading and its writing", () => {
  it("is passed over, and the slot goes to the next", async () => {
    const deps = await testPipeline({ env: workers(1) });
    const [first = "", second] = await many(deps, 2);
    meanwhile(deps.store, "read", `"T#${first}"`, () => hold(deps, first));
    expect(await Pipeline.dispatch(deps)).toEqual([second]);
    expect((await rowOf(deps, first)).att).toBe(1);
  });
});
