import * as Store from "../../ground/store/index.ts";
import { Keys } from "../../ground/store/index.ts";
import { CoherenceError } from "../../ground/errors.ts";
import * as Workflow from "../../ground/workflow/index.ts";
import * as Attempt from "../../work/attempt/index.ts";
import * as Task from "../../work/task/index.ts";
import { CLAIM_LEASE_MS } from "./budgets.ts";
import { mayStart, ownerOf, type PipelineDeps } from "./deps.ts";
import { lockWrite, readLock, withOpenSlots } from "./dispatch-lock.ts";
import { dueTasks } from "./due.ts";
import { bringBack, isPaused } from "./pause.ts";

/** Parked tasks promoted in one run; the next event or minute goes on. */
const BATCH = 50;

/**
 * Gives free slots to the head of the queue. Idempotent and safe to run at once anywhere: a claim and its slot are one
 * transaction on the lock's version. Returns the tasks it started.
 */
export async function dispatch(deps: PipelineDeps): Promise<string[]> {
  if (!mayStart(deps)) return [];
  const [asRead] = await Promise.all([readLock(deps), promote(deps)]);
  const started: string[] = [];
  let lock = await bringBack(deps, asRead);
  if (isPaused(lock)) return [];
  let cursor: string | undefined;
  do {
    const page = await Store.query(deps.store, {
      index: "gsi3",
      pk: Keys.queuePartition("pipeline"),
      limit: deps.config.workers + 2,
      // Past those that cannot be claimed (leased by outside runners), or they would hold up all behind them.
      ...(cursor === undefined ? {} : { cursor }),
    });
    // Who still holds a slot matters once somebody waits for one.
    if (cursor === undefined && page.items.length > 0) lock = await withOpenSlots(deps, lock);
    for (const item of page.items) {
      if (lock.slots.length >= deps.config.workers) break;
      const row = await Task.row(deps.store, item.pk.slice(2));
      if (row?.status !== "pending" || row.queue !== "pipeline" || (row.retry_not_before ?? 0) > deps.clock.now())
        continue;
      if (deps.pace.only !== undefined && row.item && row.item.backlog !== deps.pace.only) continue;
      if (isPaused(lock, row.task_type)) {
        // Under the lock as it was read: what a resume brings back is not put aside behind it.
        const aside = await Store.tx(deps.store, [
          Task.putAside(row, `paused: ${row.task_type} tasks`),
          { kind: "check", key: Keys.lock("dispatch"), if: { version: Store.eq("version", lock.version) } },
        ]);
        if (isLockRefused(aside)) return started;
        continue;
      }
      if ((row.run_until ?? 0) > deps.clock.now()) continue;
      const slots = [...lock.slots, { task: row.id, attempt: row.att + 1 }];
      const { version } = lock;
      const outcome = await claimOne(deps, row, (now) => [
        ...Attempt.claimWrites(deps, row, { by: "pipeline", owner: ownerOf(deps.host), leaseMs: CLAIM_LEASE_MS }, now)
          .writes,
        lockWrite(version, { slots }),
      ]);
      if (!outcome.ok) {
        // Another dispatch moved the lock, or a pause did: its view is newer, ours starts over with the next event.
        if (isLockRefused(outcome)) return started;
        continue;
      }
      lock = { ...lock, version: version + 1, slots };
      started.push(row.id);
      await deps.at("claimed", { taskId: row.id, attempt: row.att + 1 });
      await start(deps, row.id, row.att + 1);
    }
    cursor = page.cursor;
  } while (cursor !== undefined && lock.slots.length < deps.config.workers);
  return started;
}

/** A task that the table cannot take (a fault of ours) must not hold up those behind it. */
async function claimOne(
  deps: PipelineDeps,
  row: Task.TaskRow,
  writes: (now: number) => Store.Write[],
): Promise<Store.Outcome> {
  try {
    return await Store.tx(deps.store, writes);
  } catch (error) {
    const isOfThisTask =
      error instanceof Error && (error.name === "ValidationException" || "CancellationReasons" in error);
    if (!isOfThisTask) throw error;
    deps.log.error({ taskId: row.id, err: error }, "a task could not be claimed");
    return { ok: false, refused: [] };
  }
}

function isLockRefused(outcome: Store.Outcome): boolean {
  return !outcome.ok && outcome.refused.some((refusal) => refusal.key.pk === Keys.lock("dispatch").pk);
}

/** Starts the execution; one that exists already was started by whoever held the slot before a crash. */
async function start(deps: PipelineDeps, taskId: string, attempt: number): Promise<void> {
  try {
    await deps.workflow.start(Workflow.nameOf(taskId, attempt), { taskId, attempt });
  } catch (error) {
    if (error instanceof CoherenceError && error.code === "workflow.exists") return;
    // The lease of a minute ends by itself and the reaper gives the task back.
    deps.log.error({ taskId, attempt, err: error }, "the execution could not be started");
  }
}

/** Puts parked tasks that are due back into the queue. */
async function promote(deps: PipelineDeps): Promise<void> {
  for await (const row of dueTasks(deps, BATCH))
    if (row.status === "pending") await Store.write(deps.store, Task.wake(row));
}

/** When the next parked task or due default comes up, in ms; undefined when none waits. */
export async function nextDue(deps: PipelineDeps): Promise<number | undefined> {
  const page = await Store.query(deps.store, { index: "gsi3", pk: Keys.DELAYED, limit: 1 });
  const due = Number(page.items[0]?.gsi3sk?.toString().slice(0, 13));
  return Number.isFinite(due) ? due : undefined;
}
