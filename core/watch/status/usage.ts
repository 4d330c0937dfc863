import * as z from "zod";
import type { Deps } from "../../ground/deps.ts";
import { messageOf } from "../../ground/errors.ts";
import { sha256 } from "../../ground/id.ts";
import * as Store from "../../ground/store/index.ts";
import { Keys } from "../../ground/store/index.ts";
import * as Executor from "../../flow/executor/index.ts";
import * as Metrics from "../../work/metrics/index.ts";
import { TaskType } from "../../work/task/index.ts";
import { timestamp, type ListRow } from "./item.ts";

const LIVE = ["pending", "running", "needs_decision"] as const;
/** Tasks of a live status that are looked at for their model; what waits beyond is not in `by_model`. */
const MAX_LIVE = 1000;
const MAX_RECENT = 50;
/** Records that are looked at for runs to show, and for the ids of tasks that ended without one. */
const LOOK = { runs: 60, untracked: 200 };
/** What a run of a client's own is called: all that is known of it is that its task came to an end. */
const CLIENT_TOOL = "agent-task-completion";

const SHORTEST_MS = 0.1;
const UNKNOWN = "unknown";

const count = z.number().int();
const Bucket = z.strictObject({ count, completed: count, failed: count });

/**
 * Contract 4.6. Tasks that ended, and runs, are those of the metrics' window (today and six days before), exact; a run is an
 * attempt that somebody worked on. Rates 0 to 1, 1 when there is nothing to measure; times as services write them (`+00:00`).
 */
export const UsageAnswer = z.strictObject({
  by_model: z.record(
    z.string(),
    z.strictObject({ count, by_status: z.record(z.string(), count), last_used: z.string().nullable() }),
  ),
  routing: z.record(TaskType, z.strictObject({ model: z.string(), tier: z.string() })),
  execution: z.strictObject({
    tracked_runs: count,
    failed_runs: count,
    success_runs: count,
    success_rate: z.number(),
    codex_runs: count,
    by_executor: z.record(z.string(), Bucket),
    by_agent: z.record(z.string(), Bucket),
    by_tool: z.record(z.string(), Bucket.extend({ success_rate: z.number() })),
    coverage: z.strictObject({
      completed_or_failed_tasks: count,
      tracked_task_runs: count,
      coverage_rate: z.number(),
      /** Of the latest records. */
      untracked_task_ids: z.array(z.string()),
    }),
    recent_runs: z.array(
      z.strictObject({
        event_id: z.string(),
        task_id: z.string(),
        endpoint: z.string(),
        tool: z.string(),
        status_code: z.literal([200, 500]),
        executor: z.string(),
        agent_id: z.string(),
        provider: z.string(),
        is_openai_codex: z.boolean(),
        /** The least there is (contract 6.5) for a client that claimed and finished in one: how long it worked it did not say. */
        runtime_ms: z.number(),
        recorded_at: z.string(),
      }),
    ),
  }),
});
export type UsageAnswer = z.infer<typeof UsageAnswer>;

/** Who ran what, and how it ended, at a cost that does not depend on how many tasks there are. */
export async function usage(deps: Pick<Deps, "store" | "clock" | "config" | "log">): Promise<UsageAnswer> {
  const [runs, live] = await Promise.all([runsOrNone(deps), liveTasks(deps)]);
  const recent = await Metrics.recent(deps, runs.untracked > 0 ? LOOK.untracked : LOOK.runs);
  const tracked = runs.ended - runs.untracked;
  return {
    by_model: byModel(runs, live),
    routing: routing(deps),
    execution: {
      tracked_runs: runs.count,
      failed_runs: runs.failed,
      success_runs: runs.count - runs.failed,
      success_rate: rate(runs.count - runs.failed, runs.count),
      codex_runs: runs.by.agent.get(Metrics.CODEX_AGENT)?.count ?? 0,
      by_executor: Object.fromEntries([...runs.by.executor].map(([name, one]) => [name, bucket(one)])),
      by_agent: Object.fromEntries([...runs.by.agent].map(([name, one]) => [name, bucket(one)])),
      by_tool: Object.fromEntries(
        [...runs.by.provider].map(([name, one]) => [
          // A provider's name is its tool's; a run without one is a client's.
          name === UNKNOWN ? CLIENT_TOOL : name,
          { ...bucket(one), success_rate: rate(one.count - one.failed, one.count) },
        ]),
      ),
      coverage: {
        completed_or_failed_tasks: runs.ended,
        tracked_task_runs: tracked,
        coverage_rate: rate(tracked, runs.ended),
        untracked_task_ids: untracked(recent),
      },
      recent_runs: recent.flatMap(run).slice(0, MAX_RECENT),
    },
  };
}

