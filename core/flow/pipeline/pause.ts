import type { Deps } from "../../ground/deps.ts";
import * as Store from "../../ground/store/index.ts";
import { Keys } from "../../ground/store/index.ts";
import * as Provider from "../../work/provider/index.ts";
import * as Task from "../../work/task/index.ts";
import { changeLock, lockWrite, readLock, type LockRow, type Pause } from "./dispatch-lock.ts";
import { wake } from "./wake.ts";

/** What is paused. */
export type Target = { kind: "all" } | { kind: "type"; type: Task.TaskType } | { kind: "provider"; provider: string };

/** Brought back in one run; its event and the minute go on. */
const BATCH = 50;
/** So long after a resume an empty page of the index is not yet the truth (it is eventually consistent). */
const SETTLES_MS = 60_000;
const ALL = "all";

/**
 * Stops starting attempts, of all tasks, of a type or by a provider; what runs is not touched. After it returns no attempt that
 * it is about is claimed. Safe to repeat: the reason is the last one's.
 */
export async function pause(deps: Deps, target: Target, reason: string): Promise<void> {
  const made: Pause = { since: deps.clock.now(), reason: Task.cut(reason, 300) };
  if (target.kind === "provider") return Provider.pause(deps, target.provider, made.reason);
  await changeLock(deps, ({ pauses }) => ({ pauses: { ...pauses, [nameOf(target)]: made } }));
}

/**
 * Starts attempts again; nothing when they were not paused. A provider's cooldowns end with it: one run tests it. Safe to repeat.
 */
export async function resume(deps: Deps, target: Target): Promise<void> {
  if (target.kind === "provider") {
    await Provider.resume(deps, target.provider);
    await Provider.endCooldowns(deps, target.provider);
    await wake(deps, target);
  } else
    await changeLock(deps, ({ pauses: { [nameOf(target)]: made, ...others } }) => ({
      pauses:
        made === undefined || target.kind === "all"
          ? others
          : { ...others, [nameOf(target)]: { ...made, resuming: deps.clock.now() } },
    }));
  await deps.events.publish({ type: "queue.resumed" });
}

/** What is paused now, and since when (ms). */
export async function paused(deps: Pick<Deps, "store">): Promise<(Target & Omit<Pause, "resuming">)[]> {
  const [lock, { pauses }] = await Promise.all([readLock(deps), Provider.health(deps)]);
  return [
    ...Object.entries(lock.pauses).flatMap(([name, { since, reason, resuming }]) =>
      resuming ? [] : [{ ...targetOf(name), since, reason }],
    ),
    ...pauses.map((row) => ({
      kind: "provider" as const,
      provider: row.provider,
      since: row.since,
      reason: row.reason,
    })),
  ];
}

/** Whether tasks of this type are paused, or all. */
export function isPaused(lock: Pick<LockRow, "pauses">, type?: Task.TaskType): boolean {
  const pause = lock.pauses[type ?? ALL];
  return pause !== undefined && !pause.resuming;
}

/**
 * Brings tasks back whose type is paused no longer, so many a run, and forgets a pause when none is left. Returns the lock as it
 * then is. A host that dies in between leaves the pause, and the next run goes on.
 */
export async function bringBack(deps: Deps, lock: LockRow): Promise<LockRow> {
  let now = lock;
  for (const type of Task.TaskType.options) {
    const since = now.pauses[type]?.resuming;
    if (since === undefined) continue;
    const page = await Store.query(deps.store, {
      index: "gsi3",
      pk: Keys.asidePartition("pipeline", type),
      limit: BATCH,
    });
    for (const { pk } of page.items) {
      const row = await Task.row(deps.store, pk.slice(2));
      if (row?.status === "pending") await Store.write(deps.store, Task.wake(row));
    }
    if (page.items.length > 0) {
      await deps.events.publish({ type: "queue.unfinished" });
      continue;
    }
    if (deps.clock.now() - since < SETTLES_MS) continue;
    const { [type]: _, ...pauses } = now.pauses;
    const done = await Store.write(deps.store, lockWrite(now.version, { pauses }));
    if (!done.ok) return now;
    now = { ...now, pauses, version: now.version + 1 };
  }
  return now;
}

function nameOf(target: Exclude<Target, { kind: "provider" }>): string {
  return target.kind === "all" ? ALL : target.type;
}

function targetOf(name: string): Target {
  return name === ALL ? { kind: "all" } : { kind: "type", type: Task.TaskType.parse(name) };
}
