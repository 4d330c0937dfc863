import * as z from "zod";
import * as Executor from "../../../core/flow/executor/index.ts";
import { TaskType } from "../../../core/work/task/index.ts";
import { route } from "../route.ts";

const read = route({
  id: "getRoute",
  method: "GET",
  path: "/api/agent/route",
  scope: ["read"],
  summary: "Which model and command an executor has for a task type; an executor nobody knows counts as claude",
  query: z.object({ task_type: TaskType, executor: z.string().default("auto") }),
  answer: z
    .object({
      task_type: TaskType,
      model: z.string(),
      command_template: z.string(),
      tier: z.string(),
      executor: z.enum(Executor.EXECUTORS),
      provider: z.string(),
      billing_provider: z.string(),
      is_paid_provider: z.boolean(),
    })
    .meta({ id: "Route" }),
  handle({ deps, query: { task_type, executor } }) {
    const settings = deps.config.executor;
    const auto = executor.trim() === "" || executor.trim().toLowerCase() === "auto";
    const chosen = auto ? Executor.cheapOf(settings) : (Executor.executorOf(executor) ?? "claude");
    const { template, ...shown } = Executor.routeOf(settings, task_type, chosen);
    return { task_type, command_template: template, ...shown };
  },
});

/** The contract's executors (3.2). */
export const executors = [read];
