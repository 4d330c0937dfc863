import type { Deps } from "../../ground/deps.ts";
import * as Store from "../../ground/store/index.ts";
import { Keys } from "../../ground/store/index.ts";
import * as Attempt from "../../work/attempt/index.ts";
import * as Task from "../../work/task/index.ts";
import type { Update } from "./patch.ts";

/** A PATCH, with the parts of the target contract that it names. */
export type Said = { patch: Update; contract: Partial<Task.Contract> };

/**
 * The writes of everything but the status, of a task and a context as they were read. A decision is kept when there is none yet;
 * one that asks anew has none.
 */
export function fieldWrites(row: Task.TaskRow, context: Task.ContextRead, said: Said, now: number): Store.Write[] {
  const { patch, contract } = said;
  const { output } = patch;
  const undecided = row.decision === undefined || patch.status === "needs_decision";
  const changes = contextPatch({ ...row, ...contract }, patch, contract);
  // How far a run is says nothing of a task that is over: what was under way came late.
  const late = Task.hasEnded(row.status) && (patch.status ?? row.status) === row.status;
  return [
    {
      kind: "update",
      key: Keys.task(row.id),
      set: {
        updated_at: now,
        ...(late ? {} : { progress_pct: patch.progress_pct ?? undefined, current_step: stepIn(patch) }),
        decision_prompt: isGiven(patch.decision_prompt) ? Task.cut(patch.decision_prompt, 4000) : undefined,
        ...contract,
        output_len: output?.length,
        priority: patch.priority ?? undefined,
        decision: patch.decision?.trim() && undecided && !row.item ? Task.cut(patch.decision, 4000) : undefined,
      },
    },
    ...(isGiven(output) ? Task.partWrites(row.id, { output }) : []),
    ...(Object.keys(changes).length > 0 ? [Task.mergeWrite(row.id, context, changes)] : []),
  ];
}

/**
 * What a PATCH that moves no status writes beside its fields, and what must hold of the task by then: under the attempt that was
 * read, so that who lost the task in between does not write over the next one's words; renews the lease of a client's attempt.
 */
export async function stayWrites(
  deps: Pick<Deps, "store">,
  row: Task.TaskRow,
  patch: Update,
  named: string | undefined,
  now: number,
): Promise<Store.Write[]> {
  const moves = isGiven(patch.priority) && row.status === "pending";
  const inQueue = moves && !Task.isWaiting(row);
  const attempt = row.status === "running" ? await Attempt.read(deps.store, row.id, row.att) : undefined;
  const renewed =
    attempt?.by === "client" && attempt.ended_at === undefined && (named ?? attempt.owner) === attempt.owner;
  return [
    {
      kind: "update",
      key: Keys.task(row.id),
      set: inQueue ? Keys.due(row.queue, patch.priority ?? 0, row.queued_at, row.id) : {},
      if: {
        attempt: Store.eq("att", row.att),
        ...(isReport(patch) ? { status: Store.eq("status", row.status) } : {}),
        ...(isGiven(patch.decision) && row.decision === undefined ? { undecided: Store.absent("decision") } : {}),
        // Its place is that of a pending task of this queue: one that was cancelled or parked meanwhile has none.
        ...(moves
          ? {
              pending: Store.eq("status", "pending"),
              queue: Store.eq("queue", row.queue),
              waits: row.wait_reason === undefined ? Store.absent("wait_reason") : Store.exists("wait_reason"),
            }
          : {}),
      },
    },
    ...(renewed ? [Attempt.leaseWrite(attempt, attempt.lease_ms, now, stepIn(patch))] : []),
  ];
}

/** Whether a PATCH says something of a run. */
export function isReport(patch: Update): boolean {
  return [patch.output, patch.progress_pct, patch.current_step].some(isGiven);
}

/** What a run says of itself is its owner's word: one who lost the task, or whose task was cancelled, changes nothing any more. */
export function mayReport(row: Task.TaskRow, patch: Update, named: string | undefined, now: number): void {
  if (!isReport(patch) || named === undefined) return;
  if (row.status === "cancelled") throw Attempt.alreadyClaimed(undefined, now);
  if ((row.status === "running" || Task.hasEnded(row.status)) && row.claimed_by !== named)
    throw Attempt.alreadyClaimed(row, now);
}

/**
 * All that a PATCH changes in the context: its own keys, and where it names some of the target contract, those of the task as the
 * PATCH leaves it, flat and as one. Pure.
 */
function contextPatch(row: Task.TaskRow, patch: Update, named: Partial<Task.Contract>): Record<string, unknown> {
  const { target_state, success_evidence, abort_evidence, observation_window_sec } = row;
  const target_state_contract = { target_state, success_evidence, abort_evidence, observation_window_sec };
  const flat = Object.entries(target_state_contract).filter(([key]) => key in named);
  if (flat.length === 0) return { ...patch.context };
  return { ...patch.context, ...Object.fromEntries(flat), target_state_contract };
}

function stepIn({ current_step }: Update): string | undefined {
  return isGiven(current_step) ? Task.cut(current_step, 1000) : undefined;
}

/** Whether a field is there: a null changes nothing. */
export function isGiven<T>(value: T | null | undefined): value is T {
  return value !== null && value !== undefined;
}
