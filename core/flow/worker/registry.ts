import type { Deps } from "../../ground/deps.ts";
import * as Store from "../../ground/store/index.ts";
import { Keys } from "../../ground/store/index.ts";

/** What a worker has in hand. `token` is what the state machine waits on. */
export type Slot = { task: string; attempt: number; turn: number; token: string };

/** A machine that carries out orders (`WORKERS` / `W#<id>`). Times in ms. */
export type WorkerRow = {
  id: string;
  /** Names of providers whose agents it has. */
  capabilities: string[];
  /** How many orders it takes at once. */
  capacity: number;
  slots: Slot[];
  /** The owner of attempts that run in the same process without a slot; absent for a machine of its own. */
  host?: string;
  version: number;
  seen_at: number;
  /** It counts as live until then. */
  until: number;
};

/** Ms without a sign of life after which a worker is gone. */
export const WORKER_LEASE_MS = 60_000;

/** All workers seen lately, live or not. */
export async function list(deps: Pick<Deps, "store">): Promise<WorkerRow[]> {
  return (await Store.queryAll(deps.store, { pk: Keys.WORKERS }, 1000)) as unknown as WorkerRow[];
}

/** Why a candidate was not asked when none of them could take it. */
export const NOBODY_FREE = { class: "no_worker", message: "no live worker with this agent has a free slot" } as const;

/** Whether a live worker among these has the capability and a free slot. */
export function available(workers: readonly WorkerRow[], provider: string, now: number): WorkerRow | undefined {
  return workers.find((w) => w.until > now && w.capabilities.includes(provider) && w.slots.length < w.capacity);
}

/** A worker says what it is and that it lives; its slots begin empty: what an earlier life held is gone. */
export async function register(
  deps: Deps,
  worker: Pick<WorkerRow, "id" | "capabilities" | "capacity" | "host">,
): Promise<void> {
  const now = deps.clock.now();
  const row: WorkerRow = { ...worker, slots: [], version: now, seen_at: now, until: now + WORKER_LEASE_MS };
  await Store.write(deps.store, { kind: "put", item: { ...Keys.worker(worker.id), ent: "worker", ...row } });
  await deps.events.publish({ type: "worker.seen", worker: worker.id });
}

/** A sign of life. */
export async function beat(deps: Deps, id: string, capabilities: string[]): Promise<void> {
  const now = deps.clock.now();
  await Store.write(deps.store, {
    kind: "update",
    key: Keys.worker(id),
    set: { seen_at: now, until: now + WORKER_LEASE_MS, capabilities },
    if: Store.isThere,
  });
}

/** Gives a slot of a worker to a turn; false when it changed meanwhile or is full. */
export async function reserve(deps: Deps, worker: WorkerRow, slot: Slot): Promise<boolean> {
  if (worker.slots.length >= worker.capacity) return false;
  return changeSlots(deps, worker, [...worker.slots, slot]);
}

/** Frees a turn's slot. */
export async function free(deps: Deps, id: string, slot: Pick<Slot, "task" | "attempt" | "turn">): Promise<void> {
  for (;;) {
    const worker = (await Store.get(deps.store, Keys.worker(id))) as WorkerRow | undefined;
    if (!worker) return;
    const left = worker.slots.filter((s) => s.task !== slot.task || s.attempt !== slot.attempt || s.turn !== slot.turn);
    if (left.length === worker.slots.length || (await changeSlots(deps, worker, left))) break;
  }
  await deps.events.publish({ type: "worker.seen", worker: id });
}

/** A worker leaves: its row goes. */
export async function leave(deps: Deps, id: string): Promise<void> {
  await Store.write(deps.store, { kind: "delete", key: Keys.worker(id) });
}

/** A worker as it stands, or undefined. */
export async function find(deps: Pick<Deps, "store">, id: string): Promise<WorkerRow | undefined> {
  return (await Store.get(deps.store, Keys.worker(id))) as WorkerRow | undefined;
}

async function changeSlots(deps: Deps, worker: WorkerRow, slots: Slot[]): Promise<boolean> {
  const outcome = await Store.write(deps.store, {
    kind: "update",
    key: Keys.worker(worker.id),
    set: { slots, version: worker.version + 1 },
    if: { same: Store.eq("version", worker.version) },
  });
  return outcome.ok;
}
