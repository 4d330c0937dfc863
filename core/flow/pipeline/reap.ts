import * as Store from "../../ground/store/index.ts";
import { Keys, Lock } from "../../ground/store/index.ts";
import { nameOf } from "../../ground/workflow/index.ts";
import * as Attempt from "../../work/attempt/index.ts";
import * as Backlog from "../../work/backlog/index.ts";
import * as Task from "../../work/task/index.ts";
import { MAX_STALLS, STALE_RUNNING_MS } from "./budgets.ts";
import { isEarlierLife, ownerOf, type PipelineDeps } from "./deps.ts";
import { endAttempt, errorOf, settled } from "./end.ts";
import { settle } from "./settle.ts";

const BATCH = 100;

/** Acts on leases that have ended, and on running tasks nobody holds. Returns the tasks it gave back or settled. */
export async function reap(deps: PipelineDeps): Promise<string[]> {
  const now = deps.clock.now();
  const reaped: string[] = [];
  const open = await Store.query(deps.store, {
    index: "gsi1",
    pk: Keys.OPEN_ATTEMPTS,
    sk: { to: Keys.leaseEndedBy(now) },
    limit: BATCH,
  });
  for (const item of open.items) {
    const attempt = (await Store.get(deps.store, { pk: item.pk, sk: item.sk })) as Attempt.AttemptRow | undefined;
    if (!attempt || attempt.ended_at !== undefined || attempt.lease_until > deps.clock.now()) continue;
    const asRead = { lease: Store.eq("lease_until", attempt.lease_until) };
    try {
      if (await reapOne(deps, attempt, "its lease ended", { if: asRead })) reaped.push(attempt.task_id);
    } catch (error) {
      // The oldest lease comes first at every run: one that cannot be ended must not hold up the rest.
      deps.log.error({ taskId: attempt.task_id, err: error }, "a lease could not be ended");
    }
  }
  // The oldest first: a running task whose attempt is over or missing.
  const running = await Store.query(deps.store, {
    index: "gsi1",
    pk: Keys.statusPartition("running", now),
    limit: BATCH,
  });
  for (const item of running.items) {
    const row = await Task.row(deps.store, item.pk.slice(2));
    if (row?.status !== "running" || (row.updated_at ?? row.created_at) > now - STALE_RUNNING_MS) continue;
    const attempt = await Attempt.read(deps.store, row.id, row.att);
    if (attempt && attempt.ended_at === undefined) continue;
    if (await giveBack(deps, row, undefined, "nobody held it any more", 1)) reaped.push(row.id);
  }
  return reaped;
}

/** A host that starts ends what its earlier lives held, so that nothing waits for a lease to run out. */
export async function reapEarlierLives(deps: PipelineDeps): Promise<string[]> {
  const reaped: string[] = [];
  for (const attempt of await openAttempts(deps, (owner) => isEarlierLife(deps.host, owner)))
    if (await reapOne(deps, attempt, "the host was killed")) reaped.push(attempt.task_id);
  for (const backlog of await Backlog.list(deps)) await breakMergeLock(deps, `merge#${backlog.id}`);
  // The manager's owner is a host's and, behind a #, its tick's.
  await Lock.breakLock(deps.store, "manager", (owner) => isEarlierLife(deps.host, owner.replace(/#[^#]*$/, "")));
  return reaped;
}

/** A host that stops in good order gives back what it holds; no budget is spent. */
export async function releaseOwn(deps: PipelineDeps): Promise<string[]> {
  const released: string[] = [];
  for (const attempt of await openAttempts(deps, (owner) => owner === ownerOf(deps.host)))
    if (await reapOne(deps, attempt, "the host was stopped", { spent: 0 })) released.push(attempt.task_id);
  return released;
}

async function openAttempts(deps: PipelineDeps, mine: (owner: string) => boolean): Promise<Attempt.AttemptRow[]> {
  const open = await Store.queryAll(deps.store, { index: "gsi1", pk: Keys.OPEN_ATTEMPTS });
  const found: Attempt.AttemptRow[] = [];
  for (const item of open) {
    const attempt = (await Store.get(deps.store, { pk: item.pk, sk: item.sk })) as Attempt.AttemptRow | undefined;
    if (attempt?.by === "pipeline" && attempt.ended_at === undefined && mine(attempt.owner)) found.push(attempt);
  }
  return found;
}

/** An execution that failed, timed out or was aborted ends its attempt at once. */
export async function executionEnded(deps: PipelineDeps, taskId: string, n: number): Promise<void> {
  const attempt = await Attempt.read(deps.store, taskId, n);
  if (attempt && attempt.ended_at === undefined) await reapOne(deps, attempt, "its execution ended");
}

/**
 * Settles what has an outcome rather than paying twice; else a stall is spent and the task is given back, or fails. False when
 * the attempt was not as it was read: it was renewed or ended, or came to an outcome.
 */
async function reapOne(
  deps: PipelineDeps,
  attempt: Attempt.AttemptRow,
  why: string,
  more: { spent?: number; if?: Store.Conditions } = {},
): Promise<boolean> {
  const row = await Task.row(deps.store, attempt.task_id);
  if (!row || row.att !== attempt.n || row.status !== "running") {
    // The task went on without it: only the attempt is left open.
    await Store.write(
      deps.store,
      Attempt.endWrite(
        attempt,
        { status: row?.status ?? "failed", class: "lost", message: why },
        deps.clock.now(),
        false,
      ),
    );
    return false;
  }
  if (attempt.outcome && attempt.by === "pipeline") {
    await settle(deps, { taskId: row.id, attempt: attempt.n });
    return true;
  }
  if (!(await giveBack(deps, row, attempt, why, more.spent ?? 1, more.if))) return false;
  await deps.workflow.stop(nameOf(row.id, attempt.n), why);
  return true;
}

/** A running task that nobody holds any more is pending again within the budget, else it fails. */
async function giveBack(
  deps: PipelineDeps,
  row: Task.TaskRow,
  attempt: Attempt.AttemptRow | undefined,
  why: string,
  spent: number,
  attemptIf: Store.Conditions = {},
): Promise<boolean> {
  const stalls = row.stalls + spent;
  const over = stalls >= MAX_STALLS && spent > 0;
  const message = over ? `${why}; all ${MAX_STALLS} stalls are spent` : why;
  const log = over ? await Attempt.readLog(deps.store, row.id) : undefined;
  const ended = await endAttempt(deps, row, attempt, {
    to: over ? "failed" : "pending",
    actor: "reaper",
    class: "lost",
    message,
    change: { set: { stalls }, remove: ["claimed_by", "claimed_at", "current_step"] },
    parts: over ? { error: errorOf({ class: "lost", message }, log?.text ?? "") } : {},
    // An outcome that came since it was read is settled by the next run, not lost.
    attemptIf: { ...attemptIf, unserved: Store.absent("outcome") },
  });
  if (!ended) return false;
  await deps.events.publish(over ? settled(row) : { type: "task.queued", taskId: row.id });
  return true;
}

/** Ends the lock of a merge whose attempt (`<task>/<n>/<turn>`) has ended; another host's stays. */
async function breakMergeLock(deps: PipelineDeps, name: string): Promise<void> {
  const lock = await Store.get(deps.store, Keys.lock(name));
  if (typeof lock?.owner !== "string") return;
  const [taskId = "", n] = lock.owner.split("/");
  const attempt = await Attempt.read(deps.store, taskId, Number(n));
  if (attempt && attempt.ended_at === undefined) return;
  await Lock.breakLock(deps.store, name, (owner) => owner === lock.owner);
}
