import type { Deps } from "../../ground/deps.ts";
import * as Store from "../../ground/store/index.ts";
import { Keys } from "../../ground/store/index.ts";
import * as Attempt from "../../work/attempt/index.ts";
import * as Task from "../../work/task/index.ts";
import type { Update } from "./patch.ts";

/** Everything but the status; renews the lease of a client's attempt. */
export async function changeFields(
  deps: Deps,
  taskId: string,
  patch: Update,
  contract: Partial<Task.Contract>,
  named: string | undefined,
): Promise<void> {
  const row = await Task.row(deps.store, taskId);
  if (!row) return;
  if (!patch.status) mayReport(row, patch, named);
  const now = deps.clock.now();
  const moves = patch.priority !== null && patch.priority !== undefined && row.status === "pending";
  const set = {
    updated_at: now,
    progress_pct: patch.progress_pct ?? undefined,
    current_step:
      patch.current_step === null || patch.current_step === undefined ? undefined : Task.cut(patch.current_step, 1000),
    decision_prompt:
      patch.decision_prompt === null || patch.decision_prompt === undefined
        ? undefined
        : Task.cut(patch.decision_prompt, 4000),
    ...contract,
    output_len: patch.output?.length,
    priority: patch.priority ?? undefined,
    ...(moves && !Task.isWaiting(row) ? Keys.due(row.queue, patch.priority ?? 0, row.queued_at, row.id) : {}),
    // A decision outside a question is kept when there is none yet.
    decision: patch.decision && row.decision === undefined && !row.item ? Task.cut(patch.decision, 4000) : undefined,
  };
  // Under the attempt that was read: who lost the task in between does not write over the next one's words.
  const written = await Store.tx(deps.store, [
    {
      kind: "update",
      key: Keys.task(taskId),
      set,
      if: {
        attempt: Store.eq("att", row.att),
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
    ...(patch.output === null || patch.output === undefined ? [] : Task.partWrites(taskId, { output: patch.output })),
  ]);
  if (!written.ok) throw Attempt.alreadyClaimed(await Task.row(deps.store, taskId));
  if (Object.keys(contract).length > 0)
    // The contract as the task has it by then: another PATCH may change it at the same time.
    await Task.mergeContext(deps.store, taskId, async () =>
      contextPatch((await Task.row(deps.store, taskId)) ?? row, patch, contract),
    );
  else if (Object.keys(patch.context ?? {}).length > 0)
    await Task.mergeContext(deps.store, taskId, patch.context ?? {});
  const attempt = row.status === "running" ? await Attempt.read(deps.store, taskId, row.att) : undefined;
  const stranger = named !== undefined && named !== attempt?.owner;
  if (attempt?.by === "client" && attempt.ended_at === undefined && !stranger)
    await Attempt.renew(
      deps.store,
      { taskId, n: attempt.n, turn: attempt.turn },
      attempt.lease_ms,
      patch.current_step ?? undefined,
    );
}

/** What a run says of itself is its owner's word: one who lost the task, or whose task was cancelled, changes nothing any more. */
export function mayReport(row: Task.TaskRow, patch: Update, named: string | undefined): void {
  const reports = [patch.output, patch.progress_pct, patch.current_step].some(
    (one) => one !== null && one !== undefined,
  );
  if (!reports || named === undefined) return;
  if (row.status === "cancelled") throw Attempt.alreadyClaimed(undefined);
  if ((row.status === "running" || Task.hasEnded(row.status)) && row.claimed_by !== named)
    throw Attempt.alreadyClaimed(row);
}

/**
 * All that a PATCH changes in the context: its own keys, and where it names some of the target contract, those of the task as the
 * PATCH leaves it, flat and as one. Pure.
 */
export function contextPatch(row: Task.TaskRow, patch: Update, named: Partial<Task.Contract>): Record<string, unknown> {
  const { target_state, success_evidence, abort_evidence, observation_window_sec } = row;
  const target_state_contract = { target_state, success_evidence, abort_evidence, observation_window_sec };
  const flat = Object.entries(target_state_contract).filter(([key]) => key in named);
  if (flat.length === 0) return { ...patch.context };
  return { ...patch.context, ...Object.fromEntries(flat), target_state_contract };
}
