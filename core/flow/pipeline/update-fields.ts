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
  named: string | undefined,
): Promise<void> {
  const row = await Task.row(deps.store, taskId);
  if (!row) return;
  if (!patch.status) mayReport(row, patch, named);
  const now = deps.clock.now();
  const contract = Task.contractIn(patch, patch.context ?? {});
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
  const merged = contextPatch(row, patch);
  if (Object.keys(merged).length > 0) await Task.mergeContext(deps.store, taskId, merged);
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

/** All that a PATCH changes in the context: its own keys, and the target contract. */
export function contextPatch(row: Task.TaskRow, patch: Update): Record<string, unknown> {
  return { ...patch.context, ...contractInContext(row, Task.contractIn(patch, patch.context ?? {})) };
}

/** The target contract as the context has it: flat, and as one. Nothing when it is as it was. */
function contractInContext(row: Task.TaskRow, change: Partial<Task.Contract>): Record<string, unknown> {
  if (Object.keys(change).length === 0) return {};
  const { target_state, success_evidence, abort_evidence, observation_window_sec } = row;
  const before = { target_state, success_evidence, abort_evidence, observation_window_sec };
  return { ...change, target_state_contract: { ...before, ...change } };
}
