import * as Attempt from "../../work/attempt/index.ts";
import * as Friction from "../../work/friction/index.ts";
import * as Provider from "../../work/provider/index.ts";
import type * as Spend from "../../work/spend/index.ts";
import * as Task from "../../work/task/index.ts";
import type { Travelling } from "../../ground/workflow/index.ts";
import * as Executor from "../executor/index.ts";
import * as Routing from "../routing/index.ts";
import * as Worker from "../worker/index.ts";
import type { PipelineDeps } from "./deps.ts";
import { moneyOf } from "./money.ts";

/** Orders the candidates with reasons and writes them on the attempt, once. */
export async function plan(deps: PipelineDeps, input: { taskId: string; attempt: number }): Promise<Travelling> {
  const none: Travelling = { ...input, candidate: -1, kind: "none" };
  const [[attempt, task], health] = await Promise.all([
    Attempt.readWithTask(deps.store, input.taskId, input.attempt),
    Provider.health(deps),
  ]);
  if (!task || !attempt || attempt.ended_at !== undefined) return none;
  if (attempt.candidates) return chosenOf(attempt);
  const money = await moneyOf(deps, task, attempt);
  for (const warning of money.warnings) deps.log.warn({ taskId: task.row.id }, warning);
  const { candidates, skipped } = Routing.order(await routingOf(deps, task, health, money));
  const planned = await Attempt.plan(deps.store, attempt, candidates, skipped);
  if (planned) await openGuarded(deps, task.row.id, skipped);
  return planned ? chosenOf(planned) : none;
}

/** What the state machine does next with an attempt: its chosen candidate, or none. */
export function chosenOf(attempt: Attempt.AttemptRow): Travelling {
  const candidate = attempt.candidates?.[attempt.chosen];
  return {
    taskId: attempt.task_id,
    attempt: attempt.n,
    candidate: candidate ? attempt.chosen : -1,
    kind: candidate ? candidate.where : "none",
  };
}

/** A guard of ours that kept a provider from being paid is one friction episode of that provider, until it serves again. */
async function openGuarded(deps: PipelineDeps, taskId: string, skipped: readonly Task.Skipped[]): Promise<void> {
  const met = new Map(skipped.flatMap((one) => (one.guard ? [[`${one.provider} ${one.guard}`, one] as const] : [])));
  for (const { provider, guard, reason } of met.values())
    await Friction.open(deps, { provider, reason: guard ?? "paid_provider_blocked", taskId, message: reason });
}

async function routingOf(
  deps: PipelineDeps,
  task: Task.Whole,
  { readiness, cooldowns, pauses }: Provider.Health,
  money: Spend.Weighed,
): Promise<Routing.Routing> {
  const context = task.parts.context ?? {};
  const providers = deps.providers.all();
  // Only what runs on machines asks for workers, and only where its agent is ready.
  const onMachines = new Set(providers.filter((one) => one.capabilities.where === "machine").map((one) => one.name));
  const workers = readiness.some((row) => row.ready && onMachines.has(row.name)) ? await Worker.list(deps) : [];
  const now = deps.clock.now();
  return {
    task: {
      type: task.row.task_type,
      tries: task.row.tries,
      pin: typeof context.provider === "string" ? context.provider : undefined,
      executor: typeof context.executor === "string" ? context.executor : undefined,
    },
    providers,
    readiness: new Map(readiness.map((row) => [row.name, row])),
    cooling: Provider.cooling(cooldowns, providers, now),
    paused: pauses,
    rules: Provider.CLASS_RULES,
    hasWorker: (provider) => Worker.available(workers, provider, now) !== undefined,
    hostPin: deps.routing.pin,
    allowPaid: deps.config.allowPaid || Executor.allowsPaid(context),
    stops: money.stops,
    bounded: money.left !== undefined,
    allowSimulated: deps.routing.allowSimulated,
    now,
  };
}
