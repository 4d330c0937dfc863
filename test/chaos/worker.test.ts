import { expect, it } from "vitest";
import * as Pipeline from "../../core/flow/pipeline/index.ts";
import * as Worker from "../../core/flow/worker/index.ts";
import { startWorker } from "../../functions/worker/worker.ts";
import { until, withMachine, type Machine } from "../functions/workflow-support.ts";
import { finished, newTask, rowOf, scripted, type TestPipeline } from "../support/pipeline.ts";

/** What the worker in the host's process meets after a kill, a late look or a lost order. */

const machine = { edits: true, runs_commands: true, where: "machine" as const, paid: false };
const withAgent = () => withMachine({ providers: [scripted("alpha", () => finished(), { capabilities: machine })] });

async function findOf(deps: Pick<TestPipeline, "store">, id: string): Promise<Worker.WorkerRow> {
  const row = await Worker.find(deps, id);
  if (!row) throw new Error(`no worker ${id}`);
  return row;
}

async function offered(deps: Machine): Promise<{ id: string; slot: Worker.Slot }> {
  const id = await newTask(deps);
  await Pipeline.dispatch(deps);
  await until(() => deps.published.some((event) => event.type === "work.offered"), "the offer");
  const [slot] = (await findOf(deps, "w1")).slots;
  if (!slot) throw new Error("no slot");
  return { id, slot };
}

it("the worker of a killed life of this host leaves the registry, others stay", async () => {
  const deps = await withAgent();
  for (const id of [`${deps.host.id}-killed`, "elsewhere"])
    await Worker.register(deps, { id, capacity: 1, capabilities: ["alpha"] });
  const worker = await startWorker(deps, { id: `${deps.host.id}-new`, capacity: 1, capabilities: ["alpha"] });
  expect((await Worker.list(deps)).map((row) => row.id)).toEqual(["elsewhere", `${deps.host.id}-new`]);
  await worker.close();
});

it("a slot that a look shows after its order was done is not begun again", async () => {
  const deps = await withAgent();
  const worker = await startWorker(deps, { id: "w1", capacity: 1, capabilities: ["alpha"] });
  const { id, slot } = await offered(deps);
  await worker.look();
  await deps.still();
  await until(async () => (await findOf(deps, "w1")).slots.length === 0, "the free slot");
  // As an old reading of the registry would show it.
  await Worker.reserve(deps, await findOf(deps, "w1"), slot);
  await worker.look();
  await until(async () => (await findOf(deps, "w1")).slots.length === 0, "the free slot");
  expect(deps.requests).toHaveLength(1);
  expect(await rowOf(deps, id)).toMatchObject({ status: "completed", att: 1 });
  await worker.close();
});

it("an order that cannot be read ends its step at once, not after a missed heartbeat", async () => {
  const deps = await withAgent();
  const worker = await startWorker(deps, { id: "w1", capacity: 1, capabilities: ["alpha"] });
  const { id, slot } = await offered(deps);
  // The same token for a turn that has no order.
  await Worker.free(deps, "w1", slot);
  await Worker.reserve(deps, await findOf(deps, "w1"), { ...slot, turn: 9 });
  await worker.look();
  await deps.still();
  expect(deps.requests).toHaveLength(0);
  expect(await rowOf(deps, id)).toMatchObject({ status: "pending", tries: 0, stalls: 1 });
  await worker.close();
});
