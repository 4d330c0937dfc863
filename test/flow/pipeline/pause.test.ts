import { describe, expect, it } from "vitest";
import * as Pipeline from "../../../core/flow/pipeline/index.ts";
import * as Store from "../../../core/ground/store/index.ts";
import { Keys } from "../../../core/ground/store/index.ts";
import * as Metrics from "../../../core/work/metrics/index.ts";
import * as Status from "../../../core/watch/status/index.ts";
import {
  attemptOnce,
  drive,
  itemOf,
  meanwhile,
  newTask,
  pushItems,
  rowOf,
  testPipeline,
  untilStill,
  type TestPipeline,
} from "../../support/pipeline.ts";

/** A new task a moment after the one before: tasks of one millisecond have no order. */
const next = async (deps: TestPipeline, input: Parameters<typeof newTask>[1] = {}) => {
  await deps.clock.advance(1);
  return newTask(deps, input);
};

const HOST = { env: { AGENT_RUNNER_WORKERS: "3" } };

describe("pausing", () => {
  it("of all: nothing is started, and after it resumes everything is", async () => {
    const deps = await testPipeline(HOST);
    const ids = [await next(deps), await next(deps)];
    await Pipeline.pause(deps, { kind: "all" }, "the night is over");
    expect(await Pipeline.dispatch(deps)).toEqual([]);
    expect(await Pipeline.paused(deps)).toEqual([
      { kind: "all", since: deps.clock.now(), reason: "the night is over" },
    ]);
    await Pipeline.resume(deps, { kind: "all" });
    expect(await Pipeline.paused(deps)).toEqual([]);
    expect(await Pipeline.dispatch(deps)).toEqual(ids);
  });

  it("of all, while a dispatch is at work: no claim comes after the pause", async () => {
    const deps = await testPipeline(HOST);
    const id = await newTask(deps);
    meanwhile(deps.store, "write", "A#001", () => Pipeline.pause(deps, { kind: "all" }, ""));
    expect(await Pipeline.dispatch(deps)).toEqual([]);
    expect(await rowOf(deps, id)).toMatchObject({ status: "pending", att: 0 });
  });

  it("what runs goes on and settles", async () => {
    const deps = await testPipeline(HOST);
    const id = await newTask(deps);
    await Pipeline.dispatch(deps);
    await Pipeline.pause(deps, { kind: "all" }, "");
    await Pipeline.cancel(deps, id);
    expect((await rowOf(deps, id)).status).toBe("cancelled");
  });

  it("of a type: others go on, however many of it stand before them, and it keeps its place", async () => {
    const deps = await testPipeline(HOST);
    const held = [];
    for (let i = 0; i < 12; i++) held.push(await next(deps, { priority: i === 11 ? 90 : 50 }));
    const review = await newTask(deps, { task_type: "review" });
    await Pipeline.pause(deps, { kind: "type", type: "impl" }, "");
    expect(await Pipeline.dispatch(deps)).toEqual([review]);
    expect(await rowOf(deps, held[0] ?? "")).toMatchObject({ status: "pending", wait_reason: "paused: impl tasks" });
    expect(await Status.placeOf(deps, await rowOf(deps, held[0] ?? ""))).toMatchObject({
      position: null,
      waits_for: "paused: impl tasks",
    });
    expect((await Status.standing(deps)).waiting).toEqual({ pipeline: 0, external: 0, parked: 0, held: 12 });

    await Pipeline.resume(deps, { kind: "type", type: "impl" });
    expect(await Pipeline.paused(deps)).toEqual([]);
    expect(await Pipeline.dispatch(deps)).toEqual([held[11], held[0]]);
    expect((await rowOf(deps, held[1] ?? "")).wait_reason).toBeUndefined();
    // The pause is forgotten once nothing of it is left aside.
    await deps.clock.advance(61_000);
    await Pipeline.dispatch(deps);
    expect((await Store.get(deps.store, Keys.lock("dispatch")))?.pauses).toEqual({});
  });

  it("a host that dies while it brings tasks back leaves them to the next dispatch", async () => {
    const deps = await testPipeline(HOST);
    const ids = [];
    for (let i = 0; i < 4; i++) ids.push(await next(deps));
    await Pipeline.pause(deps, { kind: "type", type: "impl" }, "");
    await Pipeline.dispatch(deps);
    await Pipeline.resume(deps, { kind: "type", type: "impl" });
    meanwhile(deps.store, "write", ids[1] ?? "", async () => {
      throw new Error("killed");
    });
    await expect(Pipeline.dispatch(deps)).rejects.toThrow("killed");
    expect(await Pipeline.dispatch(deps)).toEqual(ids.slice(0, 3));
  });

  it("of a type: items whose next step it is keep their places, so that no more begin than the cap", async () => {
    const deps = await testPipeline({ env: { AGENT_RUNNER_WORKERS: "1" } });
    await pushItems(deps, ["a", "b"]);
    await Pipeline.pause(deps, { kind: "type", type: "impl" }, "");
    await untilStill(deps);
    expect([(await itemOf(deps, "a")).state, (await itemOf(deps, "b")).state]).toEqual(["impl", "queued"]);
    await Pipeline.resume(deps, { kind: "type", type: "impl" });
    await untilStill(deps);
    expect([(await itemOf(deps, "a")).state, (await itemOf(deps, "b")).state]).toEqual(["done", "done"]);
  });

  it("of a type: what a dispatch puts aside while it is resumed is not left behind", async () => {
    const deps = await testPipeline(HOST);
    const id = await next(deps);
    await Pipeline.pause(deps, { kind: "type", type: "impl" }, "");
    meanwhile(deps.store, "write", "paused: impl tasks", () => Pipeline.resume(deps, { kind: "type", type: "impl" }));
    expect(await Pipeline.dispatch(deps)).toEqual([]);
    expect((await rowOf(deps, id)).wait_reason).toBeUndefined();
    expect(await Pipeline.dispatch(deps)).toEqual([id]);
  });

  it("of a provider: its candidates are left out, tasks park without a budget spent, and resuming wakes them", async () => {
    const deps = await testPipeline();
    const id = await newTask(deps);
    await Pipeline.pause(deps, { kind: "provider", provider: "alpha" }, "too dear");
    expect((await attemptOnce(deps, id)).row).toMatchObject({
      status: "pending",
      wait_reason: "alpha: paused by an operator: too dear",
      tries: 0,
    });
    expect(await Pipeline.paused(deps)).toMatchObject([{ kind: "provider", provider: "alpha", reason: "too dear" }]);
    await Pipeline.resume(deps, { kind: "provider", provider: "alpha" });
    expect(await Pipeline.dispatch(deps)).toEqual([id]);
    expect((await rowOf(deps, id)).retry_not_before).toBeUndefined();
    await drive(deps, id, 2);
    expect((await rowOf(deps, id)).status).toBe("completed");
  });

  it("twice is once, and resuming what is not paused changes nothing", async () => {
    const deps = await testPipeline(HOST);
    await Pipeline.resume(deps, { kind: "type", type: "spec" });
    await Pipeline.pause(deps, { kind: "all" }, "a");
    await Pipeline.pause(deps, { kind: "all" }, "b");
    expect(await Pipeline.paused(deps)).toMatchObject([{ kind: "all", reason: "b" }]);
    await Pipeline.resume(deps, { kind: "all" });
    await Pipeline.resume(deps, { kind: "all" });
    expect(await Pipeline.paused(deps)).toEqual([]);
  });
});

