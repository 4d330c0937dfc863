import * as z from "zod";
import type { Deps } from "../../ground/deps.ts";
import { fail } from "../../ground/errors.ts";
import * as Id from "../../ground/id.ts";
import { isZoneless, NO_ZONE } from "../../ground/instant.ts";
import * as Store from "../../ground/store/index.ts";
import { Keys } from "../../ground/store/index.ts";
import { contractIn, evidence, trimmed, type Contract } from "./contract.ts";
import { contextText } from "./parts.ts";
import { read } from "./read.ts";
import type { TaskRow, Whole } from "./row.ts";
import { cut, TaskType, type ItemRef } from "./words.ts";

/**
 * A context as a client may send it; a time in it that is ours to keep to has a zone. By what a request forced paid providers is the pipeline's own word there, for readers: it is
 * left out of his.
 */
export const ClientContext = z
  .record(z.string(), z.unknown())
  .superRefine(({ retry_not_before: at }, context) => {
    if (typeof at === "string" && isZoneless(at))
      context.addIssue({ code: "custom", path: ["retry_not_before"], message: NO_ZONE });
  })
  .transform(({ force_paid_override_source: _, ...context }): Record<string, unknown> => context);

/** What a client posts (contract 1.1.1). */
export const Create = z.object({
  direction: trimmed(5000)
    .transform((text) => text.toWellFormed())
    .describe("What is to be done"),
  task_type: TaskType,
  context: ClientContext.optional().describe("Whatever its worker has to know, up to 256 KiB"),
  target_state: trimmed(600).optional().describe("What is so when it is done"),
  success_evidence: evidence.optional().describe("What shows that it is"),
  abort_evidence: evidence.optional().describe("What shows that it will not be"),
  observation_window_sec: z.coerce
    .number()
    .int()
    .min(1)
    .max(604_800)
    .optional()
    .describe("Seconds in which that is looked for; stored as 30 at least"),
  /** Ours. */
  priority: z.number().int().min(0).max(99).optional().describe("Higher goes first; 50 unless it is given"),
});
export type Create = z.infer<typeof Create>;

/** Who works on a task type and which guards stand beside (contract 2.3). */
export const ROLES: Readonly<Record<TaskType, { agent: string; guards: readonly string[] }>> = {
  spec: { agent: "product-manager", guards: [] },
  test: { agent: "qa-engineer", guards: [] },
  impl: { agent: "dev-engineer", guards: [] },
  review: { agent: "reviewer", guards: ["spec-guard"] },
  heal: { agent: "dev-engineer", guards: [] },
};

export type CreateOptions = {
  /** Creation is idempotent on this key: the same key is the same task. Absent: a new task. */
  key?: string;
  item?: ItemRef;
  /** What contract runners need of it: the model and the command of its executor, and what goes into its context. */
  agent?: { model?: string; command: string; context?: Readonly<Record<string, unknown>> };
  /** Only this worker may claim it until then (ms): whoever made it for itself. */
  reservedFor?: { worker: string; until: number };
  /** Parked until then (ms), for this reason. */
  parked?: { until: number; reason: string };
  /** Further writes of the same transaction (the item that now names the task). */
  also?: readonly Store.Write[] | ((taskId: string) => readonly Store.Write[]);
};

/**
 * Makes a task, pending. With a key that was used before nothing is made and the task of then is returned with
 * `created: false`. Throws `input.too_large` (413) for a context over 256 KiB.
 */
export async function create(
  deps: Deps,
  input: Create,
  options: CreateOptions = {},
): Promise<{ created: boolean; task: Whole }> {
  const id = options.key === undefined ? Id.taskId(deps.id) : Id.taskIdOf(options.key);
  const { row, context } = draft(deps, id, input, options);
  const also = typeof options.also === "function" ? options.also(id) : (options.also ?? []);
  const outcome = await Store.tx(deps.store, [
    { kind: "put", item: row, if: Store.isNew },
    { kind: "put", item: { ...Keys.taskPart(id, "context"), ent: "part", json: contextText(context) } },
    ...also,
  ]);
  if (outcome.ok) {
    await deps.events.publish({ type: "task.created", taskId: id });
    return { created: true, task: { row, parts: { context } } };
  }
  const existing = await read(deps.store, id);
  // What belongs to it moved on between reading and writing: whoever asked looks again.
  if (!existing) throw fail("idempotency.conflict", "The task could not be made: what it belongs to has moved on");
  return { created: false, task: existing };
}

function draft(
  deps: Deps,
  id: string,
  input: Create,
  { item, agent, reservedFor, parked }: CreateOptions,
): { row: TaskRow; context: Record<string, unknown> } {
  const now = deps.clock.now();
  const given = input.context ?? {};
  const flat = cut(input.direction.replace(/\s+/g, " "), 220);
  const contract: Contract = {
    target_state: cut(`${input.task_type} task reaches intended target state: ${flat}`, 600),
    success_evidence: [],
    abort_evidence: [],
    observation_window_sec: deps.config.observationWindowSec,
    ...contractIn(input, given),
  };
  const role = ROLES[input.task_type];
  const context = {
    ...given,
    ...agent?.context,
    ...contract,
    target_state_contract: contract,
    task_agent: role.agent,
    ...(role.guards.length > 0 ? { guard_agents: role.guards } : {}),
  };
  const queue = item || (deps.config.autoExecute && given.dispatch !== "external") ? "pipeline" : "external";
  const priority = input.priority ?? 50;
  const row: TaskRow = {
    ...Keys.task(id),
    ent: "task",
    v: 1,
    id,
    direction: input.direction,
    task_type: input.task_type,
    status: "pending",
    model: agent?.model ?? "auto",
    command: agent?.command ?? "",
    att: 0,
    priority,
    queue,
    created_at: now,
    queued_at: now,
    ...contract,
    parks: 0,
    tries: 0,
    stalls: 0,
    ...(item ? { item } : {}),
    ...(reservedFor ? { run_worker: reservedFor.worker, run_until: reservedFor.until } : {}),
    ...Keys.byStatus("pending", now, id),
    ...Keys.byType(input.task_type, now, id),
    ...(parked
      ? { retry_not_before: parked.until, wait_reason: parked.reason, ...Keys.delayed(parked.until, id) }
      : Keys.due(queue, priority, now, id)),
  };
  return { row, context };
}
