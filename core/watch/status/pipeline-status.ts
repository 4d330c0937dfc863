import * as z from "zod";
import type { Deps } from "../../ground/deps.ts";
import * as Store from "../../ground/store/index.ts";
import { Keys } from "../../ground/store/index.ts";
import * as Attempt from "../../work/attempt/index.ts";
import * as Metrics from "../../work/metrics/index.ts";
import * as Task from "../../work/task/index.ts";
import { dueSince, lastHeartbeat } from "./activity.ts";
import { attention, FLAGS, type Finished, type Snapshot } from "./attention.ts";
import { item, Item, type ListRow } from "./item.ts";
import { projectManager } from "./project-manager.ts";
import { recentlyEnded, type Recent } from "./recent.ts";

const MAX_RUNNING = 10;
const MAX_PENDING = 20;
const MAX_RECENT = 10;
const MAX_TAIL_LINES = 20;
/** Bytes of a log's end that are looked at for these. */
const MAX_TAIL_BYTES = 64 * 1024;

/** Contract 4.1. */
export const PipelineStatus = z.object({
  running: z.array(Item.extend({ live_tail: z.array(z.string()).nullable().optional() })),
  pending: z.array(Item),
  /** Whatever is neither running nor pending: failed and asking tasks too. */
  recent_completed: z.array(Item.extend({ output_len: z.number() })),
  /** Running and pending tasks, before either list is cut. */
  running_by_phase: z.object({ spec: z.number(), impl: z.number(), test: z.number(), review: z.number() }),
  latest_request: z
    .object({ task_id: z.string(), status: z.string(), direction: z.string(), prompt_preview: z.string() })
    .nullable(),
  latest_response: z
    .object({ task_id: z.string(), status: z.string(), output_preview: z.string(), output_len: z.number() })
    .nullable(),
  attention: z.object({
    stuck: z.boolean(),
    repeated_failures: z.boolean(),
    output_empty: z.boolean(),
    executor_fail: z.boolean(),
    low_success_rate: z.boolean(),
    flags: z.array(z.enum(FLAGS)),
  }),
  project_manager: z.record(z.string(), z.unknown()).nullable(),
});
export type PipelineStatus = z.infer<typeof PipelineStatus>;

/**
 * How the pipeline stands, at a cost that does not depend on how many tasks have ended. `projectManager` is passed through where
 * it is given; else it is what the items of the backlog say.
 */
export async function pipelineStatus(
  deps: Deps,
  options: { projectManager?: Record<string, unknown> | null } = {},
): Promise<PipelineStatus> {
  const now = deps.clock.now();
  const thresholds = deps.config.attention;
  // The last few overall also hold the last few of each type, as long as no type fell out of use.
  const look = Math.min(100, Math.max(30, thresholds.consecutiveFailures * Task.TaskType.options.length));
  const [running, pending, recent, byPhase, metrics, due, manager] = await Promise.all([
    front(deps, "running", MAX_RUNNING, true),
    front(deps, "pending", MAX_PENDING, false),
    recentlyEnded(deps, look),
    runningByPhase(deps),
    // The contract: when they cannot be read, their flag is down and the rest is answered.
    Metrics.readOrNull(deps),
    dueSince(deps),
    options.projectManager === undefined ? projectManager(deps) : options.projectManager,
  ]);
  const snapshot: Snapshot = {
    dueSince: due,
    // Who is at work is only asked when something waits for too long.
    lastActivity:
      due !== null && now - due > thresholds.stuckMs
        ? await lastActivity(deps, [...running, ...pending], recent)
        : null,
    finished: finished(recent.rows),
    ended: metrics && metrics.success_rate,
  };
  return {
    running: await Promise.all(
      running.map(async (row, i) => ({
        ...item(row, now),
        ...(await step(deps, row)),
        ...(i === 0 ? { live_tail: await tail(deps, row.id) } : {}),
      })),
    ),
    pending: pending.map((row) => item(row, now)),
    recent_completed: recent.rows
      .slice(0, MAX_RECENT)
      .map((row) => ({ ...item(row, now), output_len: row.output_len ?? 0 })),
    running_by_phase: byPhase,
    latest_request: await latestRequest(deps, running[0] ?? recent.rows[0]),
    latest_response: await latestResponse(deps, recent.rows[0]),
    attention: attention(snapshot, thresholds, now),
    project_manager: manager,
  };
}

async function front(
  deps: Deps,
  status: "running" | "pending",
  limit: number,
  descending: boolean,
): Promise<ListRow[]> {
  const pk = Keys.statusPartition(status, 0);
  return (await Store.query(deps.store, { index: "gsi1", pk, limit, descending })).items as unknown as ListRow[];
}

async function runningByPhase(deps: Deps): Promise<PipelineStatus["running_by_phase"]> {
  const [running, pending] = await Promise.all([
    Metrics.countsByType(deps, "running"),
    Metrics.countsByType(deps, "pending"),
  ]);
  const of = (phase: Task.Phase) => (running[phase] ?? 0) + (pending[phase] ?? 0);
  return { spec: of("spec"), impl: of("impl"), test: of("test"), review: of("review") };
}

async function lastActivity(deps: Deps, live: readonly ListRow[], recent: Recent): Promise<number | null> {
  const times = [await lastHeartbeat(deps), recent.lastEnd, ...live.map((row) => row.started_at ?? null)];
  const known = times.filter((time) => time !== null);
  return known.length > 0 ? Math.max(...known) : null;
}

function finished(rows: readonly Task.TaskRow[]): Finished[] {
  return rows.flatMap(({ task_type, status, output_len }) =>
    status === "completed" || status === "failed" ? [{ task_type, status, output_len: output_len ?? 0 }] : [],
  );
}

/** What is done on a running task right now: its attempt knows, so that a heartbeat need not touch the task. */
async function step(deps: Deps, row: ListRow): Promise<{ current_step?: string }> {
  const attempt = await Attempt.read(deps.store, row.id, row.att);
  return attempt?.step === undefined ? {} : { current_step: attempt.step };
}

async function tail(deps: Deps, taskId: string): Promise<string[] | null> {
  const log = await Attempt.readLogTail(deps.store, taskId, MAX_TAIL_BYTES);
  if (log === undefined) return null;
  return log
    .split("\n")
    .filter((line) => line.trim() !== "")
    .slice(-MAX_TAIL_LINES);
}

async function latestRequest(deps: Deps, row: ListRow | undefined): Promise<PipelineStatus["latest_request"]> {
  const task = row && (await Task.row(deps.store, row.id));
  if (!task) return null;
  return {
    task_id: task.id,
    status: task.status,
    direction: task.direction,
    prompt_preview: task.command.slice(0, 500),
  };
}

async function latestResponse(deps: Deps, row: ListRow | undefined): Promise<PipelineStatus["latest_response"]> {
  const task = row && (await Task.read(deps.store, row.id));
  if (!task) return null;
  const output = task.parts.output ?? "";
  return {
    task_id: task.row.id,
    status: task.row.status,
    output_preview: output.slice(0, 2000),
    output_len: task.row.output_len ?? output.length,
  };
}
