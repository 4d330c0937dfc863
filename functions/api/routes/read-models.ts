import * as Effectiveness from "../../../core/watch/effectiveness/index.ts";
import * as Monitor from "../../../core/watch/monitor/index.ts";
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

const effectiveness = route({
  id: "getEffectiveness",
  method: "GET",
  path: "/api/agent/effectiveness",
  scope: ["read"],
  summary: "How well the pipeline does what it is for, and how far its plan is",
  answer: Effectiveness.Effectiveness,
  handle: ({ deps }) => Effectiveness.effectiveness(deps),
});

const statusReport = route({
  id: "getStatusReport",
  method: "GET",
  path: "/api/agent/status-report",
  scope: ["read"],
  summary: "The monitor's last report, or that there is none yet",
  answer: Monitor.StatusReport,
  handle: ({ deps }) => Monitor.report(deps),
});

const monitorIssues = route({
  id: "getMonitorIssues",
  method: "GET",
  path: "/api/agent/monitor-issues",
  scope: ["read"],
  summary: "Open issues, the most pressing first, and when the monitor last looked",
  answer: Monitor.MonitorIssues,
  handle: ({ deps }) => Monitor.issues(deps),
});

const fatalIssues = route({
  id: "getFatalIssues",
  method: "GET",
  path: "/api/agent/fatal-issues",
  scope: ["read"],
  summary: "What ended the pipeline for good, if there is such",
  answer: Monitor.FatalIssues,
  handle: ({ deps }) => Monitor.fatal(deps),
});

/** Reports of the contract (1.5), each at a cost that does not depend on the number of tasks. */
export const readModels = [usage, visibility, integration, effectiveness, statusReport, monitorIssues, fatalIssues];
