import * as z from "zod";
import * as Pipeline from "../../../core/flow/pipeline/index.ts";
import * as Status from "../../../core/watch/status/index.ts";
import * as Runner from "../../../core/work/runner/index.ts";
import { fail } from "../../../core/ground/errors.ts";
import { isTaskId } from "../fields.ts";
import { route } from "../route.ts";

const text = z.string().nullable();

/** How a run stands (contract 1.3); what has no value is null. */
const Snapshot = z
  .object({
    claimed: z.boolean(),
    task_id: z.string(),
    run_id: text,
    worker_id: text,
    status: text,
    attempt: z.number().int().nullable(),
    branch: text,
    repo_path: text,
    head_sha: text,
    checkpoint_sha: text,
    failure_class: text,
    next_action: text,
    lease_expires_at: text,
    last_heartbeat_at: text,
    updated_at: text,
    /** Why not, when it is not claimed. */
    detail: text,
  })
  .meta({ id: "RunState" });

const claim = route({
  id: "claimRun",
  method: "POST",
  path: "/api/agent/run-state/claim",
  scope: ["run"],
  summary: "Claim a task for a run; a refusal is in the body",
  body: Runner.Claim,
  example: { task_id: "task_0123456789abcdef", run_id: "run_0123456789ab", worker_id: "my-runner" },
  answer: Snapshot,
  async handle({ deps, body }) {
    if (!isTaskId(body.task_id)) return none(body.task_id, "task_not_found");
    return snapshot(body.task_id, await Pipeline.claimRun(deps, body));
  },
});

const beat = route({
  id: "renewRun",
  method: "POST",
  path: "/api/agent/run-state/heartbeat",
  scope: ["run"],
  summary: "Renew a run's lease",
  body: Runner.Beat,
  example: { task_id: "task_0123456789abcdef", run_id: "run_0123456789ab", worker_id: "my-runner" },
  answer: Snapshot,
  async handle({ deps, body }) {
    if (!isTaskId(body.task_id)) return none(body.task_id, "run_state_not_found");
    return snapshot(body.task_id, await Pipeline.beatRun(deps, body));
  },
});

const update = route({
  id: "updateRun",
  method: "POST",
  path: "/api/agent/run-state/update",
  scope: ["run"],
  summary: "Say how a run stands",
  body: Runner.RunUpdate,
  example: {
    task_id: "task_0123456789abcdef",
    run_id: "run_0123456789ab",
    worker_id: "my-runner",
    patch: { status: "completed" },
  },
  answer: Snapshot,
  async handle({ deps, body }) {
    if (!isTaskId(body.task_id)) return none(body.task_id, "run_state_not_found");
    return snapshot(body.task_id, await Pipeline.updateRun(deps, body));
  },
});

const read = route({
  id: "getRun",
  method: "GET",
  path: "/api/agent/run-state/:id",
  scope: ["read"],
  summary: "How the run on a task stands",
  answer: Snapshot,
  refuses: { 404: "Run state not found" },
  async handle({ deps, params }) {
    if (!isTaskId(params.id)) throw fail("run_state.not_found", "Run state not found");
    return snapshot(params.id, { claimed: true, run: await Pipeline.readRun(deps, params.id) });
  },
});

/** What a runner last said of itself (contract 1.4). */
const RunnerSnapshot = z
  .object({
    runner_id: z.string(),
    status: z.enum(["idle", "running", "offline", "degraded"]),
    online: z.boolean(),
    host: z.string(),
    pid: z.number().int().nullable(),
    version: z.string(),
    active_task_id: z.string(),
    active_run_id: z.string(),
    last_error: z.string(),
    lease_expires_at: z.string(),
    last_seen_at: z.string(),
    updated_at: z.string(),
    metadata: z.record(z.string(), z.unknown()),
  })
  .meta({ id: "Runner" });

const heartbeat = route({
  id: "sendHeartbeat",
  method: "POST",
  path: "/api/agent/runners/heartbeat",
  scope: ["run"],
  summary: "A runner says that it lives; what it leaves out is empty",
  body: Runner.Heartbeat,
  example: { runner_id: "my-runner", status: "running" },
  answer: RunnerSnapshot,
  async handle({ deps, body }) {
    return runner(await Runner.heartbeat(deps, body), deps.clock.now());
  },
});

const list = route({
  id: "listRunners",
  method: "GET",
  path: "/api/agent/runners",
  scope: ["read"],
  summary: "The runners that live, the latest seen first",
  query: z.object({
    include_stale: z.boolean().default(false),
    limit: z.number().int().min(1).max(500).default(100),
  }),
  answer: z.object({ runners: z.array(RunnerSnapshot), total: z.number().int() }),
  async handle({ deps, query }) {
    const now = deps.clock.now();
    const rows = await Runner.list(deps, { includeStale: query.include_stale, limit: query.limit });
    return { runners: rows.map((row) => runner(row, now)), total: rows.length };
  },
});

/** Outside runners and their runs (contract 1.3, 1.4). */
export const runners = [claim, beat, update, read, heartbeat, list];

type Answered = z.infer<typeof Snapshot>;

function none(taskId: string, detail: string): Answered {
  return snapshot(taskId, { claimed: false, detail, run: undefined });
}

function snapshot(
  taskId: string,
  answer:
    | { claimed: true; run: Runner.RunRow }
    | { claimed: false; detail: string; run: Runner.RunRow | undefined; holder?: { worker: string; status: string } },
): Answered {
  const { run } = answer;
  const holder = answer.claimed ? undefined : answer.holder;
  const at = (ms: number | undefined) => (ms === undefined ? null : Status.timestamp(ms));
  return {
    claimed: answer.claimed,
    task_id: taskId,
    run_id: run?.run_id ?? null,
    worker_id: run?.worker_id ?? (holder && holder.worker !== "" ? holder.worker : null),
    status: run?.status ?? holder?.status ?? null,
    attempt: run?.attempt ?? null,
    branch: run?.branch ?? null,
    repo_path: run?.repo_path ?? null,
    head_sha: run?.head_sha ?? null,
    checkpoint_sha: run?.checkpoint_sha ?? null,
    failure_class: run?.failure_class ?? null,
    next_action: run?.next_action ?? null,
    lease_expires_at: at(run?.lease_until),
    last_heartbeat_at: at(run?.heartbeat_at),
    updated_at: at(run?.updated_at),
    detail: answer.claimed ? null : answer.detail,
  };
}

function runner(row: Runner.RunnerRow, now: number): z.infer<typeof RunnerSnapshot> {
  return {
    runner_id: row.runner_id,
    status: row.status,
    online: row.lease_until > now,
    host: row.host,
    pid: row.pid ?? null,
    version: row.version,
    active_task_id: row.active_task_id,
    active_run_id: row.active_run_id,
    last_error: row.last_error,
    lease_expires_at: Status.timestamp(row.lease_until),
    last_seen_at: Status.timestamp(row.seen_at),
    updated_at: Status.timestamp(row.seen_at),
    metadata: JSON.parse(row.metadata) as Record<string, unknown>,
  };
}
