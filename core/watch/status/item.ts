import * as z from "zod";
import { iso } from "../../ground/clock.ts";
import { GSI1_INCLUDES } from "../../ground/store/index.ts";
import type { TaskRow } from "../../work/task/index.ts";

/** What a list knows of a task without reading it: the attributes that the status index holds. */
export type ListRow = Pick<TaskRow, Extract<(typeof GSI1_INCLUDES)[number], keyof TaskRow>>;

/** One task in pipeline-status (contract 4.1). Whole seconds; times as services write them (`+00:00`). */
export const Item = z.object({
  id: z.string(),
  task_type: z.string(),
  model: z.string(),
  direction: z.string(),
  claimed_by: z.string().nullable(),
  created_at: z.string(),
  /** `None` for a task that was never updated: clients of the contract compare with it. */
  updated_at: z.string(),
  wait_seconds: z.number().nullable(),
  running_seconds: z.number().nullable(),
  duration_seconds: z.number().nullable(),
  /** Ours, from here on: what it is, what is done on it now, and why it waits. */
  status: z.string(),
  current_step: z.string().nullable(),
  retry_not_before: z.string().nullable(),
  wait_reason: z.string().nullable(),
});
export type Item = z.infer<typeof Item>;

export function item(row: ListRow, now: number): Item {
  const since = (from: number | undefined, to: number | undefined) =>
    from === undefined || to === undefined ? null : Math.max(0, Math.trunc((to - from) / 1000));
  const over = row.status === "completed" || row.status === "failed";
  return {
    id: row.id,
    task_type: row.task_type,
    model: row.model,
    direction: row.direction.slice(0, 100),
    claimed_by: row.claimed_by ?? null,
    created_at: timestamp(row.created_at),
    updated_at: row.updated_at === undefined ? "None" : timestamp(row.updated_at),
    wait_seconds: row.status === "pending" ? since(row.created_at, now) : null,
    running_seconds: row.status === "running" ? since(row.started_at, now) : null,
    duration_seconds: over ? since(row.started_at, row.updated_at) : null,
    status: row.status,
    current_step: row.current_step ?? null,
    retry_not_before: row.retry_not_before === undefined ? null : timestamp(row.retry_not_before),
    wait_reason: row.wait_reason ?? null,
  };
}

/** UTC with microseconds and `+00:00`: how the contract's services write a time into a string. */
export function timestamp(ms: number): string {
  return iso(ms).replace("Z", "000+00:00");
}
