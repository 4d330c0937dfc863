import { expect } from "vitest";
import * as z from "zod";

/** The contract's shapes: every key it names is there, of its type. More keys are ours to add. */

/** UTC with microseconds and `Z`: typed answers (1.0). */
export const Stamp = z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
/** UTC with `+00:00`: what services wrote into strings (1.0). */
export const Written = z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?\+00:00$/);
/** Whole seconds with `Z`: health (1.0). */
export const Seconds = z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);

const Text = z.string().nullable();
const Texts = z.array(z.string());
const Count = z.int().min(0);
const Counts = z.record(z.string(), Count);
const Rate = z.number().min(0).max(1);
const TaskType = z.enum(["spec", "test", "impl", "review", "heal"]);
const Status = z.enum(["pending", "running", "completed", "failed", "needs_decision", "cancelled"]);
const Types = { spec: Count, test: Count, impl: Count, review: Count };

/** 2.1, the fields that a list item has. */
export const ListItem = z.looseObject({
  id: z.string().regex(/^task_[0-9a-f]{16}$/),
  direction: z.string().min(1),
  task_type: TaskType,
  status: Status,
  model: z.string().min(1),
  progress_pct: z.int().nullable(),
  current_step: Text,
  decision_prompt: Text,
  decision: Text,
  target_state: Text,
  success_evidence: Texts.nullable(),
  abort_evidence: Texts.nullable(),
  observation_window_sec: z.int().nullable(),
  claimed_by: Text,
  claimed_at: Stamp.nullable(),
  created_at: Stamp,
  updated_at: Stamp.nullable(),
});

/** 2.1, all of it. */
export const Task = z.looseObject({
  ...ListItem.shape,
  command: z.string().min(1),
  output: Text,
  context: z.record(z.string(), z.unknown()).nullable(),
});

export const TaskList = z.looseObject({ tasks: z.array(ListItem), total: Count });
export const AttentionList = z.looseObject({
  tasks: z.array(z.looseObject({ ...ListItem.shape, output: Text })),
  total: Count,
});
export const TaskCount = z.looseObject({ total: Count, by_status: z.partialRecord(Status, Count) });
export const TaskLog = z.looseObject({ task_id: z.string(), log: z.string(), command: z.string(), output: Text });
export const Upserted = z.looseObject({ created: z.boolean(), task: Task });

/** 1.0. */
export const Unprocessable = z.strictObject({
  detail: z
    .array(
      z.looseObject({
        type: z.string(),
        loc: z.tuple([z.enum(["body", "query"])], z.union([z.string(), z.number()])),
        msg: z.string().min(1),
        input: z.unknown(),
      }),
    )
    .min(1),
});
export const Detail = z.strictObject({ detail: z.string().min(1) });

/** 1.3: every key is there, null when it has no value. */
export const RunState = z.looseObject({
  claimed: z.boolean(),
  task_id: z.string(),
  run_id: Text,
  worker_id: Text,
  status: Text,
  attempt: z.int().nullable(),
  branch: Text,
  repo_path: Text,
  head_sha: Text,
  checkpoint_sha: Text,
  failure_class: Text,
  next_action: Text,
  lease_expires_at: Written.nullable(),
  last_heartbeat_at: Written.nullable(),
  updated_at: Written.nullable(),
  detail: Text,
});

/** 1.4. */
export const Runner = z.looseObject({
  runner_id: z.string(),
  status: z.enum(["idle", "running", "offline", "degraded"]),
  online: z.boolean(),
  host: z.string(),
  pid: z.int().nullable(),
  version: z.string(),
  active_task_id: z.string(),
  active_run_id: z.string(),
  last_error: z.string(),
  lease_expires_at: Written,
  last_seen_at: Written,
  updated_at: Written,
  metadata: z.record(z.string(), z.unknown()),
});
export const Runners = z.looseObject({ runners: z.array(Runner), total: Count });