/** A roll-up that cannot be read costs the counts, not the report; whoever folds makes it again. */
async function runsOrNone(deps: Pick<Deps, "store" | "clock" | "log">): Promise<Metrics.Runs> {
  try {
    return await Metrics.runs(deps);
  } catch (error) {
    deps.log.warn({ error: messageOf(error) }, "metrics could not be read");
    return Metrics.NO_RUNS;
  }
}

async function liveTasks({ store }: Pick<Deps, "store">): Promise<ListRow[]> {
  const pages = await Promise.all(
    LIVE.map((status) =>
      Store.query(store, { index: "gsi1", pk: Keys.statusPartition(status, 0), limit: MAX_LIVE, descending: true }),
    ),
  );
  return pages.flatMap(({ items }) => items) as unknown as ListRow[];
}

function byModel(runs: Metrics.Runs, live: readonly ListRow[]): UsageAnswer["by_model"] {
  const models = new Map<string, { by_status: Map<string, number>; last: number }>();
  const add = (model: string, status: string, n: number, at: number) => {
    if (n <= 0) return;
    const one = models.get(model) ?? { by_status: new Map<string, number>(), last: 0 };
    models.set(model, one);
    one.by_status.set(status, (one.by_status.get(status) ?? 0) + n);
    one.last = Math.max(one.last, at);
  };
  for (const [model, { completed, failed, last_at }] of runs.models) {
    add(model, "completed", completed, last_at ?? 0);
    add(model, "failed", failed, last_at ?? 0);
  }
  for (const { model, status, created_at, updated_at } of live) add(model, status, 1, updated_at ?? created_at);
  return Object.fromEntries(
    [...models].map(([model, { by_status, last }]) => [
      model,
      {
        count: [...by_status.values()].reduce((sum, n) => sum + n, 0),
        by_status: Object.fromEntries(by_status),
        last_used: last === 0 ? null : timestamp(last),
      },
    ]),
  );
}

/** The claude table alone (contract 4.6). */
function routing({ config }: Pick<Deps, "config">): UsageAnswer["routing"] {
  const of = (type: TaskType) => {
    const { model, tier } = Executor.routeOf(config.executor, type, "claude");
    return { model, tier };
  };
  return { spec: of("spec"), test: of("test"), impl: of("impl"), review: of("review"), heal: of("heal") };
}

function bucket({ count, failed }: Metrics.RunCount): z.infer<typeof Bucket> {
  return { count, completed: count - failed, failed };
}

/** Tasks that ended, and still are, without an attempt, the latest first. */
function untracked(recent: readonly Metrics.Recent[]): string[] {
  const back = new Set<string>();
  const ids = new Set<string>();
  for (const row of recent) {
    const end = `${row.task_id}#${row.n}`;
    // What takes an end back comes before it: newest first.
    if (row.takes_out !== undefined) back.add(end);
    else if (row.status !== null && row.n === 0 && !back.delete(end)) ids.add(row.task_id);
  }
  return [...ids];
}

function run(row: Metrics.Recent): UsageAnswer["execution"]["recent_runs"] {
  const { agent, executor, takes_out } = row;
  if (agent === null || takes_out !== undefined) return [];
  const tool = row.provider ?? CLIENT_TOOL;
  const codex = agent === Metrics.CODEX_AGENT;
  // The contract's word for it; a provider of ours has its own name.
  const named = codex ? null : row.provider;
  const billed = { worker: agent, command: "", model: row.model, ...(executor === null ? {} : { executor }) };
  return [
    {
      event_id: `rt_${sha256(row.sk).slice(0, 12)}`,
      task_id: row.task_id,
      endpoint: `/tool:${tool}`,
      tool,
      status_code: row.class === null ? 200 : 500,
      executor: executor ?? UNKNOWN,
      agent_id: agent,
      provider: named ?? Executor.billing(billed).provider,
      is_openai_codex: codex,
      runtime_ms: Math.max(SHORTEST_MS, row.run_ms ?? 0),
      recorded_at: timestamp(row.created_at),
    },
  ];
}

/** To four places; 1 when there is nothing to measure. */
function rate(part: number, whole: number): number {
  return whole > 0 ? Math.round((part / whole) * 10_000) / 10_000 : 1;
}
