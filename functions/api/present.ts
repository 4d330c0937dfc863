import type { Deps } from "../../core/ground/deps.ts";
import * as Clock from "../../core/ground/clock.ts";
import * as Status from "../../core/watch/status/index.ts";
import type * as Attempt from "../../core/work/attempt/index.ts";
import type * as Task from "../../core/work/task/index.ts";
import type * as Shapes from "./shapes.ts";

/** What a list shows of a task; rows from an index have no more than this. */
export type Listed = Pick<Task.TaskRow, "id" | "direction" | "task_type" | "status" | "model" | "created_at"> &
  Partial<Task.TaskRow>;

/** An item's pending task looks parked for this long to runners of the contract, so that they pass over it. */
const HANDS_OFF_MS = 3_600_000;

/** UTC with microseconds and `Z`, as the contract's typed answers have it; null when there is none. */
export function time(ms: number): string;
export function time(ms: number | undefined): string | null;
export function time(ms: number | undefined): string | null {
  return ms === undefined ? null : Clock.iso(ms).replace("Z", "000Z");
}

/** UTC in whole seconds and `Z`, as health has it. */
export function seconds(ms: number): string {
  return `${Clock.iso(ms).slice(0, 19)}Z`;
}

/** The contract's TaskListItem (2.1), with our fields behind it; every field is there, null when it has no value. */
export function listItem(row: Listed): Shapes.TaskListItem {
  return {
    id: row.id,
    direction: row.direction,
    task_type: row.task_type,
    status: row.status,
    model: row.model,
    progress_pct: row.progress_pct ?? null,
    current_step: row.current_step ?? null,
    decision_prompt: row.decision_prompt ?? null,
    decision: row.decision ?? null,
    target_state: row.target_state ?? null,
    success_evidence: row.success_evidence ?? null,
    abort_evidence: row.abort_evidence ?? null,
    observation_window_sec: row.observation_window_sec ?? null,
    claimed_by: row.claimed_by ?? null,
    claimed_at: time(row.claimed_at),
    created_at: time(row.created_at),
    updated_at: time(row.updated_at),
    started_at: time(row.started_at),
    item: row.item ?? null,
    att: row.att ?? 0,
    priority: row.priority ?? null,
    retry_not_before: time(row.retry_not_before),
    wait_reason: row.wait_reason ?? null,
  };
}

/** The contract's Task, with its place in the queue. */
export async function task(
  deps: Pick<Deps, "store" | "clock" | "config">,
  { row, parts }: Task.Whole,
): Promise<Shapes.TaskWhole> {
  return {
    ...listItem(row),
    command: row.command,
    queue: await Status.placeOf(deps, row),
    output: parts.output ?? null,
    context: contextOf(row, parts, deps.clock.now()),
    decision_options: row.decision_options ?? null,
    decision_default: row.decision_default ?? null,
    decision_due: time(row.decision_due),
    spent_usd: row.spent_usd ?? null,
    error: parts.error ?? null,
    result: parts.result ?? null,
  };
}

/** One attempt: who had it, what it tried, what it came to and cost. */
export function attempt(row: Attempt.AttemptRow): Shapes.Attempt {
  return {
    n: row.n,
    by: row.by,
    owner: row.owner,
    queued_at: time(row.queued_at),
    claimed_at: time(row.claimed_at),
    lease_until: time(row.lease_until),
    ended_at: time(row.ended_at),
    end: row.end ?? null,
    turn: row.turn,
    step: row.step ?? null,
    chosen: row.chosen,
    candidates: row.candidates ?? null,
    skipped: row.skipped ?? null,
    tried: row.tried,
    outcome: row.outcome ?? null,
    usage: row.usage ?? null,
    prompt_sha: row.prompt_sha ?? null,
    prompt_variant: row.prompt_variant ?? null,
    skill_version: row.skill_version ?? null,
    tags: row.tags ?? null,
  };
}

function contextOf(row: Task.TaskRow, parts: Task.Parts, now: number): Record<string, unknown> | null {
  if (!row.item || row.status !== "pending") return parts.context ?? null;
  return { ...parts.context, retry_not_before: Status.timestamp(now + HANDS_OFF_MS) };
}
