import type { Id } from "../../ground/id.ts";
import * as Store from "../../ground/store/index.ts";
import { Keys } from "../../ground/store/index.ts";
import { fail } from "../../ground/errors.ts";
import type { TaskRow } from "./row.ts";
import type { Status } from "./words.ts";

/** Who asks for a change of status. */
export type Actor =
  | "claim" // of dispatch or of a client
  | "settle" // the end of our own attempt
  | "client" // the owner of a client's attempt, or an operator
  | "operator" // cancel, retry, release, decide
  | "reaper";

/** Every change of status there is, and who may make it. Anything else is a 409 and changes nothing. */
const TABLE: Readonly<Record<Status, Partial<Record<Status, readonly Actor[]>>>> = {
  pending: {
    running: ["claim"],
    needs_decision: ["client", "operator", "settle"],
    failed: ["client", "operator", "settle", "reaper"],
    completed: ["client"], // claim and finish in one
    cancelled: ["operator"],
  },
  running: {
    completed: ["settle", "client"],
    failed: ["settle", "client", "reaper"],
    needs_decision: ["settle", "client"],
    cancelled: ["operator"],
    pending: ["settle", "client", "operator", "reaper"],
  },
  needs_decision: {
    pending: ["operator"],
    running: ["claim"],
    completed: ["client", "operator"],
    failed: ["client", "operator", "reaper"],
    cancelled: ["operator"],
  },
  failed: { pending: ["operator"], needs_decision: ["client", "operator"] },
  cancelled: { pending: ["operator"] },
  completed: { failed: ["client"], needs_decision: ["client"] },
};

/** What a run-state claim leaves on a task. */
export const RUN_STATE = ["run_id", "run_worker", "run_until", "run_lease_ms"] as const satisfies (keyof TaskRow)[];

/** Whether `actor` may move a task from one status to another. */
export function allowed(from: Status, to: Status, actor: Actor): boolean {
  return TABLE[from][to]?.includes(actor) ?? false;
}

/** Whether a task in this status is over (a retry may still begin it again). */
export function hasEnded(status: Status): boolean {
  return status === "completed" || status === "failed" || status === "cancelled";
}

/** What may change together with the status. */
export type Change = {
  set?: Partial<Omit<TaskRow, "pk" | "sk" | "ent" | "id" | "status" | "created_at">>;
  remove?: readonly (keyof TaskRow)[];
  add?: Partial<Record<"tries" | "stalls" | "parks" | "att", number>>;
  /** Further conditions on the task. */
  if?: Store.Conditions;
  /** Parked or waiting until then (ms): out of the queue, into the delayed list. */
  until?: number;
};

/**
 * The one way a task's status changes: the writes that do it, conditional on the status and the attempt that were read.
 * The task's write comes first; an ended counter's follows when a status of the end is entered or left.
 * Throws `task.transition` (409) for a change that the table does not know.
 */
export function transition(
  id: Id,
  row: TaskRow,
  to: Status,
  actor: Actor,
  now: number,
  change: Change = {},
): Store.Write[] {
  if (!allowed(row.status, to, actor))
    throw fail("task.transition", `A ${row.status} task cannot become ${to}`, {
      data: { from: row.status, to },
      remedy: "Read the task again; retry a failed or cancelled one, decide one that asks.",
    });
  const next: TaskRow = { ...row, ...change.set, status: to };
  const waiting = change.until !== undefined && (to === "pending" || to === "needs_decision");
  const index = waiting
    ? Keys.delayed(change.until ?? now, row.id)
    : to === "pending"
      ? Keys.due(next.queue, next.priority, now, row.id)
      : undefined;
  const writes: Store.Write[] = [
    {
      kind: "update",
      key: Keys.task(row.id),
      set: {
        ...change.set,
        status: to,
        updated_at: now,
        ...(to === "pending" ? { queued_at: now } : {}),
        ...(hasEnded(to) ? { ended_at: now } : {}),
        ...Keys.byStatus(to, row.created_at, row.id),
        ...index,
      },
      ...(change.add ? { add: change.add } : {}),
      remove: [
        ...(index ? [] : (["gsi3pk", "gsi3sk"] as const)),
        ...(hasEnded(to) ? [] : (["ended_at"] as const)),
        // A runner's claim goes with what it worked on: a requeued task is anybody's.
        ...(actor === "claim" ? [] : RUN_STATE),
        ...(change.remove ?? []),
      ],
      if: { status: Store.eq("status", row.status), attempt: Store.eq("att", row.att), ...change.if },
    },
  ];
  if (hasEnded(row.status)) writes.push(counted(id, row, row.status, -1));
  if (hasEnded(to)) writes.push(counted(id, row, to, 1));
  return writes;
}

/** Moves an ended counter; a random shard, so that no counter is hot. */
function counted(id: Id, row: TaskRow, status: Status, by: 1 | -1): Store.Write {
  const shard = Math.floor(id.random() * Keys.SHARDS);
  return {
    kind: "update",
    key: Keys.endedCounter(status, row.task_type, shard),
    set: { ent: "counter" },
    add: { n: by },
  };
}

/** Takes a pending task out of the queue until its type is no longer paused; its place in the order is kept. */
export function putAside(row: TaskRow, reason: string): Store.Write {
  return {
    kind: "update",
    key: Keys.task(row.id),
    set: {
      gsi3pk: Keys.asidePartition(row.queue, row.task_type),
      gsi3sk: Keys.due(row.queue, row.priority, row.queued_at, row.id).gsi3sk,
      wait_reason: reason,
    },
    if: { status: Store.eq("status", "pending"), attempt: Store.eq("att", row.att) },
  };
}

/** Whether a pending task waits for something else than its turn: parked, or put aside. */
export function isWaiting(row: Pick<TaskRow, "status" | "wait_reason" | "retry_not_before">): boolean {
  return row.status === "pending" && (row.retry_not_before !== undefined || row.wait_reason !== undefined);
}

/** Ends a parked task's waiting: it stands in the queue again, with the age it had. */
export function wake(row: TaskRow): Store.Write {
  return {
    kind: "update",
    key: Keys.task(row.id),
    set: Keys.due(row.queue, row.priority, row.queued_at, row.id),
    remove: ["retry_not_before", "wait_reason"],
    if: { status: Store.eq("status", "pending"), attempt: Store.eq("att", row.att) },
  };
}
