import * as z from "zod";
import { iso } from "../../ground/clock.ts";
import type { Deps } from "../../ground/deps.ts";
import * as Backlog from "../../work/backlog/index.ts";
import * as Metrics from "../../work/metrics/index.ts";
import { cut } from "../../work/task/index.ts";
import * as Monitor from "../monitor/index.ts";
import { planProgress, PlanProgress } from "./plan.ts";
import { goalProximity } from "./proximity.ts";

const WEEK_MS = 7 * 86_400_000;
const MAX_TOP = 5;
const MAX_MESSAGE = 80;

const count = z.number().int();

/** Contract 4.4, over the metrics' window. Rates 0 to 1. */
export const Effectiveness = z.strictObject({
  throughput: z.strictObject({ completed_7d: count, tasks_per_day: z.number() }),
  success_rate: z.number(),
  issues: z.strictObject({ open: count, resolved_7d: count }),
  progress: z.strictObject({ spec: count, impl: count, test: count, review: count, heal: count }),
  goal_proximity: z.number(),
  heal_resolved_count: count,
  top_issues_by_priority: z
    .array(z.strictObject({ condition: z.string(), severity: Monitor.Severity, message: z.string().max(MAX_MESSAGE) }))
    .max(MAX_TOP),
  plan_progress: PlanProgress,
  /** Ours: whether the issues above are what somebody saw lately. Without it goal_proximity is lower. */
  monitor: z.strictObject({
    state: z.enum(["fresh", "missed", "failing", "never"]),
    last_check: z.string().nullable(),
  }),
});
export type Effectiveness = z.infer<typeof Effectiveness>;

/** How well the pipeline does what it is for, at a cost that does not depend on how many tasks there are. */
export async function effectiveness(deps: Pick<Deps, "store" | "clock" | "log">): Promise<Effectiveness> {
  const [metrics, open, resolved, monitor, plan] = await Promise.all([
    // The contract: when they cannot be read they are zeros, and the rest is answered.
    Metrics.readOrNull(deps),
    Monitor.open(deps),
    Monitor.resolvedSince(deps, deps.clock.now() - WEEK_MS),
    Monitor.freshness(deps),
    planOf(deps),
  ]);
  const { completed, rate } = metrics?.success_rate ?? { completed: 0, rate: 0 };
  const tasksPerDay = Math.round((completed / 7) * 10) / 10;
  const done = (type: string) => metrics?.by_task_type[type]?.completed ?? 0;
  return {
    throughput: { completed_7d: completed, tasks_per_day: tasksPerDay },
    success_rate: rate,
    issues: { open: open.total, resolved_7d: resolved.total },
    progress: {
      spec: done("spec"),
      impl: done("impl"),
      test: done("test"),
      review: done("review"),
      heal: done("heal"),
    },
    goal_proximity: goalProximity({
      successRate: rate,
      tasksPerDay,
      openIssues: open.total,
      watched: monitor.state === "fresh",
    }),
    heal_resolved_count: resolved.healed,
    top_issues_by_priority: open.issues
      .slice(0, MAX_TOP)
      .map(({ condition, severity, message }) => ({ condition, severity, message: cut(message, MAX_MESSAGE) })),
    plan_progress: plan,
    monitor: { state: monitor.state, last_check: monitor.last_check === null ? null : iso(monitor.last_check) },
  };
}

async function planOf(deps: Pick<Deps, "store">): Promise<PlanProgress> {
  const backlog = await Backlog.current(deps);
  return planProgress(backlog?.id ?? null, backlog ? await Backlog.standings(deps, backlog.id) : []);
}
