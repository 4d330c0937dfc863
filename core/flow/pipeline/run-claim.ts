import type { Deps } from "../../ground/deps.ts";
import { fail } from "../../ground/errors.ts";
import * as Store from "../../ground/store/index.ts";
import { Keys } from "../../ground/store/index.ts";
import * as Attempt from "../../work/attempt/index.ts";
import * as Runner from "../../work/runner/index.ts";
import * as Task from "../../work/task/index.ts";

/** How a run stands, or why its worker may not go on; `run` is the owner's where there is one. */
export type RunAnswer =
  | { claimed: true; run: Runner.RunRow }
  | { claimed: false; detail: Refused; run: Runner.RunRow | undefined; holder?: { worker: string; status: string } };

export type Refused =
  "task_not_found" | "lease_owned_by_other_worker" | "run_state_not_found" | "lease_owner_mismatch" | "run_finished";

/**
 * An outside runner asks for a task (contract 1.3): it starts no attempt and changes no status, it only keeps others from
 * claiming. Its worker's PATCH starts the attempt, whose lease follows this one. 32 at once: one is granted.
 */
export async function claimRun(deps: Deps, claim: Runner.Claim): Promise<RunAnswer> {
  return Store.contend(deps, "The task is too busy", async (): Promise<RunAnswer | undefined> => {
    const [row, before] = await read(deps, claim.task_id);
    if (!row) return { claimed: false, detail: "task_not_found", run: undefined };
    const now = deps.clock.now();
    const attempt = row.status === "running" ? await Attempt.read(deps.store, row.id, row.att) : undefined;
    if (!mayLease(row, attempt, claim, now)) {
      const worker = Task.holderOf(row, now) ?? "";
      // The run on record may be long over, and the task another's.
      const run = before?.worker_id === worker && isRunOf(row, before) ? before : undefined;
      return { claimed: false, detail: "lease_owned_by_other_worker", run, holder: { worker, status: row.status } };
    }
    const run = Runner.claimed(claim, before, attempt ? row.att - 1 : row.att, now);
    const written = await Store.tx(deps.store, [
      leaseWrite(row, claim, claim.lease_seconds * 1000, now),
      runWrite(run, before),
      ...(attempt ? [Attempt.leaseWrite(attempt, claim.lease_seconds * 1000, now)] : []),
    ]);
    return written.ok ? { claimed: true, run } : undefined;
  });
}

/** A runner's sign of life: an update that says it runs, and lengthens its lease. */
export async function beatRun(deps: Deps, beat: Runner.Beat): Promise<RunAnswer> {
  return updateRun(deps, {
    ...beat,
    patch: { status: "running", next_action: "execute_command" },
    require_owner: true,
  });
}

/**
 * A runner says how its run stands. Only the pair that claimed it is heard, whatever `require_owner` says; a run that is over is
 * not revived, and a lease that was lost not lengthened.
 */
export async function updateRun(deps: Deps, update: Runner.RunUpdate): Promise<RunAnswer> {
  return Store.contend(deps, "The task is too busy", async (): Promise<RunAnswer | undefined> => {
    const [row, before] = await read(deps, update.task_id);
    if (!before) return { claimed: false, detail: "run_state_not_found", run: undefined };
    if (before.run_id !== update.run_id || before.worker_id !== update.worker_id)
      return { claimed: false, detail: "lease_owner_mismatch", run: before };
    const now = deps.clock.now();
    const leaseMs = update.lease_seconds === undefined ? undefined : update.lease_seconds * 1000;
    const run = Runner.patched(before, update.patch, leaseMs, now);
    const ends = Runner.frees(run.status);
    if (Runner.isFinal(before.status) && !ends) return { claimed: false, detail: "run_finished", run: before };
    // It gave the task back: whoever wants it again claims it.
    if (Runner.frees(before.status) && !ends) return { claimed: false, detail: "lease_owner_mismatch", run: before };
    const mine = row?.run_id === before.run_id && row.run_worker === before.worker_id;
    const writes: Store.Write[] = [runWrite(run, before)];
    if (row && ends && mine) writes.push(freeWrite(row));
    else if (row && !ends && leaseMs !== undefined) {
      const attempt = row.att > 0 ? await Attempt.read(deps.store, row.id, row.att) : undefined;
      const held = attempt?.ended_at === undefined ? attempt : undefined;
      // Begun by this run, or not begun yet: what was taken from it, or came to its end, is not this run's any more.
      const stillIts = row.att === before.att ? !held : row.att === before.att + 1 && held !== undefined;
      if (!stillIts || !mayLease(row, held, update, now))
        return { claimed: false, detail: "lease_owner_mismatch", run: before };
      writes.push(leaseWrite(row, update, leaseMs, now));
      if (held) writes.push(Attempt.leaseWrite(held, leaseMs, now));
    }
    return (await Store.tx(deps.store, writes)).ok ? { claimed: true, run } : undefined;
  });
}