/** 1.5. */
export const RouteAnswer = z.looseObject({
  task_type: TaskType,
  model: z.string().min(1),
  command_template: z.string().includes("{{direction}}"),
  tier: z.string().min(1),
  executor: z.enum(["claude", "cursor", "openclaw"]),
  provider: z.string().min(1),
  billing_provider: z.string().min(1),
  is_paid_provider: z.boolean(),
});

/** 4.1. */
export const StatusItem = z.looseObject({
  id: z.string(),
  task_type: z.string(),
  model: z.string(),
  direction: z.string().max(100),
  claimed_by: Text,
  created_at: Written,
  updated_at: z.union([Written, z.literal("None")]),
  wait_seconds: z.int().nullable(),
  running_seconds: z.int().nullable(),
  duration_seconds: z.int().nullable(),
});
export const PipelineStatus = z.looseObject({
  running: z.array(StatusItem).max(10),
  pending: z.array(StatusItem).max(20),
  recent_completed: z.array(z.looseObject({ ...StatusItem.shape, output_len: Count })).max(10),
  running_by_phase: z.looseObject(Types),
  latest_request: z
    .looseObject({
      task_id: z.string(),
      status: z.string(),
      direction: z.string(),
      prompt_preview: z.string().max(500),
    })
    .nullable(),
  latest_response: z
    .looseObject({ task_id: z.string(), status: z.string(), output_preview: z.string().max(2000), output_len: Count })
    .nullable(),
  attention: z.looseObject({
    stuck: z.boolean(),
    repeated_failures: z.boolean(),
    output_empty: z.boolean(),
    executor_fail: z.boolean(),
    low_success_rate: z.boolean(),
    flags: Texts,
  }),
  project_manager: z.record(z.string(), z.unknown()).nullable(),
});

/** 4.3 and what the decisions add to it. */
export const Metrics = z.looseObject({
  success_rate: z.looseObject({ completed: Count, failed: Count, total: Count, rate: Rate }),
  execution_time: z.looseObject({ p50_seconds: Count, p95_seconds: Count }),
  by_task_type: z.record(
    z.string(),
    z.looseObject({ count: Count, completed: Count, failed: Count, success_rate: Rate }),
  ),
  by_model: z.record(z.string(), z.looseObject({ count: Count, avg_duration: z.number().min(0) })),
  usage: z.looseObject({
    tokens_in: z.number().nullable(),
    tokens_out: z.number().nullable(),
    cost_usd: z.number().nullable(),
    coverage: Rate,
  }),
  by_executor: z.record(z.string(), z.unknown()),
  by_provider: z.record(z.string(), z.unknown()),
  by_prompt_variant: z.record(z.string(), z.unknown()),
  by_skill_version: z.record(z.string(), z.unknown()),
});

/** 4.6. */
const Bucket = z.looseObject({ count: Count, completed: Count, failed: Count });
export const Usage = z.looseObject({
  by_model: z.record(z.string(), z.looseObject({ count: Count, by_status: Counts, last_used: Written.nullable() })),
  routing: z.record(TaskType, z.looseObject({ model: z.string(), tier: z.string() })),
  execution: z.looseObject({
    tracked_runs: Count,
    failed_runs: Count,
    success_runs: Count,
    success_rate: Rate,
    codex_runs: Count,
    by_executor: z.record(z.string(), Bucket),
    by_agent: z.record(z.string(), Bucket),
    by_tool: z.record(z.string(), z.looseObject({ ...Bucket.shape, success_rate: Rate })),
    coverage: z.looseObject({
      completed_or_failed_tasks: Count,
      tracked_task_runs: Count,
      coverage_rate: Rate,
      untracked_task_ids: Texts,
    }),
    recent_runs: z
      .array(
        z.looseObject({
          event_id: z.string(),
          task_id: z.string(),
          endpoint: z.string(),
          tool: z.string(),
          status_code: z.int(),
          executor: z.string(),
          agent_id: z.string(),
          provider: z.string(),
          is_openai_codex: z.boolean(),
          runtime_ms: z.number(),
          recorded_at: Written,
        }),
      )
      .max(50),
  }),
});

