import * as z from "zod";
import * as Pipeline from "../../../core/flow/pipeline/index.ts";
import { line, taskId } from "../fields.ts";
import * as Present from "../present.ts";
import { route } from "../route.ts";
import * as Shapes from "../shapes.ts";

const cancel = route({
  method: "POST",
  path: "/api/agent/tasks/:id/cancel",
  scope: ["write"],
  summary: "Cancel a task; what runs on it stops",
  body: z.object({ reason: line(1000).optional() }),
  bodyOptional: true,
  answer: Shapes.TaskWhole,
  async handle({ deps, params, body }) {
    return Present.task(deps, await Pipeline.cancel(deps, taskId(params.id), body.reason));
  },
});

const retry = route({
  method: "POST",
  path: "/api/agent/tasks/:id/retry",
  scope: ["write"],
  summary: "Begin a failed or cancelled task again",
  answer: Shapes.TaskWhole,
  async handle({ deps, params }) {
    return Present.task(deps, await Pipeline.retry(deps, taskId(params.id)));
  },
});

const release = route({
  method: "POST",
  path: "/api/agent/tasks/:id/release",
  scope: ["write"],
  summary: "Take a running task from whoever holds it",
  answer: Shapes.TaskWhole,
  async handle({ deps, params }) {
    return Present.task(deps, await Pipeline.release(deps, taskId(params.id)));
  },
});

const decide = route({
  method: "POST",
  path: "/api/agent/tasks/:id/decide",
  scope: ["write"],
  summary: "Answer a task that asks",
  body: z.object({ decision: line(4000) }),
  answer: Shapes.TaskWhole,
  async handle({ deps, params, body }) {
    return Present.task(deps, await Pipeline.decide(deps, taskId(params.id), body.decision));
  },
});

/** What a person does to a task; ours, beside the contract. */
export const verbs = [cancel, retry, release, decide];
