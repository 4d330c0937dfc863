import type { Deps } from "../../ground/deps.ts";
import * as Store from "../../ground/store/index.ts";
import { Keys } from "../../ground/store/index.ts";
import * as Task from "../../work/task/index.ts";
import { changeLock, lockWrite, type LockRow } from "./dispatch-lock.ts";

/** What parked tasks wait for and an event brings: a provider, a live worker, or what may be paid. */
export type Awaited = { kind: "provider"; provider: string } | { kind: "worker" | "money" };

/** Parked tasks that a run looks at, for each that they may wait for. */
const LOOKED_AT = 100;

/**
 * Asks for the tasks that wait for this to be woken: the next runs of dispatch do it. Costs the same however many are parked; asked
 * again while it is under way it is done once more.
 */
export async function wake(deps: Pick<Deps, "store" | "clock" | "id">, awaited: Awaited): Promise<void> {
  const parked = await Store.query(deps.store, { index: "gsi3", pk: Keys.DELAYED, limit: 1 });
  // One that the index does not show yet was parked this moment, and for a short time.
  if (parked.items.length === 0) return;
  const name = nameOf(awaited);
  await changeLock(deps, ({ wakes }) => {
    const before = wakes[name];
    if (before && (before.again || before.walked === "")) return undefined;
    return { wakes: { ...wakes, [name]: before ? { ...before, again: true } : { walked: "", again: false } } };
  });
}

/** Wakes tasks as was asked for, so many a run, and keeps the places it came to. Returns the lock as it then is. */
export async function wakeSome(deps: Deps, lock: LockRow): Promise<LockRow> {
  if (Object.keys(lock.wakes).length === 0) return lock;
  const wakes: LockRow["wakes"] = {};
  for (const [name, { walked, again }] of Object.entries(lock.wakes)) {
    const place = await wakeBehind(deps, name, walked);
    if (place !== "") wakes[name] = { walked: place, again };
    else if (again) wakes[name] = { walked: "", again: false };
  }
  // Refused, another run is ahead of this one, or something more was asked for: it is done again from where it was kept.
  if (!(await Store.write(deps.store, lockWrite(lock.version, { wakes }))).ok) return lock;
  if (Object.keys(wakes).length > 0) await deps.events.publish({ type: "queue.unfinished" });
  return { ...lock, wakes, version: lock.version + 1 };
}

/** The place it came to, "" for the end. */
async function wakeBehind(deps: Pick<Deps, "store">, name: string, walked: string): Promise<string> {
  const page = await Store.query(deps.store, {
    index: "gsi3",
    pk: Keys.DELAYED,
    // A NUL behind the last place: the next one that there can be.
    ...(walked === "" ? {} : { sk: { from: `${walked}\0` } }),
    limit: LOOKED_AT,
  });
  for (const item of page.items) {
    const row = await Task.row(deps.store, item.pk.slice(2));
    if (row?.status === "pending" && row.waits_for?.includes(name)) await Store.write(deps.store, Task.wake(row));
  }
  return page.cursor === undefined ? "" : placeOf(page.items.at(-1));
}

function placeOf(item: Store.Item | undefined): string {
  return typeof item?.gsi3sk === "string" ? item.gsi3sk : "";
}

/** What is awaited, as it stands on the lock and on the tasks that wait: a provider's name ends with a colon. */
export function nameOf(awaited: Awaited): string {
  return awaited.kind === "provider" ? `${awaited.provider}:` : awaited.kind;
}
