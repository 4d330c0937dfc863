import { iso } from "../../ground/clock.ts";
import type { Deps } from "../../ground/deps.ts";
import { CoherenceError } from "../../ground/errors.ts";
import * as Attempt from "../../work/attempt/index.ts";
import * as Task from "../../work/task/index.ts";
import { controlIn } from "./parse-context.ts";
import { asking, expiryOf } from "./question.ts";
import { cancel, move } from "./verbs.ts";

/**
 * Does what a context patch asks of a task that is the pipeline's to run: aborts it, or stops it and asks how to go on. A
 * diagnosis is answered as rejected. Runs of outside runners are theirs: they read these keys themselves.
 */
export async function obey(deps: Deps, taskId: string, patch: Readonly<Record<string, unknown>>): Promise<void> {
  const { abort, steer, diagnosis } = controlIn(patch);
  if (abort === undefined && steer === undefined && diagnosis === undefined) return;
  const row = await Task.row(deps.store, taskId);
  if (!row || !(await isOurs(deps, row))) return;
  if (diagnosis !== undefined)
    await Task.mergeContext(deps.store, taskId, {
      diagnostic_last_result: { id: diagnosis, status: "rejected", output: "commands from a context are never run" },
      diagnostic_last_completed_id: diagnosis,
      diagnostic_last_ran_at: iso(deps.clock.now()),
    });
  try {
    if (abort !== undefined) await cancel(deps, taskId, `aborted: ${abort}`);
    else if (steer !== undefined) await stopAndAsk(deps, taskId, steer);
  } catch (error) {
    // It came to its own end meanwhile.
    if (!(error instanceof CoherenceError) || error.code !== "task.transition") throw error;
  }
}

async function isOurs(deps: Pick<Deps, "store">, row: Task.TaskRow): Promise<boolean> {
  if (row.status === "pending") return row.queue === "pipeline";
  if (row.status !== "running") return false;
  return (await Attempt.read(deps.store, row.id, row.att))?.by === "pipeline";
}

async function stopAndAsk(deps: Deps, taskId: string, why: string): Promise<void> {
  const prompt = `Steering was asked for: ${Task.cut(why, 1000)}. How should the work go on?`;
  const { remove, ...change } = asking({
    decision_prompt: prompt,
    decision_due: expiryOf(deps),
    current_step: "awaiting steering",
  });
  await move(deps, taskId, () => ({
    to: "needs_decision",
    actor: "client",
    class: null,
    message: "steering was asked for",
    change: { ...change, remove: [...remove, "retry_not_before"] },
  }));
}
