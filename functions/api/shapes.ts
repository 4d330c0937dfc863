import * as z from "zod";
import * as Effectiveness from "../../core/watch/effectiveness/index.ts";
import * as Monitor from "../../core/watch/monitor/index.ts";
import * as Status from "../../core/watch/status/index.ts";
import * as Backlog from "../../core/work/backlog/index.ts";
import * as Metrics from "../../core/work/metrics/index.ts";
import * as Task from "../../core/work/task/index.ts";
import * as Telemetry from "../../core/work/telemetry/index.ts";

/**
 * What answers are made of, where more than one route has it. A shape with an id is named so in the OpenAPI document; each field
 * is there, null when it has no value.
 */

/** UTC with microseconds and `Z`, as the contract's typed answers have it. */
export const Time = z.iso.datetime({ precision: 6 });
const time = Time.nullable();

/** Gives a shape its name in the document. */
function named<T extends z.ZodType>(id: string, shape: T): T {
  z.globalRegistry.add(shape, { id });
  return shape;
}

named("TaskType", Task.TaskType);
named("TaskStatus", Task.Status);
named("FailureClass", Task.FailureClass);
named("Usage", Task.Usage);
named("Candidate", Task.Candidate);
named("Skipped", Task.Skipped);
named("Tried", Task.Tried);
named("Question", Task.Question);
named("Outcome", Task.Outcome);
named("Suite", Task.Suite);
named("Evidence", Task.Evidence);
named("TaskError", Task.TaskError);
named("ItemRef", Task.ItemRef);
named("Metrics", Metrics.MetricsAnswer);
named("QueuePlace", Status.Place);
named("QueueWaiting", Status.Waiting);
named("PipelineStatus", Status.PipelineStatus);
named("PipelineItem", Status.PipelineStatus.shape.pending.element);
named("AgentUsage", Status.UsageAnswer);
named("ProjectManager", Status.ProjectManager);
named("Visibility", Status.Visibility);
named("Integration", Status.Integration);
named("Effectiveness", Effectiveness.Effectiveness);
named("StatusReport", Monitor.StatusReport);
named("MonitorIssues", Monitor.MonitorIssues);
named("FatalIssues", Monitor.FatalIssues);
named("EndpointsSummary", Telemetry.Endpoints);

/** A line of a list of tasks (contract 2.1), with our fields behind it. */
export const TaskListItem = named(
  "TaskListItem",
  z.object({
    id: z.string(),
    direction: z.string(),
    task_type: Task.TaskType,
    status: Task.Status,
    model: z.string().describe("What it asks for, or last ran on"),
    progress_pct: z.number().int().nullable(),
    current_step: z.string().nullable(),
    decision_prompt: z.string().nullable(),
    decision: z.string().nullable(),
    target_state: z.string().nullable(),
    success_evidence: z.array(z.string()).nullable(),
    abort_evidence: z.array(z.string()).nullable(),
    observation_window_sec: z.number().int().nullable(),
    claimed_by: z.string().nullable().describe("Who has it, or had it last"),
    claimed_at: time,
    created_at: Time,
    updated_at: time,
    started_at: time,
    item: Task.ItemRef.nullable(),
    att: z.number().int().describe("Attempts on it so far"),
    priority: z.number().int().nullable().describe("0 to 99, higher first"),
    retry_not_before: time.describe("Parked until then"),
    wait_reason: z.string().nullable().describe("Why it is parked"),
  }),
);
export type TaskListItem = z.infer<typeof TaskListItem>;

