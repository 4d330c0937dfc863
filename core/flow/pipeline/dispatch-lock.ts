import type { Deps } from "../../ground/deps.ts";
import * as Store from "../../ground/store/index.ts";
import { Keys } from "../../ground/store/index.ts";

/** An attempt that holds a place in dispatch. */
export type Slot = { task: string; attempt: number };

/** Why nothing is started, of all or of a task type. `resuming`: no longer since then, but what was put aside may not all be back yet. Times in ms. */
export type Pause = { since: number; reason: string; resuming?: number };

/** The item that every dispatch reads and writes: what it may not start lies there too, so that pausing takes effect at once. */
export type LockRow = {
  version: number;
  slots: Slot[];
  pauses: Record<string, Pause>;
  /** The place in the queue behind which the next run goes on; "" when none is kept. */
  walked: string;
  /** What parked tasks wait for and is there again: the place that their waking came to, and whether it was asked for since. */
  wakes: Record<string, { walked: string; again: boolean }>;
};

/** The lock as it lies in the table. */
export async function readLock(deps: Pick<Deps, "store">): Promise<LockRow> {
  const item = (await Store.get(deps.store, Keys.lock("dispatch"))) as unknown as Partial<LockRow> | undefined;
  return {
    version: item?.version ?? 0,
    slots: item?.slots ?? [],
    pauses: item?.pauses ?? {},
    walked: item?.walked ?? "",
    wakes: item?.wakes ?? {},
  };
}

/** The lock with only those slots whose attempts have not ended. */
export async function withOpenSlots(deps: Pick<Deps, "store">, lock: LockRow): Promise<LockRow> {
  const attempts = await Store.getMany(
    deps.store,
    lock.slots.map((slot) => Keys.attempt(slot.task, slot.attempt)),
  );
  return { ...lock, slots: lock.slots.filter((_, i) => attempts[i] && attempts[i].ended_at === undefined) };
}

/** The write that moves the lock on by a version. */
export function lockWrite(version: number, set: Partial<Omit<LockRow, "version">>): Store.Write {
  return {
    kind: "update",
    key: Keys.lock("dispatch"),
    set: { ent: "lock", ...set, version: version + 1 },
    if: { version: version === 0 ? Store.absent("version") : Store.eq("version", version) },
  };
}

/** Writes a change of the lock, nothing when it is undefined; again when a dispatch came between. Throws `store.unavailable` (503) when that never ends. */
export async function changeLock(
  deps: Pick<Deps, "store" | "clock" | "id">,
  change: (lock: LockRow) => Partial<Omit<LockRow, "version">> | undefined,
): Promise<void> {
  await Store.contend(deps, "The queue is too busy", async () => {
    const lock = await readLock(deps);
    const set = change(lock);
    return set === undefined || (await Store.write(deps.store, lockWrite(lock.version, set))).ok || undefined;
  });
}
