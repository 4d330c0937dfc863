import type { Travelling } from "../../ground/workflow/index.ts";
import * as Attempt from "../../work/attempt/index.ts";
import * as Friction from "../../work/friction/index.ts";
import * as Provider from "../../work/provider/index.ts";
import * as Task from "../../work/task/index.ts";
import * as Routing from "../routing/index.ts";
import { chosenOf } from "./plan.ts";
import { providerServed } from "./served.ts";
import type { PipelineDeps } from "./deps.ts";

/**
 * Records a turn's failure once: the candidate is kept among those tried, its cooldown and friction episode begin, and the
 * next candidate is chosen. A repeat finds it recorded and answers the same.
 */
export async function recordFailure(deps: PipelineDeps, input: Travelling): Promise<Travelling> {
  const attempt = await Attempt.read(deps.store, input.taskId, input.attempt);
  if (!attempt || attempt.ended_at !== undefined || attempt.outcome) return { ...input, kind: "outcome" };
  if (attempt.failed_turn === attempt.turn) return chosenOf(attempt);
  const candidate = attempt.candidates?.[attempt.chosen];
  if (!candidate) return { ...input, candidate: -1, kind: "none" };

  const left = await Attempt.readFailure(deps.store, { taskId: attempt.task_id, n: attempt.n, turn: attempt.turn });
  // Nothing was left: the step itself was cut off.
  const failure: Task.Failure = left?.failure ?? { class: "lost", message: "the step was cut off" };
  const tried: Task.Tried = {
    provider: candidate.provider,
    model: candidate.model,
    turn: attempt.turn,
    class: failure.class,
    message: Task.cut(failure.message, 500),
    ms: left?.ms ?? deps.clock.now() - (attempt.turn_at ?? attempt.claimed_at),
    usage: left?.usage ?? attempt.usage ?? Task.NO_USAGE,
    ...(failure.overtime ? { overtime: true } : {}),
  };
  const next = Routing.next({
    candidates: attempt.candidates ?? [],
    chosen: attempt.chosen,
    tried: attempt.tried,
    failure,
    rules: Provider.CLASS_RULES,
    about: (one) => aboutOf(deps, one),
    random: deps.id.random(),
  });
  const chosen = next.kind === "again" ? attempt.chosen : next.kind === "fallback" ? next.index : -1;
  const target = Provider.targetOf(deps.providers, candidate);
  const cools = () => Provider.failureWrite(deps, target, failure);
  if (!(await Attempt.recordFailure(deps.store, attempt, tried, chosen, cools)))
    return chosenOf((await Attempt.read(deps.store, input.taskId, input.attempt)) ?? attempt);
  // Whatever it was not good for, it answered: it does not cool down, and others may ask it.
  if (Provider.CLASS_RULES[failure.class].answered) await providerServed(deps, candidate, await Provider.health(deps));
  if (Provider.CLASS_RULES[failure.class].scope !== "none")
    await Friction.open(deps, {
      provider: candidate.provider,
      reason: failure.class,
      taskId: attempt.task_id,
      message: failure.message,
      costUsd: tried.usage.cost_usd,
    });
  if (next.kind === "again" && next.waitMs > 0) await deps.clock.sleep(next.waitMs);
  return chosenOf({ ...attempt, chosen });
}

/** What routing knows of a candidate; one that is there no longer reads nothing. */
function aboutOf(deps: PipelineDeps, candidate: Task.Candidate): { window: number; account: string } {
  const provider = deps.providers.all().find((one) => one.name === candidate.provider);
  const model = provider?.models.find((one) => one.name === candidate.model);
  return { window: model?.context_window ?? 0, account: provider?.account ?? "none" };
}
