import { messageOf } from "../../core/ground/errors.ts";
import * as Attempt from "../../core/work/attempt/index.ts";
import * as Pipeline from "../../core/flow/pipeline/index.ts";
import * as Worker from "../../core/flow/worker/index.ts";

/** A worker in this process: takes the orders it was given slots for, and answers the state machine's tokens. */
export type LocalWorker = {
  /** Looks for orders now; an event says there is one. */
  look(): Promise<void>;
  /** What it can do changed: a provider became ready, or ceased to be. */
  capable(capabilities: string[]): Promise<void>;
  /** Stops what it does, waits for its end and leaves the registry. */
  close(): Promise<void>;
};

/** Ms between two signs of life, and between two looks without an event. */
const BEAT_MS = 15_000;

/** Registers a worker and keeps it alive until closed. */
export async function startWorker(
  deps: Pipeline.PipelineDeps,
  worker: { id: string; capacity: number; capabilities: string[]; host?: string },
): Promise<LocalWorker> {
  let { capabilities } = worker;
  const doing = new Map<string, Promise<void>>();
  const life = new AbortController();
  // A life of this host that was killed counts as live for a minute: what is offered to it nobody would take.
  for (const { id } of await Worker.list(deps))
    if (id.startsWith(`${deps.host.id}-`) && id !== worker.id) await Worker.leave(deps, id);
  await Worker.register(deps, { ...worker, capabilities });

  /** Whoever waits for this token goes on at once, not after a missed heartbeat. */
  const giveBack = async (slot: Worker.Slot, why: string): Promise<void> => {
    await deps.workflow.fail(slot.token, "WorkerFailed", why);
  };

  const carryOut = async (slot: Worker.Slot): Promise<void> => {
    const ref = { taskId: slot.task, n: slot.attempt, turn: slot.turn };
    const beat = deps.clock.every(BEAT_MS, () => void deps.workflow.heartbeat(slot.token).catch(() => {}));
    try {
      const order = await Attempt.readOrder<Worker.Order>(deps.store, ref);
      const attempt = await Attempt.read(deps.store, ref.taskId, ref.n);
      // A look may show a slot that was freed meanwhile: what is over is not begun again.
      const open = attempt?.ended_at === undefined && attempt?.turn === ref.turn && !attempt.outcome;
      if (!order || !open) return await giveBack(slot, "there is nothing to do");
      const kind = await Pipeline.carryOut(deps, order, life.signal);
      await deps.workflow.complete(slot.token, { taskId: ref.taskId, attempt: ref.n, candidate: attempt.chosen, kind });
    } catch (error) {
      await giveBack(slot, messageOf(error)).catch(() => {});
      throw error;
    } finally {
      beat();
      await Worker.free(deps, worker.id, slot);
    }
  };

  const look = async (): Promise<void> => {
    const row = await Worker.find(deps, worker.id);
    for (const slot of row?.slots ?? []) {
      const name = `${slot.task}/${slot.attempt}/${slot.turn}`;
      if (doing.has(name) || life.signal.aborted) continue;
      const work = carryOut(slot)
        .catch((error: unknown) => deps.log.error({ slot, err: error }, "the worker failed on an order"))
        .finally(() => doing.delete(name));
      doing.set(name, work);
    }
  };

  const stopBeating = deps.clock.every(BEAT_MS, () => {
    void Worker.beat(deps, worker.id, capabilities)
      .then(look)
      .catch((error: unknown) => deps.log.warn({ err: error }, "the worker's sign of life failed"));
  });

  return {
    look,
    async capable(now) {
      capabilities = now;
      await Worker.beat(deps, worker.id, now);
      await deps.events.publish({ type: "worker.seen", worker: worker.id });
    },
    async close() {
      stopBeating();
      life.abort(new Error("the worker stops"));
      await Promise.all(doing.values());
      await Worker.leave(deps, worker.id);
    },
  };
}
