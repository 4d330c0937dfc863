import * as z from "zod";
import type { Deps } from "../../ground/deps.ts";
import * as Store from "../../ground/store/index.ts";
import { Keys } from "../../ground/store/index.ts";
import { DAY_MS, empty, fromItem, HOUR_MS, merge, MINUTE_MS, type Counts } from "./counts.ts";
import { ideaOf, ORIGIN_IDEA } from "./ideas.ts";
import { percentile } from "./latency.ts";

/** Contract 6.3: what each route was asked for within the window. Times in ms, cost in US dollars; percentiles are ours. */
export const Endpoints = z.strictObject({
  window_seconds: z.number().int(),
  endpoints: z.array(
    z.strictObject({
      endpoint: z.string(),
      methods: z.array(z.string()),
      idea_id: z.string(),
      origin_idea_id: z.string(),
      event_count: z.number().int(),
      total_runtime_ms: z.number(),
      average_runtime_ms: z.number(),
      p50_runtime_ms: z.number().nullable(),
      p99_runtime_ms: z.number().nullable(),
      runtime_cost_estimate: z.number(),
      /** No request of the API pays a provider: zeros. */
      paid_tool_event_count: z.number().int(),
      paid_tool_failure_count: z.number().int(),
      paid_tool_ratio: z.number(),
      paid_tool_runtime_cost: z.number(),
      paid_tool_average_runtime_ms: z.number(),
      by_source: z.record(z.string(), z.number().int()),
      status_counts: z.record(z.string(), z.number().int()),
    }),
  ),
});
export type Endpoints = z.infer<typeof Endpoints>;

/**
 * Requests by route over the last `seconds` (60 to 2 592 000), from the minute in which the window begins, exact but for what
 * processes have not flushed yet. At most three ranges are read: the minutes of the first hour, the hours of the first day, days.
 */
export async function endpoints(deps: Pick<Deps, "store" | "clock" | "config">, seconds: number): Promise<Endpoints> {
  const now = deps.clock.now();
  const begin = now - seconds * 1000;
  const pages = await Promise.all(ranges(begin, now).map(({ span, from }) => counted(deps.store, span, from)));
  const byRoute = new Map<string, Counts[]>();
  for (const counts of pages.flat()) byRoute.set(counts.route, [...(byRoute.get(counts.route) ?? []), counts]);
  const rows = [...byRoute].map(([route, counts]) => row(route, counts, deps.config.runtime.costPerSecond));
  return { window_seconds: seconds, endpoints: rows.sort(dearestFirst) };
}

/** The ranges that make up a window up to `now`, each to the end of its partition; times in ms. Pure. */
export function ranges(begin: number, now: number): { span: Keys.Span; from: number }[] {
  const from = begin - (begin % MINUTE_MS);
  const hours = Math.ceil(from / HOUR_MS) * HOUR_MS;
  const days = Math.ceil(hours / DAY_MS) * DAY_MS;
  return [
    ...(from < hours ? [{ span: "minute" as const, from }] : []),
    ...(hours < days && hours <= now ? [{ span: "hour" as const, from: hours }] : []),
    ...(days <= now ? [{ span: "day" as const, from: days }] : []),
  ];
}

async function counted(store: Store.Store, span: Keys.Span, from: number): Promise<Counts[]> {
  const items = await Store.queryAll(store, {
    pk: Keys.requestPartition(span, from),
    sk: { from: Keys.requestsFrom(span, from) },
  });
  return items.map(fromItem).filter((counts) => counts !== undefined);
}

function row(route: string, counts: readonly Counts[], costPerSecond: number): Endpoints["endpoints"][number] {
  const all = empty("", route);
  for (const one of counts) merge(all, one);
  const ms = all.us / 1000;
  const cost = round((ms / 1000) * costPerSecond, 8);
  return {
    endpoint: route,
    methods: [...new Set(counts.map((one) => one.method))].sort(),
    idea_id: ideaOf(route),
    origin_idea_id: ORIGIN_IDEA,
    event_count: all.count,
    total_runtime_ms: round(ms, 4),
    average_runtime_ms: all.count > 0 ? round(ms / all.count, 4) : 0,
    p50_runtime_ms: percentile(all.bins, 0.5),
    p99_runtime_ms: percentile(all.bins, 0.99),
    runtime_cost_estimate: cost,
    paid_tool_event_count: 0,
    paid_tool_failure_count: 0,
    paid_tool_ratio: 0,
    paid_tool_runtime_cost: 0,
    paid_tool_average_runtime_ms: 0,
    by_source: { api: all.count },
    status_counts: Object.fromEntries([...all.statuses].map(([status, n]) => [String(status), n])),
  };
}

/** The contract's order: by cost, then by name, both from the top down. */
function dearestFirst(a: Endpoints["endpoints"][number], b: Endpoints["endpoints"][number]): number {
  if (a.runtime_cost_estimate !== b.runtime_cost_estimate) return b.runtime_cost_estimate - a.runtime_cost_estimate;
  return a.endpoint < b.endpoint ? 1 : -1;
}

function round(value: number, digits: number): number {
  return Math.round(value * 10 ** digits) / 10 ** digits;
}
