import * as z from "zod";
import { iso } from "../../../core/ground/clock.ts";
import { route } from "../route.ts";

/**
 * What clients of the contract ask for and this house does not do (its list "Decided against it"): each answers as if there were
 * nothing to say, in the contract's shape.
 */

const count = z.number().int();
const text = z.string();
const none = z.array(z.unknown()).length(0);
const window = z.number().int().min(60).max(2_592_000).default(86_400);

const gate = route({
  id: "getPublicDeployContract",
  method: "GET",
  path: "/api/gates/public-deploy-contract",
  scope: ["read"],
  summary: "A constant: monitors count anything else as a block",
  answer: z.object({ result: z.literal("public_contract_passed") }),
  handle: () => ({ result: "public_contract_passed" as const }),
});

const exerciser = route({
  id: "runExerciser",
  method: "POST",
  path: "/api/runtime/exerciser/run",
  scope: ["run", "write"],
  summary: "Calls nothing and says so",
  query: z.object({
    cycles: count.min(1).max(200).default(1),
    max_endpoints: count.min(1).max(2000).default(250),
    delay_ms: count.min(0).max(30_000).default(0),
    timeout_seconds: count.min(1).max(60).default(8),
    runtime_window_seconds: window,
  }),
  answer: z.object({
    result: z.literal("runtime_get_endpoint_exerciser_completed"),
    generated_at: z.iso.datetime(),
    config: z.record(text, z.number()),
    coverage: z.object({
      before_with_usage_events: count,
      after_with_usage_events: count,
      delta_with_usage_events: count,
      before_total_endpoints: count,
      after_total_endpoints: count,
    }),
    summary: z.object({
      discovered_get_endpoints: count,
      total_calls: count,
      status_counts: z.record(text, count),
      successful_calls: count,
      failed_calls: count,
    }),
    calls: none,
  }),
  handle: ({ deps, query }) => ({
    result: "runtime_get_endpoint_exerciser_completed" as const,
    generated_at: iso(deps.clock.now()),
    config: query,
    coverage: {
      before_with_usage_events: 0,
      after_with_usage_events: 0,
      delta_with_usage_events: 0,
      before_total_endpoints: 0,
      after_total_endpoints: 0,
    },
    summary: {
      discovered_get_endpoints: 0,
      total_calls: 0,
      status_counts: {},
      successful_calls: 0,
      failed_calls: 0,
    },
    calls: [],
  }),
});

const verification = route({
  id: "getUsageVerification",
  method: "GET",
  path: "/api/runtime/usage/verification",
  scope: ["read"],
  summary: "Compares nothing: no URL of a caller is fetched",
  query: z.object({
    public_api_base: text.max(2000).default(""),
    runtime_window_seconds: window,
    timeout_seconds: count.min(1).max(60).default(8),
  }),
  answer: z.object({
    runtime_window_seconds: count,
    public_api_base: text,
    pass_contract: z.boolean(),
    error: text.nullable(),
    internal_endpoint_count: count,
    public_endpoint_count: count,
    overlap_count: count,
    internal_only_endpoints: none,
    public_only_endpoints: none,
    missing_public_records: none,
  }),
  handle: ({ query }) => ({
    runtime_window_seconds: query.runtime_window_seconds,
    public_api_base: query.public_api_base,
    pass_contract: true,
    error: null,
    internal_endpoint_count: 0,
    public_endpoint_count: 0,
    overlap_count: 0,
    internal_only_endpoints: [],
    public_only_endpoints: [],
    missing_public_records: [],
  }),
});

const estimator = route({
  id: "getSubscriptionEstimate",
  method: "GET",
  path: "/api/automation/usage/subscription-estimator",
  scope: ["read"],
  summary: "Estimates no subscription",
  answer: z.object({
    generated_at: z.iso.datetime(),
    plans: none,
    detected_subscriptions: count,
    estimated_current_monthly_cost_usd: z.number(),
    estimated_next_monthly_cost_usd: z.number(),
    estimated_monthly_upgrade_delta_usd: z.number(),
  }),
  handle: ({ deps }) => ({
    generated_at: iso(deps.clock.now()),
    plans: [],
    detected_subscriptions: 0,
    estimated_current_monthly_cost_usd: 0,
    estimated_next_monthly_cost_usd: 0,
    estimated_monthly_upgrade_delta_usd: 0,
  }),
});

const externalTools = route({
  id: "listExternalTools",
  method: "GET",
  path: "/api/automation/usage/external-tools",
  scope: ["read"],
  summary: "Knows of no external tools",
  query: z.object({
    limit: count.min(1).max(5000).default(200),
    provider: text.max(200).default(""),
    tool_name: text.max(200).default(""),
  }),
  answer: z.object({ count, events: none }),
  handle: () => ({ count: 0, events: [] }),
});

/** Constant answers. */
export const constants = [gate, exerciser, verification, estimator, externalTools];
