import * as z from "zod";
import * as Pipeline from "../../../core/flow/pipeline/index.ts";
import * as Status from "../../../core/watch/status/index.ts";
import { TaskType } from "../../../core/work/task/index.ts";
import { line } from "../fields.ts";
import { invalid, valueError } from "../issues.ts";
import * as Present from "../present.ts";
import { route } from "../route.ts";
import * as Shapes from "../shapes.ts";

/** What is paused: one of the three. Time is when it was. */
const Paused = z
  .object({
    kind: z.enum(["all", "type", "provider"]),
    task_type: TaskType.nullable(),
    provider: z.string().nullable(),
    since: Shapes.Time,
    reason: z.string(),
  })
  .meta({ id: "Paused" });

const Queue = z
  .object({
    /** Slots that attempts may have at once, and how many tasks run, those of outside runners too. */
    slots: z.number().int(),
    running: z.number().int(),
    waiting: Status.Waiting,
    paused: z.array(Paused),
  })
  .meta({ id: "Queue" });

/** Exactly one of them. */
const Which = z.object({
  all: z.literal(true).optional(),
  task_type: TaskType.optional(),
  provider: line(100).optional(),
});

const read = route({
  id: "getQueue",
  method: "GET",
  path: "/api/agent/queue",
  scope: ["read"],
  summary: "What waits, for what, and what is paused",
  answer: Queue,
  handle: ({ deps }) => queue(deps),
});

const pause = route({
  id: "pauseQueue",
  method: "POST",
  path: "/api/agent/queue/pause",
  scope: ["admin", "write"],
  summary: "Start nothing more: of all tasks, of a type, or by a provider; what runs goes on",
  body: Which.extend({ reason: line(300).optional() }),
  example: { task_type: "heal", reason: "the suite is red" },
  answer: Queue,
  refuses: { 404: 'There is no provider "codx". Name one of: codex, simulated' },
  async handle({ deps, host, body }) {
    // A word that nobody has pauses nobody, and looks as if it did.
    if (body.provider !== undefined) host.providers?.registry.get(body.provider);
    await Pipeline.pause(deps, target(body), body.reason ?? "");
    return queue(deps);
  },
});

const resume = route({
  id: "resumeQueue",
  method: "POST",
  path: "/api/agent/queue/resume",
  scope: ["admin", "write"],
  summary: "Start tasks again",
  body: Which,
  example: { task_type: "heal" },
  answer: Queue,
  async handle({ deps, body }) {
    await Pipeline.resume(deps, target(body));
    return queue(deps);
  },
});

/** What a bulk change did; in a dry run what it would do. */
const Bulk = z
  .object({
    dry_run: z.boolean(),
    /** In a dry run all that fit, counted up to 10 000; else those that this call looked at. */
    matched: z.number().int(),
    ids: z.array(z.string()),
    refused: z.array(z.object({ id: z.string(), code: z.string(), detail: z.string() })),
    skipped: z.number().int().describe("How many had moved out of the filter by the time it was their turn"),
    /** Set when more may fit: pass it to go on. */
    next_cursor: z.string().nullable(),
  })
  .meta({ id: "BulkChange" });

const Bulked = Pipeline.Filter.extend({
  /** Nothing is changed unless this is false. */
  dry_run: z.boolean().default(true),
  limit: z.number().int().min(1).max(500).default(100),
  cursor: z.string().min(1).max(4096).optional(),
});

const cancel = route({
  id: "cancelTasks",
  method: "POST",
  path: "/api/agent/tasks/bulk-cancel",
  scope: ["write"],
  summary: "Cancel all tasks that fit, at least one condition; a dry run unless it is told otherwise",
  body: Bulked.extend({ reason: line(300).optional() }),
  example: { status: "pending", task_type: "heal" },
  answer: Bulk,
  refuses: { 400: "The cursor does not belong to this call" },
  handle: ({ deps, body: { dry_run, limit, cursor, reason, ...filter } }) =>
    bulk(deps, "cancel", filter, { dryRun: dry_run, limit, cursor, reason }),
});

const retry = route({
  id: "retryTasks",
  method: "POST",
  path: "/api/agent/tasks/bulk-retry",
  scope: ["write"],
  summary:
    "Begin all failed and cancelled tasks again that fit, at least one condition; a dry run unless it is told otherwise",
  body: Bulked,
  example: { status: "failed", created_after: "2026-01-01T00:00:00Z" },
  answer: Bulk,
  refuses: { 400: "The cursor does not belong to this call" },
  handle: ({ deps, body: { dry_run, limit, cursor, ...filter } }) =>
    bulk(deps, "retry", filter, { dryRun: dry_run, limit, cursor }),
});

/** The queue as a whole. */
export const queues = [read, pause, resume, cancel, retry];

type Deps = Parameters<typeof Pipeline.pause>[0];

async function queue(deps: Deps): Promise<z.infer<typeof Queue>> {
  const [{ running, waiting }, paused] = await Promise.all([Status.standing(deps), Pipeline.paused(deps)]);
  return {
    slots: deps.config.workers,
    running,
    waiting,
    paused: paused.map((one) => ({
      kind: one.kind,
      task_type: one.kind === "type" ? one.type : null,
      provider: one.kind === "provider" ? one.provider : null,
      since: Present.time(one.since),
      reason: one.reason,
    })),
  };
}

async function bulk(
  deps: Deps,
  action: "cancel" | "retry",
  filter: Pipeline.Filter,
  options: Parameters<typeof Pipeline.bulk>[3],
): Promise<z.infer<typeof Bulk>> {
  const { cursor, ...done } = await Pipeline.bulk(deps, action, filter, options);
  return { dry_run: options.dryRun, ...done, next_cursor: cursor ?? null };
}

function target({ all, task_type, provider }: z.infer<typeof Which>): Pipeline.Target {
  const named = [all, task_type, provider].filter((one) => one !== undefined);
  if (named.length !== 1)
    throw invalid([valueError(["body"], "name exactly one of all, task_type and provider", null)]);
  if (task_type !== undefined) return { kind: "type", type: task_type };
  return provider === undefined ? { kind: "all" } : { kind: "provider", provider };
}