/** 4.7. */
export const Visibility = z.looseObject({
  pipeline: z.looseObject({
    running_count: Count.max(10),
    pending_count: Count.max(20),
    recent_completed_count: Count.max(10),
    running_by_phase: z.looseObject(Types),
    attention_flags: Texts,
  }),
  usage: Usage,
  remaining_usage: z.looseObject({
    coverage_rate: Rate,
    remaining_to_full_coverage: z.number().min(0),
    untracked_task_ids: Texts,
    health: z.enum(["green", "yellow", "red"]),
  }),
});

/** 4.8. */
export const Integration = z.looseObject({
  generated_at: Written,
  status: z.string(),
  summary: z.looseObject({
    task_types: z.unknown().refine((value) => value !== undefined),
    profiles: z.unknown().refine((value) => value !== undefined),
    gap_count: Count,
    high_gap_count: Count,
  }),
  integration: z.looseObject({
    primary_bindings: z.record(z.string(), z.unknown()),
    guard_bindings: z.record(z.string(), z.unknown()),
    agent_profiles: z.array(z.unknown()),
    missing_profile_files: z.array(z.unknown()),
    unbound_profiles: z.array(z.unknown()),
    unmapped_task_types: z.array(z.unknown()),
    binary_checks: z.looseObject({ aider: z.boolean(), agent: z.boolean(), openclaw: z.boolean() }),
    policy_defaults: z.looseObject({ cheap_executor: z.string(), escalation_executor: z.string() }),
    gaps: z.array(
      z.looseObject({
        id: z.string(),
        severity: z.enum(["high", "medium", "low"]),
        message: z.string(),
        fix_hint: z.string(),
      }),
    ),
  }),
});

/** 4.4. */
const Phase = z.looseObject({ completed: Count, total: Count, pct: z.number() });
export const Effectiveness = z.looseObject({
  throughput: z.looseObject({ completed_7d: Count, tasks_per_day: z.number() }),
  success_rate: Rate,
  issues: z.looseObject({ open: Count, resolved_7d: Count }),
  progress: z.looseObject({ ...Types, heal: Count }),
  goal_proximity: Rate,
  heal_resolved_count: Count,
  top_issues_by_priority: z
    .array(z.looseObject({ condition: z.string(), severity: z.string(), message: z.string().max(80) }))
    .max(5),
  plan_progress: z.looseObject({
    index: Count,
    total: Count,
    pct: z.number(),
    state_file: z.unknown().refine((value) => value !== undefined),
    phase_6: Phase,
    phase_7: Phase,
    backlog_alignment: z.looseObject({
      phases_from_backlog: z.literal(true),
      phase_6_7_status: z.enum(["not_reached", "in_progress", "complete"]),
      phase_6_7_not_worked: z.boolean(),
    }),
  }),
});

/** 4.5. */
const Layer = z.looseObject({ status: z.enum(["ok", "needs_attention", "unknown"]), summary: z.string() });
export const StatusReport = z.looseObject({
  generated_at: z.string().nullable(),
  overall: z.looseObject({
    status: z.enum(["ok", "needs_attention", "unknown"]),
    going_well: Texts,
    needs_attention: Texts,
  }),
  layer_0_goal: Layer,
  layer_1_orchestration: Layer,
  layer_2_execution: Layer,
  layer_3_attention: Layer,
});

/** 1.8. */
export const Health = z.strictObject({
  status: z.enum(["ok", "ready"]),
  version: z.literal("1.0.0"),
  timestamp: Seconds,
  started_at: Seconds,
  uptime_seconds: Count,
  uptime_human: z.string().regex(/^(((\d+d )?\d+h )?\d+m )?\d+s$/),
});

/** Fails with the path and the message of every key that is missing or of another type. */
export function expectShape(schema: z.ZodType, body: unknown): void {
  const parsed = schema.safeParse(body);
  const issues = parsed.error?.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`) ?? [];
  expect(issues, JSON.stringify(body).slice(0, 2000)).toEqual([]);
}
