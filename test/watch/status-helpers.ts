import * as Pipeline from "../../core/flow/pipeline/index.ts";
import * as Store from "../../core/ground/store/index.ts";
import * as Attempt from "../../core/work/attempt/index.ts";
import * as Task from "../../core/work/task/index.ts";
import type { TestDeps } from "../support/deps.ts";

/** Moves tasks the way the pipeline's verbs do: the task's transition and the attempt's end in one transaction. */
export function mover(deps: TestDeps) {
  const row = async (id: string) => {
    const found = await Task.row(deps.store, id);
    if (!found) throw new Error(`no task ${id}`);
    return found;
  };
  const commit = async (build: (now: number) => Store.Write[]) => {
    const outcome = await Store.tx(deps.store, build);
    if (!outcome.ok) throw new Error(`refused: ${JSON.stringify(outcome.refused)}`);
  };
  return {
    row,
    async create(direction: string, task_type: Task.TaskType = "impl"): Promise<string> {
      return (await Pipeline.create(deps, { direction, task_type })).task.row.id;
    },
    claim: (id: string, leaseMs = 60_000) => Attempt.claim(deps, id, { by: "pipeline", owner: "host", leaseMs }),
    /** Ends the running attempt and its task. */
    async end(id: string, to: "completed" | "failed" | "needs_decision", output?: string): Promise<void> {
      const task = await row(id);
      const attempt = await Attempt.read(deps.store, id, task.att);
      if (!attempt) throw new Error(`no attempt of ${id}`);
      await commit((now) => [
        ...Task.transition(deps.id, task, to, "settle", now, { set: { output_len: output?.length ?? 0 } }),
        ...Task.partWrites(id, output === undefined ? {} : { output }),
        Attempt.endWrite(attempt, { status: to, class: to === "failed" ? "bad_result" : null, message: "" }, now, true),
      ]);
    },
    async move(id: string, to: Task.Status, actor: Task.Actor, change: Task.Change = {}): Promise<void> {
      const task = await row(id);
      await commit((now) => Task.transition(deps.id, task, to, actor, now, change));
    },
  };
}
