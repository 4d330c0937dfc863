import * as Store from "../../ground/store/index.ts";
import { Keys } from "../../ground/store/index.ts";
import { CoherenceError } from "../../ground/errors.ts";
import * as Workflow from "../../ground/workflow/index.ts";
import * as Attempt from "../../work/attempt/index.ts";
import * as Task from "../../work/task/index.ts";
import { CLAIM_LEASE_MS } from "./budgets.ts";
import { mayStart, ownerOf, type PipelineDeps } from "./deps.ts";
import { lockWrite, readLock, withOpenSlots, type LockRow } from "./dispatch-lock.ts";
import { dueTasks } from "./due.ts";
import { bringBack, isPaused } from "./pause.ts";
import { walkQueue } from "./queue-walk.ts";
import { wakeSome } from "./wake.ts";

/** Due tasks that a run looks at. */
const BATCH = 50;

/**
 * Gives free slots to the head of the queue. Idempotent and safe to run at once anywhere: a claim and its slot are one
 * transaction on the lock's version. Bounded: what it did not come to, the next run does, which its event asks for and the minute
 * makes certain. Returns the tasks it started.
 */
export async function dispatch(deps: PipelineDeps): Promise<string[]> {
  if (!mayStart(deps)) return [];
  const [asRead] = await Promise.all([readLock(deps), promote(deps)]);
  const started: string[] = [];
  let lock = await wakeSome(deps, await bringBack(deps, asRead));
  if (isPaused(lock)) return [];
  const walk = walkQueue(deps, lock.walked);
  let step = await walk.next();
  // Who still holds a slot matters once somebody waits for one.
  if (!step.done) lock = await withOpenSlots(deps, lock);
  for (; !step.done && lock.slots.length < deps.config.workers; step = await walk.next()) {
    const row = await Task.row(deps.store, step.value);
    if (!row || !isDue(deps, row)) continue;
    const outcome = isPaused(lock, row.task_type) ? await setAside(deps, row, lock) : await claim(deps, row, lock);
    // Another dispatch moved the lock, or a pause did: its view is newer, ours starts over with the next event.
    if (isLockRefused(outcome)) return started;
    if (!outcome.ok || isPaused(lock, row.task_type)) continue;
    // What was passed over before it may be free by now: the next slot goes to the head again.
    lock = { ...lock, version: lock.version + 1, slots: slotsWith(lock, row), walked: "" };
    started.push(row.id);
    await deps.at("claimed", { taskId: row.id, attempt: row.att + 1 });
    await start(deps, row.id, row.att + 1);
  }
  if (step.done) await goOn(deps, lock, step.value);
  return started;
}

/** Whether a task of the queue can be started now: its index may be old, and outside runners lease what they claim. */
function isDue(deps: PipelineDeps, row: Task.TaskRow): boolean {
  const now = deps.clock.now();
  if (row.status !== "pending" || row.queue !== "pipeline" || (row.retry_not_before ?? 0) > now) return false;
  if (deps.pace.only !== undefined && row.item && row.item.backlog !== deps.pace.only) return false;
  return !Task.isLeased(row, now);
}

/** Under the lock as it was read: what a resume brings back is not put aside behind it. */
function setAside(deps: PipelineDeps, row: Task.TaskRow, lock: LockRow): Promise<Store.Outcome> {
  return Store.tx(deps.store, [
    Task.putAside(row, `paused: ${row.task_type} tasks`),
    { kind: "check", key: Keys.lock("dispatch"), if: { version: Store.eq("version", lock.version) } },
  ]);
}

/** Keeps the place that a run came to for the next one, and asks for it. */
async function goOn(deps: PipelineDeps, lock: LockRow, place: string): Promise<void> {
  if (place !== lock.walked && !(await Store.write(deps.store, lockWrite(lock.version, { walked: place }))).ok) return;
  if (place !== "") await deps.events.publish({ type: "queue.unfinished" });
}

function slotsWith(lock: LockRow, row: Task.TaskRow): LockRow["slots"] {
  return [...lock.slots, { task: row.id, attempt: row.att + 1 }];
}

/** Claims a task with a slot. One that the table cannot take (a fault of ours) must not hold up those behind it. */
async function claim(deps: PipelineDeps, row: Task.TaskRow, lock: LockRow): Promise<Store.Outcome> {
  const by = { by: "pipeline", owner: ownerOf(deps.host), leaseMs: CLAIM_LEASE_MS } as const;
  try {
    return await Store.tx(deps.store, (now) => [
      ...Attempt.claimWrites(deps, row, by, now).writes,
      lockWrite(lock.version, { slots: slotsWith(lock, row), walked: "" }),
    ]);
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

/** Puts parked tasks that are due back into the queue; when there may be more of them, the next run goes on. */
async function promote(deps: PipelineDeps): Promise<void> {
  let looked = 0;
  let woken = 0;
  for await (const row of dueTasks(deps, BATCH)) {
    looked++;
    if (row.status === "pending" && (await Store.write(deps.store, Task.wake(row))).ok) woken++;
  }
  // Questions that are due are not ours: a run that found nothing else would ask for itself for ever.
  if (looked === BATCH && woken > 0) await deps.events.publish({ type: "queue.unfinished" });
}

/** When the next parked task or due default comes up, in ms; undefined when none waits. */
export async function nextDue(deps: PipelineDeps): Promise<number | undefined> {
  const page = await Store.query(deps.store, { index: "gsi3", pk: Keys.DELAYED, limit: 1 });
  const due = Number(page.items[0]?.gsi3sk?.toString().slice(0, 13));
  return Number.isFinite(due) ? due : undefined;
}
