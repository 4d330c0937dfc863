import * as Store from "../../ground/store/index.ts";
import { Keys } from "../../ground/store/index.ts";
import type { Candidate, Evidence, Failure, Outcome, Skipped, Tried, Usage } from "../task/index.ts";
import * as Task from "../task/index.ts";
import type { AttemptRow, End, TurnRef } from "./row.ts";

/** The fence: the attempt has not ended and the turn is the one that holds it. */
export function fence(turn: number): Store.Conditions {
  return { open: Store.absent("ended_at"), turn: Store.eq("turn", turn) };
}

/** What a turn may write: it holds the attempt and its failure is not recorded, for then another candidate goes. */
function working(turn: number): Store.Conditions {
  return { ...fence(turn), unfailed: Store.any(Store.absent("failed_turn"), Store.lt("failed_turn", turn)) };
}

/** An attempt, strongly consistent, or undefined. */
export async function read(store: Store.Store, taskId: string, n: number): Promise<AttemptRow | undefined> {
  return (await Store.get(store, Keys.attempt(taskId, n))) as AttemptRow | undefined;
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

export type Entered =
  | { kind: "entered"; attempt: AttemptRow }
  /** Its outcome is there already: it is not paid twice. */
  | { kind: "served"; attempt: AttemptRow }
  /** The attempt has ended, or another candidate is chosen by now: there is nothing to do here. */
  | { kind: "stale"; attempt: AttemptRow | undefined };

/** Raises the turn for the chosen candidate and renews the lease. Every entry of Invoke or Offer begins here. */
export async function enter(
  store: Store.Store,
  taskId: string,
  n: number,
  candidate: number,
  leaseMs: number,
): Promise<Entered> {
  for (;;) {
    const attempt = await read(store, taskId, n);
    if (!attempt || attempt.ended_at !== undefined) return { kind: "stale", attempt };
    if (attempt.outcome) return { kind: "served", attempt };
    if (attempt.chosen !== candidate) return { kind: "stale", attempt };
    const now = store.clock.now();
    const set = {
      turn: attempt.turn + 1,
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

/** Renews the lease of a turn and says what it is doing; false when the turn no longer holds the attempt: stop working. */
export async function renew(store: Store.Store, ref: TurnRef, leaseMs: number, step?: string): Promise<boolean> {
  const now = store.clock.now();
  const outcome = await Store.write(store, {
    kind: "update",
    key: Keys.attempt(ref.taskId, ref.n),
    set: { lease_ms: leaseMs, lease_until: now + leaseMs, ...Keys.byLease(now + leaseMs, ref.taskId), step },
    if: working(ref.turn),
  });
  return outcome.ok;
}

/** What a turn is remembered by, whatever becomes of it: the prompt's hash and variant, tags. False when the turn is stale. */
export async function describe(
  store: Store.Store,
  ref: TurnRef,
  set: Pick<AttemptRow, "prompt_sha" | "prompt_variant" | "skill_version" | "tags">,
): Promise<boolean> {
  const outcome = await Store.write(store, {
    kind: "update",
    key: Keys.attempt(ref.taskId, ref.n),
    set,
    if: working(ref.turn),
  });
  return outcome.ok;
}

/** What the parts of an outcome hold. */
export type OutcomePart = { evidence: Evidence | null; output: string };

/**
 * Writes a turn's outcome: its part first (put if absent, the turn in its key), then the one conditional update that makes it
 * count. False when the turn is stale, or an outcome is there already: nothing changed.
 */
export async function recordOutcome(
  store: Store.Store,
  ref: TurnRef,
  outcome: Outcome,
  part: OutcomePart,
  usage: Usage,
): Promise<boolean> {
  await putPart(store, ref, "outcome", JSON.stringify(part));
  const written = await Store.write(store, {
    kind: "update",
    key: Keys.attempt(ref.taskId, ref.n),
    set: { outcome, outcome_turn: ref.turn, usage },
    if: { ...working(ref.turn), unserved: Store.absent("outcome") },
  });
  return written.ok;
}

/** Says that the turn's work has to wait for something outside; the task will be parked. False when the turn is stale. */
export async function postpone(store: Store.Store, ref: TurnRef, why: string): Promise<boolean> {
  const written = await Store.write(store, {
    kind: "update",
    key: Keys.attempt(ref.taskId, ref.n),
    set: { later: Task.cut(why, 500) },
    if: working(ref.turn),
  });
  return written.ok;
}

/** The parts of the outcome that counts, or undefined. */
export async function readOutcome(store: Store.Store, attempt: AttemptRow): Promise<OutcomePart | undefined> {
  if (attempt.outcome_turn === undefined) return undefined;
  return readPart<OutcomePart>(store, { taskId: attempt.task_id, n: attempt.n, turn: attempt.outcome_turn }, "outcome");
}

/** What a failed turn leaves for RecordFailure. */
export type FailurePart = { failure: Failure; output: string; usage: Usage; ms: number };

/** Leaves a turn's failure for RecordFailure, once. */
export async function leaveFailure(store: Store.Store, ref: TurnRef, part: FailurePart): Promise<void> {
  await putPart(store, ref, "failure", JSON.stringify(part));
}

export async function readFailure(store: Store.Store, ref: TurnRef): Promise<FailurePart | undefined> {
  return readPart<FailurePart>(store, ref, "failure");
}

/** Records a turn's failure once and chooses the next candidate (−1: none). False when the turn is stale or has been recorded. */
export async function recordFailure(
  store: Store.Store,
  attempt: AttemptRow,
  tried: Tried,
  next: number,
): Promise<boolean> {
  const outcome = await Store.write(store, {
    kind: "update",
    key: { pk: attempt.pk, sk: attempt.sk },
    set: { tried: [...attempt.tried, tried], chosen: next, failed_turn: attempt.turn },
    if: { ...working(attempt.turn), unserved: Store.absent("outcome") },
  });
  return outcome.ok;
}

/** Saved progress of a turn, to go on from after a kill or a continue; the newest of a kind counts. JSON, ≤ 256 KB. */
export async function save(store: Store.Store, ref: TurnRef, name: string, json: string): Promise<boolean> {
  const written = await Store.tx(store, [
    { kind: "check", key: Keys.attempt(ref.taskId, ref.n), if: working(ref.turn) },
    { kind: "put", item: { ...Keys.attemptPart(ref.taskId, ref.n, ref.turn, `saved#${name}`), ent: "part", json } },
  ]);
  return written.ok;
}

/**
 * The newest saved progress of a name, from this attempt or an earlier one, or undefined. `open`: only from attempts that came
 * to no outcome: what was judged already is not progress.
 */
export async function saved<T>(
  store: Store.Store,
  ref: Pick<TurnRef, "taskId" | "n">,
  name: string,
  open = false,
): Promise<{ value: T; n: number; turn: number } | undefined> {
  for (let n = ref.n; n >= Math.max(1, ref.n - 10); n--) {
    const attempt = await read(store, ref.taskId, n);
    if (open && attempt?.outcome) return undefined;
    for (let turn = attempt?.turn ?? 0; turn >= 1; turn--) {
      const value = await readPart<T>(store, { taskId: ref.taskId, n, turn }, `saved#${name}`);
      if (value !== undefined) return { value, n, turn };
    }
  }
  return undefined;
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

async function putPart(store: Store.Store, ref: TurnRef, name: string, json: string): Promise<void> {
  await Store.write(store, {
    kind: "put",
    item: { ...Keys.attemptPart(ref.taskId, ref.n, ref.turn, name), ent: "part", json },
    if: Store.isNew,
  });
}

async function readPart<T>(store: Store.Store, ref: TurnRef, name: string): Promise<T | undefined> {
  const item = await Store.get(store, Keys.attemptPart(ref.taskId, ref.n, ref.turn, name));
  return typeof item?.json === "string" ? (JSON.parse(item.json) as T) : undefined;
}

/** Keeps a turn's work order for the worker that takes it. */
export async function saveOrder(store: Store.Store, ref: TurnRef, order: unknown): Promise<void> {
  await putPart(store, ref, "order", JSON.stringify(order));
}

/** The work order of a turn, or undefined. */
export async function readOrder<T>(store: Store.Store, ref: TurnRef): Promise<T | undefined> {
  return readPart<T>(store, ref, "order");
}
