import { describe, expect, test } from "vitest";
import * as Pipeline from "../../core/flow/pipeline/index.ts";
import * as Worker from "../../core/flow/worker/index.ts";
import { nameOf } from "../../core/ground/workflow/index.ts";
import * as Attempt from "../../core/work/attempt/index.ts";
import { react } from "../../functions/subscribers/subscribers.ts";
import { LIMITS } from "../../functions/runner/definition.ts";
import {
  attemptOf,
  finished,
  newTask,
  partition,
  rowOf,
  scripted,
  wholeOf,
  type PipelineOptions,
} from "../support/pipeline.ts";
import { path, until, withMachine, type Machine } from "./workflow-support.ts";

const machineAgent = (name = "alpha") =>
  scripted(name, () => finished(), {
    capabilities: {
      edits: true,
      runs_commands: true,
      where: "machine" as const,
      paid: false,
    },
  });

const withAgent = (more: PipelineOptions = {}) => withMachine({ providers: [machineAgent()], ...more });

/** A machine that registers and takes slots, but whose work the test does. */
async function silentWorker(deps: Machine, id = "w1"): Promise<{ slot(): Promise<Worker.Slot> }> {
  await Worker.register(deps, { id, capacity: 1, capabilities: ["alpha"] });
  return {
    async slot() {
      await until(() => deps.published.some((event) => event.type === "work.offered"), "the offer");
      const slot = (await Worker.find(deps, id))?.slots[0];
      if (!slot) throw new Error("no slot");
      return slot;
    },
  };
}

async function dispatched(deps: Machine): Promise<string> {
  const id = await newTask(deps);
  await Pipeline.dispatch(deps);
  return id;
}

describe("an offer", () => {
  test("is taken by the worker whose row names it, carried out, and completed by its token", async () => {
    const deps = await withAgent();
    const worker = await silentWorker(deps);
    const id = await dispatched(deps);
    const slot = await worker.slot();
    expect(slot).toMatchObject({ task: id, attempt: 1, turn: 1 });
    const order = await Attempt.readOrder<Worker.Order>(deps.store, { taskId: id, n: 1, turn: 1 });
    expect(order).toMatchObject({ candidate: { provider: "alpha" }, ref: { taskId: id, n: 1, turn: 1 } });
    const kind = await Pipeline.carryOut(deps, order as Worker.Order, new AbortController().signal);
    const answer = { taskId: id, attempt: 1, candidate: 0, kind };
    expect(await deps.machine.complete(slot.token, answer)).toBe(true);
    await deps.still();
    expect(await rowOf(deps, id)).toMatchObject({ status: "completed", model: "alpha/m1" });
    expect(path(deps, { id, att: 1 })).toEqual(["Plan", "Candidate?", "Offer", "Outcome?", "Settle"]);
    // The token was good once.
    expect(await deps.machine.complete(slot.token, answer)).toBe(false);
    expect(await deps.machine.heartbeat(slot.token)).toBe(false);
    expect(await deps.machine.fail(slot.token, "Late", "late")).toBe(false);
  });

  test("whose worker dies is a recorded failure after its heartbeat's time, and what it still says changes nothing", async () => {
    const deps = await withAgent();
    const worker = await silentWorker(deps);
    const id = await dispatched(deps);
    const slot = await worker.slot();
    await deps.clock.advance((LIMITS.heartbeatSeconds - 1) * 1000);
    expect(await deps.machine.heartbeat(slot.token)).toBe(true);
    await deps.clock.advance((LIMITS.heartbeatSeconds - 1) * 1000);
    expect(deps.machine.running()).toBe(1);
    await deps.clock.advance(2000);
    await deps.still();
    expect(path(deps, { id, att: 1 })).toEqual([
      "Plan",
      "Candidate?",
      "Offer",
      "CutOff",
      "RecordFailure",
      "Candidate?",
      "Settle",
    ]);
    expect((await attemptOf(deps, id, 1)).tried).toMatchObject([{ class: "lost", turn: 1 }]);
    expect(await rowOf(deps, id)).toMatchObject({ status: "pending", tries: 0, stalls: 1 });

    // The worker was only slow: it comes to its end now.
    const before = await partition(deps, id);
    const order = await Attempt.readOrder<Worker.Order>(deps.store, { taskId: id, n: 1, turn: 1 });
    await Pipeline.carryOut(deps, order as Worker.Order, new AbortController().signal);
    expect(await deps.machine.complete(slot.token, { taskId: id, attempt: 1, candidate: 0, kind: "outcome" })).toBe(
      false,
    );
    expect(await rowOf(deps, id)).toMatchObject({ status: "pending", tries: 0, stalls: 1 });
    const after = await partition(deps, id);
    const rows = (items: typeof before) => items.filter((item) => item.ent === "task" || item.ent === "attempt");
    expect(rows(after)).toEqual(rows(before));
  });

  test("that its worker gives back fails its candidate at once", async () => {
    const deps = await withAgent();
    const worker = await silentWorker(deps);
    const id = await dispatched(deps);
    const slot = await worker.slot();
    expect(await deps.machine.fail(slot.token, "WorkerStopped", "the machine shuts down")).toBe(true);
    await deps.still();
    expect((await attemptOf(deps, id, 1)).tried).toMatchObject([{ class: "lost" }]);
  });

  test("that is cancelled frees its token: a late complete changes nothing", async () => {
    const deps = await withAgent();
    const worker = await silentWorker(deps);
    const id = await dispatched(deps);
    const slot = await worker.slot();
    await Pipeline.cancel(deps, id);
    await deps.still();
    const before = await partition(deps, id);
    expect(await deps.machine.complete(slot.token, { taskId: id, attempt: 1, candidate: 0, kind: "outcome" })).toBe(
      false,
    );
    expect(await partition(deps, id)).toEqual(before);
    expect(await rowOf(deps, id)).toMatchObject({ status: "cancelled" });
  });

  test("that breaks leaves no token waiting", async () => {
    const deps = await withAgent();
    await silentWorker(deps);
    deps.settings = async () => {
      throw new Error("the repository is gone");
    };
    const id = await dispatched(deps);
    await deps.still();
    expect(path(deps, { id, att: 1 })).toContain("CutOff");
    expect((await attemptOf(deps, id, 1)).tried).toMatchObject([{ class: "lost" }]);
  });
});

