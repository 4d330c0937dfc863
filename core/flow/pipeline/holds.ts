import type { Deps } from "../../ground/deps.ts";
import { fail } from "../../ground/errors.ts";
import * as Store from "../../ground/store/index.ts";
import { Keys } from "../../ground/store/index.ts";
import * as Provider from "../../work/provider/index.ts";
import * as Task from "../../work/task/index.ts";
import { wake } from "./wake.ts";

/** An attempt that holds a place in dispatch. */
export type Slot = { task: string; attempt: number };

/** Why nothing is started, of all or of a task type. `resuming`: no longer since then, but what was put aside may not all be back yet. Times in ms. */
export type Hold = { since: number; reason: string; resuming?: number };

/** The item that every dispatch reads and writes: what it may not start lies there too, so that pausing takes effect at once. */
export type LockRow = { version: number; slots: Slot[]; holds: Record<string, Hold> };

/** What is paused. */
export type Target = { kind: "all" } | { kind: "type"; type: Task.TaskType } | { kind: "provider"; provider: string };

/** Put aside or brought back in one run; the next event or minute goes on. */
const BATCH = 50;
/** So long after a resume an empty page of the index is not yet the truth (it is eventually consistent). */
const SETTLES_MS = 60_000;
const ALL = "all";

/**
 * Stops starting attempts, of all tasks, of a type or by a provider; what runs is not touched. After it returns no attempt that
 * it is about is claimed. Safe to repeat: the reason is the last one's.
 */
export async function pause(deps: Deps, target: Target, reason: string): Promise<void> {
  const hold: Hold = { since: deps.clock.now(), reason: Task.cut(reason, 300) };
  if (target.kind === "provider") return Provider.hold(deps, target.provider, hold.reason);
  await changeHolds(deps, (holds) => ({ ...holds, [nameOf(target)]: hold }));
}

/** Starts attempts again; nothing when they were not paused. Safe to repeat. */
export async function resume(deps: Deps, target: Target): Promise<void> {
  if (target.kind === "provider") {
    await Provider.letGo(deps, target.provider);
    await wake(deps, (reason) => reason.startsWith(`${target.provider}:`));
  } else
    await changeHolds(deps, ({ [nameOf(target)]: hold, ...others }) =>
      hold === undefined || target.kind === "all"
        ? others
        : { ...others, [nameOf(target)]: { ...hold, resuming: deps.clock.now() } },
    );
  await deps.events.publish({ type: "queue.resumed" });
}

/** What is paused now, and since when (ms). */
export async function paused(deps: Pick<Deps, "store">): Promise<(Target & Omit<Hold, "resuming">)[]> {
  const [lock, { holds }] = await Promise.all([readLock(deps), Provider.health(deps)]);
  return [
    ...Object.entries(lock.holds).flatMap(([name, { since, reason, resuming }]) =>
      resuming ? [] : [{ ...targetOf(name), since, reason }],
    ),
    ...holds.map((row) => ({
      kind: "provider" as const,
      provider: row.provider,
      since: row.since,
      reason: row.reason,
    })),
  ];
}

/** Whether a task of this type may be started. */
export function isHeld(lock: Pick<LockRow, "holds">, type?: Task.TaskType): boolean {
  const hold = lock.holds[type ?? ALL];
  return hold !== undefined && !hold.resuming;
}

/** The lock as it lies in the table. */
export async function readLock(deps: Pick<Deps, "store">): Promise<LockRow> {
  const item = (await Store.get(deps.store, Keys.lock("dispatch"))) as unknown as Partial<LockRow> | undefined;
  return { version: item?.version ?? 0, slots: item?.slots ?? [], holds: item?.holds ?? {} };
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

/**
 * Brings tasks back whose type is paused no longer, so many a run, and forgets a hold when none is left. Returns the lock as it
 * then is. A host that dies in between leaves the hold, and the next run goes on.
 */
export async function bringBack(deps: Deps, lock: LockRow): Promise<LockRow> {
  let now = lock;
  for (const type of Task.TaskType.options) {
    const since = now.holds[type]?.resuming;
    if (since === undefined) continue;
    const page = await Store.query(deps.store, {
      index: "gsi3",
      pk: Keys.heldPartition("pipeline", type),
      limit: BATCH,
    });
    for (const { pk } of page.items) {
      const row = await Task.row(deps.store, pk.slice(2));
      if (row?.status === "pending") await Store.write(deps.store, Task.wake(row));
    }
    if (page.items.length > 0) {
      await deps.events.publish({ type: "queue.resumed" });
      continue;
    }
    if (deps.clock.now() - since < SETTLES_MS) continue;
    const { [type]: _, ...holds } = now.holds;
    const done = await Store.write(deps.store, lockWrite(now.version, { holds }));
    if (!done.ok) return now;
    now = { ...now, holds, version: now.version + 1 };
  }
  return now;
}

async function changeHolds(deps: Deps, change: (holds: LockRow["holds"]) => LockRow["holds"]): Promise<void> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const lock = await readLock(deps);
    if ((await Store.write(deps.store, lockWrite(lock.version, { holds: change(lock.holds) }))).ok) return;
    await deps.clock.sleep(deps.id.random() * Math.min(200, 5 * 2 ** attempt));
  }
  throw fail("store.unavailable", "The queue is too busy to be paused or resumed", { remedy: "Try again." });
}

function nameOf(target: Exclude<Target, { kind: "provider" }>): string {
  return target.kind === "all" ? ALL : target.type;
}

function targetOf(name: string): Target {
  return name === ALL ? { kind: "all" } : { kind: "type", type: Task.TaskType.parse(name) };
}
