import * as z from "zod";
import { fail } from "../../../core/ground/errors.ts";
import * as Pipeline from "../../../core/flow/pipeline/index.ts";
import * as Status from "../../../core/watch/status/index.ts";
import * as Attempt from "../../../core/work/attempt/index.ts";
import * as Metrics from "../../../core/work/metrics/index.ts";
import * as Task from "../../../core/work/task/index.ts";
import { limit, NO_TASK, offset, taskId, withoutNul } from "../fields.ts";
import { createOnce, SANE_KEY } from "../idempotency.ts";
import * as Present from "../present.ts";
import { route } from "../route.ts";
import * as Shapes from "../shapes.ts";

const create = route({
  id: "createTask",
  method: "POST",
  path: "/api/agent/tasks",
  scope: ["write"],
  summary: "Create a task",
  status: 201,
  headers: {
    "idempotency-key": z
      .string()
      .regex(SANE_KEY)
      .optional()
      .describe("The same key and body within a day is the same task"),
  },
  body: Task.Create.superRefine(withoutNul("direction", "target_state")).meta({ id: "TaskCreate" }),
  example: { direction: "Give /api/health a field for the commit it was built from", task_type: "impl" },
  valueErrors: ["task_type"],
  answer: Shapes.TaskWhole,
  refuses: { 409: "This Idempotency-Key was used with another body. Send the same body, or a new key." },
  async handle({ deps, caller, body, header }) {
    const key = header("idempotency-key");
    const made = await (key === undefined ? Pipeline.create(deps, body) : createOnce(deps, caller, key, body));
    return Present.task(deps, made.task);
  },
});

const list = route({
  id: "listTasks",
  method: "GET",
  path: "/api/agent/tasks",
  scope: ["read"],
  summary: "Tasks, newest first",
  query: z.object({
    status: Task.Status.optional(),
    task_type: Task.TaskType.optional(),
    limit,
    offset,
    cursor: z.string().min(1).max(4096).optional().describe("next_cursor of the page before; of the same filters"),
  }),
  answer: z.object({
    tasks: z.array(Shapes.TaskListItem),
    total: z.number().int(),
    next_cursor: z.string().nullable().describe("Null on the last page"),
  }),
  refuses: { 400: "The cursor does not belong to this list. Start again without a cursor." },
  async handle({ deps, query }) {
    const { rows, total, cursor } = await Status.list(deps, query);
    return { tasks: rows.map(Present.listItem), total, next_cursor: cursor ?? null };
  },
});

const attention = route({
  id: "listAttention",
  method: "GET",
  path: "/api/agent/tasks/attention",
  scope: ["read"],
  summary: "Tasks that failed or ask, newest first",
  query: z.object({ limit }),
  answer: z.object({
    tasks: z.array(Shapes.TaskListItem.extend({ output: z.string().nullable() })),
    total: z.number().int(),
  }),
  async handle({ deps, query }) {
    const { rows, total } = await Status.attention(deps, query);
    return { tasks: rows.map((row) => ({ ...Present.listItem(row), output: row.output })), total };
  },
});

const count = route({
  id: "countTasks",
  method: "GET",
  path: "/api/agent/tasks/count",
  scope: ["read"],
  summary: "How many tasks there are, in all and by status",
  answer: z.object({ total: z.number().int(), by_status: z.partialRecord(Task.Status, z.number().int()) }),
  handle: ({ deps }) => Metrics.counts(deps),
});

const read = route({
  id: "getTask",
  method: "GET",
  path: "/api/agent/tasks/:id",
  scope: ["read"],
  summary: "One task, whole",
  answer: Shapes.TaskWhole,
  refuses: { 404: NO_TASK },
  async handle({ deps, params }) {
    const task = await whole(deps, params.id);
    return Present.task(deps, task);
  },
});

