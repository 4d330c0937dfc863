import { backlogs } from "./backlogs.ts";
import { constants } from "./constants.ts";
import { execution } from "./execute.ts";
import { executors } from "./executors.ts";
import { fleet } from "./fleet.ts";
import { healthRoutes } from "./health.ts";
import { providers } from "./providers.ts";
import { queues } from "./queue.ts";
import { readModels } from "./read-models.ts";
import type { Route } from "../route.ts";
import { runners } from "./runners.ts";
import { runtime } from "./runtime.ts";
import { status } from "./status.ts";
import { tasks } from "./tasks.ts";
import { verbs } from "./verbs.ts";

/** The route table: all that the API serves. OpenAPI is made from it. Where two patterns match, the earlier row answers. */
export const routes: readonly Route[] = [
  ...execution,
  ...queues,
  ...tasks,
  ...verbs,
  ...runners,
  ...executors,
  ...backlogs,
  ...providers,
  ...fleet,
  ...status,
  ...readModels,
  ...runtime,
  ...constants,
  ...healthRoutes,
];
