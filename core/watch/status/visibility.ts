import * as z from "zod";
import type { Deps } from "../../ground/deps.ts";
import { FLAGS } from "./attention.ts";
import { pipelineStatus, PipelineStatus } from "./pipeline-status.ts";
import { usage, UsageAnswer } from "./usage.ts";

const count = z.number().int();

/** Contract 4.7. The counts are those of pipeline-status' lists, which are cut at 10, 20 and 10. */
export const Visibility = z.strictObject({
  pipeline: z.strictObject({
    running_count: count,
    pending_count: count,
    recent_completed_count: count,
    running_by_phase: PipelineStatus.shape.running_by_phase,
    attention_flags: z.array(z.enum(FLAGS)),
  }),
  usage: UsageAnswer,
  remaining_usage: z.strictObject({
    coverage_rate: z.number(),
    remaining_to_full_coverage: count,
    untracked_task_ids: z.array(z.string()),
    health: z.enum(["green", "yellow", "red"]),
  }),
});
export type Visibility = z.infer<typeof Visibility>;

/** The pipeline and its usage at a glance. */
export async function visibility(deps: Deps): Promise<Visibility> {
  const [pipeline, used] = await Promise.all([pipelineStatus(deps), usage(deps)]);
  const { coverage } = used.execution;
  const remaining = coverage.completed_or_failed_tasks - coverage.tracked_task_runs;
  return {
    pipeline: {
      running_count: pipeline.running.length,
      pending_count: pipeline.pending.length,
      recent_completed_count: pipeline.recent_completed.length,
      running_by_phase: pipeline.running_by_phase,
      attention_flags: pipeline.attention.flags,
    },
    usage: used,
    remaining_usage: {
      coverage_rate: coverage.coverage_rate,
      remaining_to_full_coverage: remaining,
      untracked_task_ids: coverage.untracked_task_ids,
      health: health(remaining, coverage.coverage_rate),
    },
  };
}

/** Green when all ends are tracked, yellow from seven in ten on. Pure. */
export function health(untracked: number, rate: number): Visibility["remaining_usage"]["health"] {
  if (untracked === 0 && rate >= 1) return "green";
  return rate >= 0.7 ? "yellow" : "red";
}
