import { any, eq, absent, le } from "./condition.ts";
import * as Keys from "./keys.ts";
import { get, write, type Store } from "./store.ts";

/** A lock with a time: held by one owner until it lets go or its time is over. */
export type Held = { name: string; owner: string };

/** Takes a lock, or renews one's own; false while another holds it. `ms` is how long it lasts without a renewal. */
export async function acquire(store: Store, held: Held, ms: number): Promise<boolean> {
  const now = store.clock.now();
  const outcome = await write(store, {
    kind: "update",
    key: Keys.lock(held.name),
    set: { ent: "lock", owner: held.owner, until: now + ms },
    if: { free: any(absent("owner"), le("until", now), eq("owner", held.owner)) },
  });
  return outcome.ok;
}

/** Waits for a lock, trying with jitter; rejects with the signal's reason when that aborts. */
export async function waitFor(store: Store, held: Held, ms: number, signal: AbortSignal): Promise<void> {
  while (!(await acquire(store, held, ms))) await store.clock.sleep(50 + store.id.random() * 200, signal);
}

/** Lets go of a lock; nothing when it is another's by now. */
export async function release(store: Store, held: Held): Promise<void> {
  await write(store, { kind: "delete", key: Keys.lock(held.name), if: { mine: eq("owner", held.owner) } });
}

/** Ends a lock whose owner `dead` says is gone: a host does so for its own earlier incarnations. */
export async function breakLock(store: Store, name: string, dead: (owner: string) => boolean): Promise<boolean> {
  const row = await get(store, Keys.lock(name));
  if (typeof row?.owner !== "string" || !dead(row.owner)) return false;
  const outcome = await write(store, { kind: "delete", key: Keys.lock(name), if: { same: eq("owner", row.owner) } });
  return outcome.ok;
}
