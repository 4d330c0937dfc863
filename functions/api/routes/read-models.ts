import * as Status from "../../../core/watch/status/index.ts";
import { route } from "../route.ts";

const usage = route({
  id: "getUsage",
  method: "GET",
  path: "/api/agent/usage",
  scope: ["read"],
  summary: "Tasks by model, and who ran what, over today and the six UTC days before",
  answer: Status.UsageAnswer,
  handle: ({ deps }) => Status.usage(deps),
});

const visibility = route({
  id: "getVisibility",
  method: "GET",
  path: "/api/agent/visibility",
  scope: ["read"],
  summary: "The pipeline and its usage at a glance",
  answer: Status.Visibility,
  handle: ({ deps }) => Status.visibility(deps),
});

const integration = route({
  id: "getIntegration",
  method: "GET",
  path: "/api/agent/integration",
  scope: ["read"],
  summary: "Whether task types, roles and executors fit together, and what is missing",
  answer: Status.Integration,
  handle: ({ deps }) => Status.integration(deps),
});

/** Reports of the contract (1.5), each at a cost that does not depend on the number of tasks. */
export const readModels = [usage, visibility, integration];
