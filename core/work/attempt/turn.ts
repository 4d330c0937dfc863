import * as Store from "../../ground/store/index.ts";
import { Keys } from "../../ground/store/index.ts";
import { wholeOf, type Candidate, type Skipped, type Usage, type Whole } from "../task/index.ts";
import type { AttemptRow, End, TurnRef } from "./row.ts";

/** The fence: the attempt has not ended and the turn is the one that holds it. */
export function fence(turn: number): Store.Conditions {
  return { open: Store.absent("ended_at"), turn: Store.eq("turn", turn) };
}

/** What a turn may write: it holds the attempt and its failure is not recorded, for then another candidate goes. */
export function working(turn: number): Store.Conditions {
  return { ...fence(turn), unfailed: Store.any(Store.absent("failed_turn"), Store.lt("failed_turn", turn)) };
}

/** An attempt, strongly consistent, or undefined. */
export async function read(store: Store.Store, taskId: string, n: number): Promise<AttemptRow | undefined> {
  return (await Store.get(store, Keys.attempt(taskId, n))) as AttemptRow | undefined;
}

/** An attempt and its task, with no part but its context, in one strongly consistent read; each undefined where there is none. */
export async function readWithTask(
  store: Store.Store,
  taskId: string,
  n: number,
): Promise<[AttemptRow | undefined, Whole | undefined]> {
  const keys = [Keys.attempt(taskId, n), Keys.task(taskId), Keys.taskPart(taskId, "context")];
  const [attempt, ...task] = await Store.getMany(store, keys);
  return [attempt as AttemptRow | undefined, wholeOf(task.filter((item) => item !== undefined))];
}

/** The attempts 1 to `att` of a task, in order. */
export async function readAll(store: Store.Store, taskId: string, att: number): Promise<AttemptRow[]> {
  const first = Math.max(1, att - 99);
  const keys = Array.from({ length: att - first + 1 }, (_, i) => Keys.attempt(taskId, first + i));
  return (await Store.getMany(store, keys)).filter((item) => item !== undefined) as unknown as AttemptRow[];
}

/** Writes the candidates, once; a second Plan finds them and changes nothing. Returns the attempt as it then is, undefined when it has ended. */
export async function plan(
  store: Store.Store,
  attempt: AttemptRow,
  candidates: Candidate[],
  skipped: Skipped[],
): Promise<AttemptRow | undefined> {
  const chosen = candidates.length > 0 ? 0 : -1;
  const outcome = await Store.write(store, {
    kind: "update",
    key: { pk: attempt.pk, sk: attempt.sk },
    set: { candidates, skipped, chosen },
    if: { open: Store.absent("ended_at"), unplanned: Store.absent("candidates") },
  });
  if (outcome.ok) return { ...attempt, candidates, skipped, chosen };
  const now = outcome.refused[0]?.item as AttemptRow | undefined;
  return now && now.ended_at === undefined ? now : undefined;
}

/** What a turn is remembered by: the prompt's hash and variant, tags. */
export type Remembered = Pick<AttemptRow, "prompt_sha" | "prompt_variant" | "skill_version" | "tags">;

export type Entered =
  | { kind: "entered"; attempt: AttemptRow }
  /** Its outcome is there already: it is not paid twice. */
  | { kind: "served"; attempt: AttemptRow }
  /** The attempt has ended, or another candidate is chosen by now: there is nothing to do here. */
  | { kind: "stale"; attempt: AttemptRow | undefined };

/**
 * Raises the turn for the chosen candidate and renews the lease. Every entry of Invoke or Offer begins here. `prepare` is given
 * the attempt as it will be with its task (see `readWithTask`), and says what the turn is remembered by, whatever becomes of it.
 */
export async function enter(
  store: Store.Store,
  taskId: string,
  n: number,
  candidate: number,
  leaseMs: number,
  prepare: (attempt: AttemptRow, task: Whole | undefined) => Promise<Remembered> = async () => ({}),
): Promise<Entered> {
  for (;;) {
    const [attempt, task] = await readWithTask(store, taskId, n);
    if (!attempt || attempt.ended_at !== undefined) return { kind: "stale", attempt };
    if (attempt.outcome) return { kind: "served", attempt };
    if (attempt.chosen !== candidate) return { kind: "stale", attempt };
    const turn = attempt.turn + 1;
    const remembered = await prepare({ ...attempt, turn }, task);
    const now = store.clock.now();
    const set = {
      ...remembered,
      turn,
      turn_at: now,
      lease_ms: leaseMs,
      lease_until: now + leaseMs,
      ...Keys.byLease(now + leaseMs, taskId),
    };
    const outcome = await Store.write(store, {
      kind: "update",
      key: Keys.attempt(taskId, n),
      set,
      if: { ...fence(attempt.turn), chosen: Store.eq("chosen", candidate), unserved: Store.absent("outcome") },
    });
    if (outcome.ok) return { kind: "entered", attempt: { ...attempt, ...set } };
  }
}

/**
 * Renews the lease of a turn, and says what it is doing and what its go has used so far where that is known; false when the turn
 * no longer holds the attempt: stop working.
 */
export async function renew(
  store: Store.Store,
  ref: TurnRef,
  leaseMs: number,
  step?: string,
  usage?: Usage,
): Promise<boolean> {
  const now = store.clock.now();
  const outcome = await Store.write(store, {
    kind: "update",
    key: Keys.attempt(ref.taskId, ref.n),
    set: { lease_ms: leaseMs, lease_until: now + leaseMs, ...Keys.byLease(now + leaseMs, ref.taskId), step, usage },
    if: working(ref.turn),
  });
  return outcome.ok;
}

/** The write that sets an open attempt's lease, and what it is doing where that is said; part of a transaction. */
export function leaseWrite(attempt: AttemptRow, leaseMs: number, now: number, step?: string): Store.Write {
  return {
    kind: "update",
    key: { pk: attempt.pk, sk: attempt.sk },
    set: { lease_ms: leaseMs, lease_until: now + leaseMs, ...Keys.byLease(now + leaseMs, attempt.task_id), step },
    if: fence(attempt.turn),
  };
}

/**
 * The write that ends an attempt; part of a transaction. `decisive`: it completed, failed, cancelled or asked for its task.
 * `more`: what must hold beside the fence.
 */
export function endWrite(
  attempt: AttemptRow,
  end: End,
  now: number,
  decisive: boolean,
  more: Store.Conditions = {},
): Store.Write {
  const index = decisive ? Keys.byEnd(now, attempt.task_id) : undefined;
  return {
    kind: "update",
    key: { pk: attempt.pk, sk: attempt.sk },
    set: { ended_at: now, end, ...index },
    remove: index ? [] : ["gsi1pk", "gsi1sk"],
    if: { ...fence(attempt.turn), ...more },
  };
}
