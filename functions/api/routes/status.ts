import * as Status from "../../../core/watch/status/index.ts";
import * as Metrics from "../../../core/work/metrics/index.ts";
import { route } from "../route.ts";

const pipelineStatus = route({
  id: "getPipelineStatus",
  method: "GET",
  path: "/api/agent/pipeline-status",
  scope: ["read"],
  summary: "What runs, waits and has ended, and what needs attention",
  answer: Status.PipelineStatus,
  handle: ({ deps }) => Status.pipelineStatus(deps),
});

const metrics = route({
  id: "getMetrics",
  method: "GET",
  path: "/api/agent/metrics",
  scope: ["read"],
  summary: "Success, run time and cost over today and the six UTC days before",
  answer: Metrics.MetricsAnswer,
  handle: ({ deps }) => Metrics.read(deps),
});

/** The whole at a glance. */
export const status = [pipelineStatus, metrics];
