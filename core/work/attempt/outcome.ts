import * as Store from "../../ground/store/index.ts";
import { Keys } from "../../ground/store/index.ts";
import { cut, type Evidence, type Failure, type Outcome, type TaskRow, type Tried, type Usage } from "../task/index.ts";
import { partOf, partWrite, putPart, readPart } from "./parts.ts";
import type { AttemptRow, TurnRef } from "./row.ts";
import { working } from "./turn.ts";

/** What the parts of an outcome hold. */
export type OutcomePart = { evidence: Evidence | null; output: string };

/**
 * Writes a turn's outcome: its part and the conditional update that makes it count, at once. False when the turn is stale, or an
 * outcome is there already: nothing changed. `asked`: whether the candidate was, since an outcome may come without.
 */
export async function recordOutcome(
  store: Store.Store,
  ref: TurnRef,
  outcome: Outcome,
  part: OutcomePart,
  usage: Usage,
  asked = true,
): Promise<boolean> {
  const written = await Store.tx(store, [
    {
      kind: "update",
      key: Keys.attempt(ref.taskId, ref.n),
      set: { outcome, outcome_turn: ref.turn, usage, ...(asked ? {} : { unasked: true }) },
      if: { ...working(ref.turn), unserved: Store.absent("outcome") },
    },
    partWrite(ref, "outcome", JSON.stringify(part)),
  ]);
  return written.ok;
}

/** Says that the turn's work has to wait for something outside; the task will be parked. False when the turn is stale. */
export async function postpone(store: Store.Store, ref: TurnRef, why: string): Promise<boolean> {
  const written = await Store.write(store, {
    kind: "update",
    key: Keys.attempt(ref.taskId, ref.n),
    set: { later: cut(why, 500) },
    if: working(ref.turn),
  });
  return written.ok;
}

/** An attempt, its task and the parts of the outcome that counts, each undefined where there is none. */
export async function readToSettle(
  store: Store.Store,
  taskId: string,
  n: number,
): Promise<{ attempt: AttemptRow | undefined; row: TaskRow | undefined; part: OutcomePart | undefined }> {
  // Most attempts have one turn: what it left is read along.
  const keys = [Keys.attempt(taskId, n), Keys.task(taskId), Keys.attemptPart(taskId, n, 1, "outcome")];
  const [item, task, first] = await Store.getMany(store, keys);
  const [attempt, row] = [item as AttemptRow | undefined, task as TaskRow | undefined];
  const part =
    attempt?.outcome_turn === 1 ? partOf<OutcomePart>(first) : attempt && (await readOutcome(store, attempt));
  return { attempt, row, part };
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

/**
 * Records a turn's failure once and chooses the next candidate (−1: none), together with `also`, which is made anew when it was
 * refused. False when the turn is stale or has been recorded: nothing changed.
 */
export async function recordFailure(
  store: Store.Store,
  attempt: AttemptRow,
  tried: Tried,
  next: number,
  also: () => Promise<Store.Write | undefined> = async () => undefined,
): Promise<boolean> {
  return Store.contend(store, "Too many runs fail on this provider at once", async () => {
    const other = await also();
    const written = await Store.tx(store, [
      {
        kind: "update",
        key: { pk: attempt.pk, sk: attempt.sk },
        set: { tried: [...attempt.tried, tried], chosen: next, failed_turn: attempt.turn },
        remove: ["usage"],
        if: { ...working(attempt.turn), unserved: Store.absent("outcome") },
      },
      ...(other ? [other] : []),
    ]);
    if (written.ok) return true;
    return written.refused.some(({ index }) => index === 0) ? false : undefined;
  });
}