/** The run on a task. Throws `run_state.not_found` (404). */
export async function readRun(deps: Pick<Deps, "store">, taskId: string): Promise<Runner.RunRow> {
  const run = (await Store.get(deps.store, Keys.runState(taskId))) as Runner.RunRow | undefined;
  if (!run) throw fail("run_state.not_found", "Run state not found");
  return run;
}

/** Whether this pair may have the lease of a task: nobody else has it, it is not over, and no item's. */
function mayLease(
  row: Task.TaskRow,
  attempt: Attempt.AttemptRow | undefined,
  pair: { run_id: string; worker_id: string },
  now: number,
): boolean {
  if (row.item || Task.hasEnded(row.status)) return false;
  const leased = (row.run_until ?? 0) > now;
  if (leased && (row.run_worker !== pair.worker_id || (row.run_id ?? pair.run_id) !== pair.run_id)) return false;
  if (row.status !== "running") return true;
  return attempt?.by === "client" && attempt.ended_at === undefined && attempt.owner === pair.worker_id;
}

/** Whether a run on record is the one that has the task, or had it last. */
function isRunOf(row: Task.TaskRow, run: Runner.RunRow): boolean {
  return row.run_id === undefined ? row.att === run.att + 1 : row.run_id === run.run_id;
}

function leaseWrite(
  row: Task.TaskRow,
  pair: { run_id: string; worker_id: string },
  leaseMs: number,
  now: number,
): Store.Write {
  return {
    kind: "update",
    key: Keys.task(row.id),
    set: { run_id: pair.run_id, run_worker: pair.worker_id, run_until: now + leaseMs, run_lease_ms: leaseMs },
    // As it was read; two claims at once meet at the run's own revision too.
    if: { status: Store.eq("status", row.status), attempt: Store.eq("att", row.att), lease: sameLease(row) },
  };
}

function sameLease(row: Task.TaskRow): Store.Test {
  return row.run_until === undefined ? Store.absent("run_until") : Store.eq("run_until", row.run_until);
}

function freeWrite(row: Task.TaskRow): Store.Write {
  return { kind: "update", key: Keys.task(row.id), remove: Task.RUN_STATE, if: { lease: sameLease(row) } };
}

function runWrite(run: Runner.RunRow, before: Runner.RunRow | undefined): Store.Write {
  return {
    kind: "put",
    item: { ...Keys.runState(run.task_id), ent: "run_state", v: 1, ...run },
    if: { same: before ? Store.eq("rev", before.rev) : Store.absent("rev") },
  };
}

async function read(
  deps: Pick<Deps, "store">,
  taskId: string,
): Promise<[Task.TaskRow | undefined, Runner.RunRow | undefined]> {
  const [row, run] = await Store.getMany(deps.store, [Keys.task(taskId), Keys.runState(taskId)]);
  return [row as Task.TaskRow | undefined, run as Runner.RunRow | undefined];
}
