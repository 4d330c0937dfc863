import { expect, test } from "vitest";
import * as Pipeline from "../../core/flow/pipeline/index.ts";
import * as Worker from "../../core/flow/worker/index.ts";
import { startWorker } from "../../functions/worker/worker.ts";
import { attemptOf, finished, newTask, rowOf, scripted } from "../support/pipeline.ts";
import { until, withMachine, type Machine } from "./workflow-support.ts";

const CAPABLE = {
  edits: true,
  runs_commands: true,
  where: "machine" as const,
  paid: false,
};

async function offered(deps: Machine, count = 1): Promise<string[]> {
  const ids: string[] = [];
  for (let i = 0; i < count; i++) ids.push(await newTask(deps));
  await Pipeline.dispatch(deps);
  await until(() => deps.published.filter((event) => event.type === "work.offered").length >= count, "the offers");
  return ids;
}

test("takes the orders it has slots for, answers their tokens and frees the slots", async () => {
  const deps = await withMachine({ providers: [scripted("alpha", () => finished(), { capabilities: CAPABLE })] });
  const worker = await startWorker(deps, { id: "w1", capacity: 2, capabilities: ["alpha"] });
  const ids = await offered(deps, 2);
  // Looked for twice at once, an order is carried out once.
  await Promise.all([worker.look(), worker.look(), worker.look()]);
  await deps.still();
  for (const id of ids) expect(await rowOf(deps, id)).toMatchObject({ status: "completed" });
  expect(deps.requests).toHaveLength(2);
  await until(async () => (await Worker.find(deps, "w1"))?.slots.length === 0, "free slots");
  await worker.close();
  expect(await Worker.find(deps, "w1")).toBeUndefined();
});

test("without an event it finds its orders by its own beat, and keeps what it holds alive", async () => {
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  const deps = await withMachine({
    providers: [scripted("alpha", () => held.then(() => finished()), { capabilities: CAPABLE })],
  });
  const worker = await startWorker(deps, { id: "w1", capacity: 1, capabilities: ["alpha"] });
  const [id = ""] = await offered(deps);
  await deps.clock.advance(15_000);
  await until(() => deps.requests.length === 1, "the order");
  // Long past the heartbeat's time and the lease: both are renewed.
  for (let i = 0; i < 30; i++) {
    await deps.clock.advance(10_000);
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
  expect(await Pipeline.reap(deps)).toEqual([]);
  expect(deps.machine.running()).toBe(1);
  release();
  await deps.still();
  expect(await rowOf(deps, id)).toMatchObject({ status: "completed", stalls: 0 });
  await worker.close();
});

test("closing stops what it does and leaves the registry; its host's next life finds the task queued", async () => {
  let stopped = 0;
  const deps = await withMachine({
    providers: [
      scripted(
        "alpha",
        (_, signal) =>
          new Promise((_resolve, reject) =>
            signal.addEventListener("abort", () => (stopped++, reject(new Error("aborted")))),
          ),
        { capabilities: CAPABLE },
      ),
    ],
  });
  const worker = await startWorker(deps, { id: "w1", capacity: 1, capabilities: ["alpha"] });
  const [id = ""] = await offered(deps);
  await worker.look();
  await until(() => deps.requests.length === 1, "the agent");
  await worker.close();
  expect(stopped).toBe(1);
  expect(await Worker.find(deps, "w1")).toBeUndefined();
  await Pipeline.releaseOwn(deps);
  await deps.still();
  expect((await rowOf(deps, id)).status).toBe("pending");
  expect((await attemptOf(deps, id, 1)).ended_at).toBeDefined();
});

test("what it can do is said again when it changes, and wakes who waits for it", async () => {
  const deps = await withMachine({ providers: [scripted("alpha", () => finished(), { capabilities: CAPABLE })] });
  const worker = await startWorker(deps, { id: "w1", capacity: 1, capabilities: [] });
  deps.published.length = 0;
  await worker.capable(["alpha"]);
  expect((await Worker.find(deps, "w1"))?.capabilities).toEqual(["alpha"]);
  expect(deps.published).toEqual([{ type: "worker.seen", worker: "w1" }]);
  await worker.close();
});

test("a worker without a sign of life for a minute gets no orders", async () => {
  const deps = await withMachine({ providers: [scripted("alpha", () => finished(), { capabilities: CAPABLE })] });
  await Worker.register(deps, { id: "w1", capacity: 1, capabilities: ["alpha"] });
  await deps.clock.advance(Worker.WORKER_LEASE_MS + 1);
  const row = await deps.through();
  expect(row.wait_reason).toContain("no live worker");
});
