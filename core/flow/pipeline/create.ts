import type { Deps } from "../../ground/deps.ts";
import * as Store from "../../ground/store/index.ts";
import * as Task from "../../work/task/index.ts";
import * as Executor from "../executor/index.ts";
import { retryNotBefore } from "./parse-context.ts";
import { joinWrites } from "./session-key.ts";

/**
 * Makes a task, pending, with the executor that contract runners would run it with. An item's task is the pipeline's own:
 * routing alone says who does it. Throws what `Task.create` throws.
 */
export async function create(
  deps: Deps,
  input: Task.Create,
  options: Omit<Task.CreateOptions, "agent"> = {},
): Promise<{ created: boolean; task: Task.Whole }> {
  if (options.item)
    return Task.create(deps, input, { ...options, agent: { command: Executor.plainCommand(deps.config, input) } });
  const { fingerprint, ...agent } = await Executor.prepare(deps, input);
  const also = (taskId: string) => [
    ...(fingerprint === undefined ? [] : [Executor.remember(fingerprint, taskId, deps.clock.now())]),
    ...(typeof options.also === "function" ? options.also(taskId) : (options.also ?? [])),
  ];
  // Runners of the contract pass over it until then (2.9), and so does ours.
  const until = retryNotBefore(input.context ?? {}, deps.clock.now());
  const parked = until === undefined ? {} : { parked: { until, reason: "its client asked for a later time" } };
  const made = await Task.create(deps, input, { ...options, ...parked, agent, also });
  if (made.created)
    for (const write of await joinWrites(deps, made.task.row.id, input.context ?? {}))
      await Store.write(deps.store, write);
  return made;
}