/** The contract's Task, whole. */
export const TaskWhole = named(
  "Task",
  TaskListItem.extend({
    command: z.string().describe("The prompt as a command line, for runners that execute it; quoted for a POSIX shell"),
    queue: Status.Place.nullable().describe("Its place; null when it is not pending"),
    output: z.string().nullable().describe("Head and tail of what it printed; the whole is its log"),
    context: z.record(z.string(), z.unknown()).nullable(),
    decision_options: z.array(z.string()).nullable(),
    decision_default: z.string().nullable(),
    decision_due: time.describe("When the default answer is taken, or the question expires"),
    spent_usd: z.number().nullable().describe("US dollars of its attempts, as far as known; null: none known"),
    error: Task.TaskError.nullable(),
    result: Task.Evidence.nullable().describe("What the pipeline saw for itself when the agent had finished"),
  }),
);
export type TaskWhole = z.infer<typeof TaskWhole>;

/** One execution on a task. */
export const Attempt = named(
  "Attempt",
  z.object({
    n: z.number().int().describe("The number of the attempt, from 1"),
    by: z.enum(["pipeline", "client"]).describe("Who runs it: the pipeline, or a client that claimed it"),
    owner: z.string(),
    queued_at: Time,
    claimed_at: Time,
    lease_until: Time,
    ended_at: time,
    end: z.object({ status: Task.Status, class: Task.FailureClass.nullable(), message: z.string() }).nullable(),
    turn: z.number().int().describe("Goes of candidates so far"),
    step: z.string().nullable(),
    chosen: z.number().int().describe("The candidate whose go it is; -1 when there is none"),
    candidates: z.array(Task.Candidate).nullable(),
    skipped: z.array(Task.Skipped).nullable().describe("Candidates that were left out, and why"),
    tried: z.array(Task.Tried),
    outcome: Task.Outcome.nullable(),
    usage: Task.Usage.nullable(),
    prompt_sha: z.string().nullable(),
    prompt_variant: z.string().nullable(),
    skill_version: z.string().nullable(),
    tags: z.record(z.string(), z.string()).nullable(),
  }),
);
export type Attempt = z.infer<typeof Attempt>;

export const ItemState = named(
  "ItemState",
  z.enum(["queued", ...Task.PHASES, "asking", "done", "abandoned", "retired"]) satisfies z.ZodType<Backlog.ItemState>,
);

/** A line of a backlog and what became of it. */
export const Item = named(
  "Item",
  z.object({
    id: z.string(),
    backlog: z.string(),
    kind: z.enum(["product", "meta"]),
    text: z.string(),
    section: z.string().nullable(),
    phase_number: z.number().nullable(),
    rank: z.number().int().describe("Its place in the file"),
    state: ItemState,
    phase: z.enum(Task.PHASES),
    round: z.number().int().describe("Steps back so far"),
    task: z.string().nullable(),
    tasks_made: z.number().int().describe("Tasks made for it so far"),
    spec_path: z.string(),
    branch: z.string(),
    base: z.string().nullable().describe("The commit it began from"),
    head: z.string().nullable().describe("The commit it has come to"),
    last: z.string().nullable().describe("Why the last round began, or why it was abandoned"),
    created_at: Time,
    updated_at: Time,
    started_at: time,
    ended_at: time,
  }),
);
export type Item = z.infer<typeof Item>;

/** What is wrong with a line of a backlog file; line 0 is the file as a whole. */
export const Problem = named(
  "Problem",
  z.object({ line: z.number().int(), message: z.string(), remedy: z.string() }) satisfies z.ZodType<Backlog.Problem>,
);

/** One entry of a 422's `detail`. */
const Detail = named(
  "Detail",
  z.object({
    type: z.string(),
    loc: z.array(z.union([z.string(), z.number()])),
    msg: z.string(),
    input: z.unknown(),
    ctx: z.record(z.string(), z.unknown()).optional(),
  }),
);

/** An answer that is an error, but for a 422: one sentence. */
export const Refusal = named("Refusal", z.object({ detail: z.string() }));
/** What `/api/ready` says when it is not: the contract has an object there where it is persistence that fails. */
export const NotReady = named(
  "NotReady",
  z.object({ detail: z.union([z.string(), z.record(z.string(), z.unknown())]) }),
);
/** A 422: all that is wrong, and where. */
export const Invalid = named("Invalid", z.object({ detail: z.array(Detail) }));
