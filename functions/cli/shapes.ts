import * as z from "zod";

/** What the commands read of the API's answers, and no more: a newer host may add to them. */

const text = z.string().nullish();
const time = z.union([z.number(), z.string()]).nullish();
const amount = z.number().nullish();

/** A line of the list of tasks. */
export const TaskItem = z.object({
  id: z.string(),
  direction: z.string(),
  task_type: z.string(),
  status: z.string(),
  model: text,
  current_step: text,
  decision_prompt: text,
  created_at: time,
  updated_at: time,
  claimed_by: text,
});
export type TaskItem = z.infer<typeof TaskItem>;
export const Tasks = z.object({ tasks: z.array(TaskItem), total: z.number() });
export type Tasks = z.infer<typeof Tasks>;

/** A task whole. */
export const Task = TaskItem.extend({
  output: text,
  decision: text,
  started_at: time,
  retry_not_before: time,
  wait_reason: text,
  att: amount,
  error: z.object({ class: z.string(), message: z.string(), remedy: text, excerpt: text }).nullish(),
  item: z
    .object({ backlog: z.string(), item: z.string(), seq: z.number(), phase: z.string(), round: z.number() })
    .nullish(),
});
export type Task = z.infer<typeof Task>;

const Usage = z.object({ tokens_in: amount, tokens_out: amount, cost_usd: amount });

/** One execution on a task. */
export const Attempt = z.object({
  n: z.number(),
  by: text,
  owner: text,
  step: text,
  claimed_at: time,
  ended_at: time,
  chosen: z.number().default(-1),
  candidates: z.array(z.object({ provider: z.string(), model: z.string() })).nullish(),
  skipped: z.array(z.object({ provider: z.string(), model: z.string(), reason: z.string(), remedy: text })).nullish(),
  tried: z
    .array(
      z.object({
        provider: z.string(),
        model: z.string(),
        class: text,
        message: text,
        ms: amount,
        usage: Usage.nullish(),
      }),
    )
    .default([]),
  outcome: z.object({ kind: z.string() }).nullish(),
  usage: Usage.nullish(),
  end: z.object({ status: z.string(), class: text, message: text }).nullish(),
});
export type Attempt = z.infer<typeof Attempt>;
export const Attempts = z.object({ attempts: z.array(Attempt) });

/** A page of a task's log; `next_offset` in bytes of the whole, `next_cursor` the same at less cost, where there is one. */
export const LogPage = z.object({
  log: z.string(),
  truncated: z.boolean().nullish(),
  next_offset: z.number(),
  next_cursor: text,
});

/** A line of pipeline-status. */
export const StatusItem = z.object({
  id: z.string(),
  task_type: z.string(),
  model: text,
  direction: z.string(),
  status: text,
  current_step: text,
  wait_seconds: amount,
  running_seconds: amount,
  duration_seconds: amount,
  retry_not_before: time,
  wait_reason: text,
});
export type StatusItem = z.infer<typeof StatusItem>;
export const PipelineStatus = z.object({
  running: z.array(StatusItem),
  pending: z.array(StatusItem),
  recent_completed: z.array(StatusItem),
  attention: z.object({ flags: z.array(z.string()) }),
});
export type PipelineStatus = z.infer<typeof PipelineStatus>;

/** The week's numbers. */
export const Metrics = z.object({
  success_rate: z.object({ completed: z.number(), failed: z.number(), total: z.number(), rate: z.number() }),
  execution_time: z.object({ p50_seconds: amount, p95_seconds: amount }),
  usage: Usage.extend({ cost_coverage: amount }).nullish(),
});
export type Metrics = z.infer<typeof Metrics>;

/** Who works, and on what. */
export const Workers = z.object({
  workers: z.array(
    z.object({
      id: z.string(),
      capabilities: z.array(z.string()).default([]),
      live: z.boolean().nullish(),
      seen_at: time,
      doing: z.array(z.object({ task_id: z.string(), step: text })).default([]),
    }),
  ),
});
export type Workers = z.infer<typeof Workers>;

/** Who can be asked to work. */
export const Providers = z.object({
  providers: z.array(
    z.object({
      name: z.string(),
      ready: z.boolean(),
      detail: text,
      remedy: text,
      checked_at: time,
      models: z.array(z.string()).default([]),
      cooldowns: z.array(z.object({ model: text, until: time, class: text })).default([]),
    }),
  ),
});
export type Providers = z.infer<typeof Providers>;

/** The backlogs there are. */
export const Backlogs = z.object({ backlogs: z.array(z.object({ id: z.string() })) });

/** A line of a backlog. */
export const Item = z.object({
  id: z.string(),
  text: z.string(),
  state: z.string(),
  phase: z.string(),
  round: z.number(),
  task: text,
  last: text,
});
export type Item = z.infer<typeof Item>;
export const Items = z.object({ items: z.array(Item), total: z.number() });

/** What a push changed. */
export const Pushed = z.object({
  created: z.array(z.string()),
  changed: z.array(z.string()),
  returned: z.array(z.string()),
  retired: z.array(z.string()),
  unchanged: z.number(),
});
export type Pushed = z.infer<typeof Pushed>;

/** What a clean-up removed, or would remove. */
export const Cleaned = z.object({ worktrees: z.array(z.string()), branches: z.array(z.string()), logs: z.number() });
