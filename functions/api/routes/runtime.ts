import * as z from "zod";
import * as Telemetry from "../../../core/work/telemetry/index.ts";
import { route } from "../route.ts";

const endpoints = route({
  id: "getEndpointsSummary",
  method: "GET",
  path: "/api/runtime/endpoints/summary",
  scope: ["read"],
  summary: "Requests by route over a window: how many, how long, with what status",
  query: z.object({ seconds: z.number().int().min(60).max(2_592_000).default(3600) }),
  answer: Telemetry.Endpoints,
  handle: ({ deps, query }) => Telemetry.endpoints(deps, query.seconds),
});

/** What serving costs (contract 1.7). */
export const runtime = [endpoints];
