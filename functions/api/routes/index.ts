import { backlogs } from "./backlogs.ts";
import { fleet } from "./fleet.ts";
import { healthRoutes } from "./health.ts";
import type { Route } from "../route.ts";
import { status } from "./status.ts";
import { tasks } from "./tasks.ts";
import { verbs } from "./verbs.ts";

/** The route table: all that the API serves. OpenAPI is made from it. Where two patterns match, the earlier row answers. */
export const routes: readonly Route[] = [...tasks, ...verbs, ...backlogs, ...fleet, ...status, ...healthRoutes];