describe("the place of a task", () => {
  it("is counted by priority and age, each queue for itself", async () => {
    const deps = await testPipeline();
    const first = await newTask(deps);
    await deps.clock.advance(1);
    const second = await newTask(deps);
    const high = await newTask(deps, { priority: 99 });
    await deps.clock.advance(1);
    const outside = await newTask(deps, { context: { dispatch: "external" } });
    const place = async (id: string) => (await Status.placeOf(deps, await rowOf(deps, id)))?.position;
    expect([await place(high), await place(first), await place(second), await place(outside)]).toEqual([1, 2, 3, 1]);
    await Pipeline.update(deps, second, { priority: 60 }, { kind: "operator" });
    expect([await place(high), await place(second), await place(first)]).toEqual([1, 2, 3]);
    await attemptOnce(deps, high);
    expect(await Status.placeOf(deps, await rowOf(deps, high))).toBeNull();
  });

  it("has an estimate once a run has been folded", async () => {
    const deps = await testPipeline();
    const ran = await newTask(deps);
    const waits = await newTask(deps);
    const estimate = async () => (await Status.placeOf(deps, await rowOf(deps, waits)))?.estimate_seconds;
    expect(await estimate()).toBeNull();
    await Pipeline.update(deps, ran, { status: "running", worker_id: "w" }, { kind: "operator" });
    await deps.clock.advance(100_000);
    await Pipeline.update(deps, ran, { status: "completed", worker_id: "w" }, { kind: "operator" });
    await deps.clock.advance(120_000);
    await Metrics.fold(deps);
    expect(await estimate()).toBe(50);
  });
});