const log = route({
  id: "getTaskLog",
  method: "GET",
  path: "/api/agent/tasks/:id/log",
  scope: ["read"],
  summary: "The end of a task's log (at most 1 MB), or what follows an offset in bytes or, at less cost, a cursor",
  query: z.object({
    offset: z.number().int().min(0).optional().describe("Bytes of the whole log to pass over"),
    cursor: z
      .string()
      .min(1)
      .max(100)
      .optional()
      .describe("next_cursor of the answer before; offset then stands only for what has no chunks"),
  }),
  answer: z.object({
    task_id: z.string(),
    log: z.string(),
    command: z.string(),
    output: z.string().nullable(),
    truncated: z.boolean().describe("There is more than this answer holds"),
    next_offset: z.number().int(),
    next_cursor: z.string().nullable().describe("Where to go on, at less cost than by the offset"),
  }),
  refuses: { 400: "The cursor is not one of a log. Read it from offset 0.", 404: "Task log not found" },
  async handle({ deps, params, query }) {
    const { row, parts } = await whole(deps, params.id);
    const { offset: from, cursor } = query;
    const written =
      cursor === undefined
        ? Attempt.readLog(deps.store, row.id, from)
        : Attempt.readLogAfter(deps.store, row.id, cursor);
    const page = (await written) ?? pageOf(parts.output, from);
    if (!page) throw fail("task.log_not_found", "Task log not found");
    return {
      task_id: row.id,
      log: page.text,
      command: row.command,
      output: parts.output ?? null,
      truncated: page.truncated,
      next_offset: page.next,
      next_cursor: page.cursor,
    };
  },
});

const attempts = route({
  id: "listAttempts",
  method: "GET",
  path: "/api/agent/tasks/:id/attempts",
  scope: ["read"],
  summary: "The attempts on a task, oldest first, at most the last 100",
  answer: z.object({ attempts: z.array(Shapes.Attempt), total: z.number().int() }),
  refuses: { 404: NO_TASK },
  async handle({ deps, params }) {
    const row = await Task.row(deps.store, taskId(params.id));
    if (!row) throw fail("task.not_found", NO_TASK);
    const rows = await Attempt.readAll(deps.store, row.id, row.att);
    return { attempts: rows.map(Present.attempt), total: row.att };
  },
});

const update = route({
  id: "updateTask",
  method: "PATCH",
  path: "/api/agent/tasks/:id",
  scope: ["run", "write"],
  summary: "Change a task: claim, report progress, finish, requeue, ask, decide",
  body: Pipeline.Update.superRefine(withoutNul("decision", "target_state")).meta({ id: "TaskUpdate" }),
  example: { status: "running", worker_id: "my-runner" },
  strictInts: ["progress_pct"],
  answer: Shapes.TaskWhole,
  refuses: { 400: "At least one field required", 404: NO_TASK, 409: "Task already claimed by another worker" },
  async handle({ deps, caller, params, body }) {
    // Before the task is looked for: an unknown id with an empty body is 400 too.
    if (Object.keys(body).length === 0) throw fail("task.nothing_to_change", "At least one field required");
    return Present.task(deps, await Pipeline.update(deps, taskId(params.id), body, caller));
  },
});

const upsertActive = route({
  id: "upsertActiveTask",
  method: "POST",
  path: "/api/agent/tasks/upsert-active",
  scope: ["run", "write"],
  summary: "The one unfinished task of a session, claimed: found, or made",
  body: Pipeline.UpsertActive.superRefine(withoutNul("direction", "session_key")).meta({ id: "UpsertActive" }),
  valueErrors: ["task_type"],
  example: { session_key: "chat-42", direction: "Answer in the chat", worker_id: "my-runner" },
  answer: z.object({ created: z.boolean(), task: Shapes.TaskWhole }),
  refuses: { 409: "Task already claimed by another worker" },
  async handle({ deps, body }) {
    const { created, task } = await Pipeline.upsertActive(deps, body);
    return { created, task: await Present.task(deps, task) };
  },
});

/** Tasks by the contract (1.1), and their attempts. The fixed segments come before `:id`. */
export const tasks = [create, list, attention, count, upsertActive, read, log, attempts, update];

async function whole(deps: Parameters<typeof Task.create>[0], given: string): Promise<Task.Whole> {
  const found = await Task.read(deps.store, taskId(given));
  if (!found) throw fail("task.not_found", NO_TASK);
  return found;
}

/** A client's task has no log of ours: its output stands for it. */
function pageOf(output: string | undefined, from = 0): Attempt.LogPage | undefined {
  if (output === undefined) return undefined;
  const bytes = Buffer.from(output);
  const text = bytes.subarray(from).toString("utf8");
  return { text, next: Math.max(from, bytes.length), cursor: null, truncated: false };
}
