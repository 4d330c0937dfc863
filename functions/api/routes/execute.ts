import * as z from "zod";
import { fail } from "../../../core/ground/errors.ts";
import { sameSecret } from "../../../core/ground/id.ts";
import * as Executor from "../../../core/flow/executor/index.ts";
import * as Pipeline from "../../../core/flow/pipeline/index.ts";
import { TaskType } from "../../../core/work/task/index.ts";
import { NO_TASK, taskId } from "../fields.ts";
import * as Present from "../present.ts";
import { route, type Call } from "../route.ts";
import * as Shapes from "../shapes.ts";

/** Shared by both (contract 1.2). Any spelling of a flag's name counts, with `-` for `_` and in any case. */
const Params = z.object({
  max_cost_usd: z.number().min(0).optional(),
  estimated_cost_usd: z.number().min(0).optional(),
  cost_slack_ratio: z.number().min(1).optional(),
  force_paid_providers: z.string().optional(),
  force_paid_provider: z.string().optional(),
  force_allow_paid_providers: z.string().optional(),
  allow_paid_providers: z.string().optional(),
  allow_paid_provider: z.string().optional(),
});

/** What their handlers look at in the header. */
const headers = {
  "x-agent-execute-token": z.string().optional().describe("AGENT_EXECUTE_TOKEN, where it is set"),
  "x-force-paid-providers": z.string().optional().describe("Truthy: paid providers may be used, whatever is set"),
};

const FLAGS = new Set<string>([...Executor.PAID_KEYS, "force_paid"]);

const execute = route({
  id: "executeTask",
  method: "POST",
  path: "/api/agent/tasks/:id/execute",
  scope: ["run", "write"],
  summary: "Have a pending task run by the pipeline now; one that cannot be started is left as it is",
  admit: (call) => admit(call, call.deps.config.execute.allowUnauthenticated),
  headers,
  query: Params,
  answer: z.object({ ok: z.literal(true), task_id: z.string() }),
  refuses: { 403: "Forbidden", 404: NO_TASK },
  async handle({ deps, params, query, given, header }) {
    const id = taskId(params.id);
    const forcePaid = forced(given, header("x-force-paid-providers"));
    await Pipeline.execute(deps, id, { budget: budgetOf(query), ...(forcePaid ? { forcePaid } : {}) });
    return { ok: true as const, task_id: id };
  },
});

const pickup = route({
  id: "pickUpAndExecute",
  method: "POST",
  path: "/api/agent/tasks/pickup-and-execute",
  scope: ["run", "write"],
  summary: "Have the oldest pending task run by the pipeline, or the one that is named",
  admit: (call) => admit(call, false),
  headers,
  query: Params.extend({ task_id: z.string().optional(), task_type: TaskType.optional() }),
  answer: z.union([
    z.object({ ok: z.literal(true), picked: z.literal(true), task: Shapes.TaskListItem }),
    z.object({ ok: z.literal(false), picked: z.literal(false), reason: z.string() }),
  ]),
  refuses: { 403: "Forbidden", 404: NO_TASK },
  async handle({ deps, query, given, header }) {
    const named = query.task_id === undefined ? undefined : await Pipeline.existing(deps, taskId(query.task_id));
    const row = named ?? (await Pipeline.pickup(deps, query.task_type));
    if (!row) return { ok: false as const, picked: false as const, reason: "No pending tasks" };
    const forcePaid = forced(given, header("x-force-paid-providers"));
    // Whoever forces it, the contract says `query` here.
    await Pipeline.execute(deps, row.id, {
      budget: budgetOf(query),
      ...(forcePaid ? { forcePaid: "query" as const } : {}),
    });
    return { ok: true as const, picked: true as const, task: Present.listItem(row) };
  },
});

/** Execution on this host, under the contract's token rule. */
export const execution = [pickup, execute];

/** With a token set it has to come with the request; without one only `unset` says whether anybody may. */
function admit({ deps, header }: Pick<Call, "deps" | "header">, unset: boolean): void {
  const { token } = deps.config.execute;
  const may = token === undefined ? unset : sameSecret((header("x-agent-execute-token") ?? "").trim(), token);
  if (!may) throw fail("execute.forbidden", "Forbidden");
}

/** Who forced paid providers: any of the flags in any spelling, an empty one too, or the header. */
function forced(given: Readonly<Record<string, string>>, header: string | undefined): "query" | "header" | undefined {
  const inQuery = Object.entries(given).some(
    ([name, value]) =>
      FLAGS.has(name.toLowerCase().replace(/[^a-z0-9]/g, "_")) && (value.trim() === "" || Executor.isTruthy(value)),
  );
  if (inQuery) return "query";
  return Executor.isTruthy(header) ? "header" : undefined;
}

function budgetOf(query: z.infer<typeof Params>): Pipeline.Execution["budget"] {
  const { max_cost_usd, estimated_cost_usd, cost_slack_ratio } = query;
  return {
    ...(max_cost_usd === undefined ? {} : { max_cost_usd }),
    ...(estimated_cost_usd === undefined ? {} : { estimated_cost_usd }),
    ...(cost_slack_ratio === undefined ? {} : { cost_slack_ratio }),
  };
}