describe("without a live worker", () => {
  test("the candidate is passed over as no_worker, the task parked, and woken when a worker is seen", async () => {
    const deps = await withAgent();
    const id = await dispatched(deps);
    await deps.still();
    expect(path(deps, { id, att: 1 })).toEqual(["Plan", "Candidate?", "Settle"]);
    expect((await attemptOf(deps, id, 1)).skipped).toMatchObject([{ provider: "alpha", class: "no_worker" }]);
    const parked = await rowOf(deps, id);
    expect(parked).toMatchObject({ status: "pending", tries: 0, stalls: 0 });
    expect(parked.retry_not_before).toBe(deps.clock.now() + 60_000);
    expect(parked.wait_reason).toContain("no live worker");

    await silentWorker(deps);
    let asked = 0;
    await react(deps, { dispatch: () => asked++, tick: () => {} }, { type: "worker.seen", worker: "w1" });
    expect(asked).toBe(1);
    expect(await Pipeline.dispatch(deps)).toEqual([id]);
    expect((await rowOf(deps, id)).retry_not_before).toBeUndefined();
    await deps.machine.close();
  });

  test("another candidate that needs none serves", async () => {
    const deps = await withMachine({ providers: [machineAgent(), scripted("beta", () => finished())] });
    const row = await deps.through();
    expect(row).toMatchObject({ status: "completed", model: "beta/m1" });
    expect((await attemptOf(deps, row.id, 1)).skipped).toMatchObject([{ provider: "alpha", class: "no_worker" }]);
  });

  test("that went between plan and offer, the offer says so and the next candidate serves", async () => {
    const deps = await withMachine({ providers: [machineAgent(), scripted("beta", () => finished())] });
    await Worker.register(deps, { id: "w1", capacity: 1, capabilities: ["alpha"] });
    const { settings } = deps;
    deps.settings = async () => (await Worker.leave(deps, "w1"), settings());
    const row = await deps.through();
    expect((await attemptOf(deps, row.id, 1)).tried).toMatchObject([{ provider: "alpha", class: "no_worker" }]);
    expect(row).toMatchObject({ status: "completed", model: "beta/m1" });
    expect((await wholeOf(deps, row.id)).parts.error).toBeUndefined();
    expect(path(deps, row)).toEqual([
      "Plan",
      "Candidate?",
      "Offer",
      "Outcome?",
      "RecordFailure",
      "Candidate?",
      "Invoke",
      "Outcome?",
      "Settle",
    ]);
    expect(nameOf(row.id, 1)).toBe(`${row.id}-1`);
  });

  test("a worker that is full has no slot for a second offer", async () => {
    const deps = await withMachine({ providers: [machineAgent(), scripted("beta", () => finished())] });
    const worker = await silentWorker(deps);
    await dispatched(deps);
    await worker.slot();
    const second = await newTask(deps);
    await Pipeline.dispatch(deps);
    await until(async () => (await rowOf(deps, second)).status === "completed", "the second");
    expect((await rowOf(deps, second)).model).toBe("beta/m1");
    expect((await Worker.find(deps, "w1"))?.slots).toHaveLength(1);
    await deps.machine.close();
  });
});
