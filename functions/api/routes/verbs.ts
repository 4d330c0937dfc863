import * as z from "zod";
import * as Pipeline from "../../../core/flow/pipeline/index.ts";
import { line, NO_TASK, taskId } from "../fields.ts";
import * as Present from "../present.ts";
import { route } from "../route.ts";
import * as Shapes from "../shapes.ts";

const cancel = route({
  id: "cancelTask",
  method: "POST",
  path: "/api/agent/tasks/:id/cancel",
  scope: ["write"],
  summary: "Cancel a task; what runs on it stops",
  body: z.object({ reason: line(1000).optional() }),
  bodyOptional: true,
  example: { reason: "no longer wanted" },
  answer: Shapes.TaskWhole,
  refuses: { 404: NO_TASK, 409: "A completed task cannot become cancelled" },
  async handle({ deps, params, body }) {
    return Present.task(deps, await Pipeline.cancel(deps, taskId(params.id), body.reason));
  },
});

const retry = route({
  id: "retryTask",
  method: "POST",
  path: "/api/agent/tasks/:id/retry",
  scope: ["write"],
  summary: "Begin a failed or cancelled task again",
  answer: Shapes.TaskWhole,
  refuses: { 404: NO_TASK, 409: "Only failed and cancelled tasks are retried; this one is running" },
  async handle({ deps, params }) {
    return Present.task(deps, await Pipeline.retry(deps, taskId(params.id)));
  },
});

const release = route({
  id: "releaseTask",
  method: "POST",
  path: "/api/agent/tasks/:id/release",
  scope: ["write"],
  summary: "Take a running task from whoever holds it",
  answer: Shapes.TaskWhole,
  refuses: { 404: NO_TASK, 409: "Nobody holds the task: it is pending" },
  async handle({ deps, params }) {
    return Present.task(deps, await Pipeline.release(deps, taskId(params.id)));
  },
});

const decide = route({
  id: "decideTask",
  method: "POST",
  path: "/api/agent/tasks/:id/decide",
  scope: ["write"],
  summary: "Answer a task that asks",
  body: z.object({ decision: line(4000) }),
  example: { decision: "Use the second option" },
  answer: Shapes.TaskWhole,
  refuses: { 404: NO_TASK, 409: "The task asks nothing: it is running" },
  async handle({ deps, params, body }) {
    return Present.task(deps, await Pipeline.decide(deps, taskId(params.id), body.decision));
  },
});

/** What a person does to a task; ours, beside the contract. */
export const verbs = [cancel, retry, release, decide];
