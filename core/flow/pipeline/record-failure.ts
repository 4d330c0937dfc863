import type { Travelling } from "../../ground/workflow/index.ts";
import * as Attempt from "../../work/attempt/index.ts";
import * as Friction from "../../work/friction/index.ts";
import * as Provider from "../../work/provider/index.ts";
import * as Task from "../../work/task/index.ts";
import { chosenOf } from "./plan.ts";
import type { PipelineDeps } from "./deps.ts";

/** Ms waited before the same target is asked once more after a server error: 0.2 to 1 s. */
const RETRY_JITTER_MS = { least: 200, more: 800 };

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
    usage: left?.usage ?? Task.NO_USAGE,
  };
  const next = nextCandidate(deps, attempt, failure);
  if (!(await Attempt.recordFailure(deps.store, attempt, tried, next.index)))
    return chosenOf((await Attempt.read(deps.store, input.taskId, input.attempt)) ?? attempt);
  await Provider.coolDown(deps, Provider.targetOf(deps.providers, candidate), failure);
  if (Provider.CLASS_RULES[failure.class].scope !== "none")
    await Friction.open(deps, {
      provider: candidate.provider,
      reason: failure.class,
      taskId: attempt.task_id,
      message: failure.message,
    });
  if (next.waitMs > 0) await deps.clock.sleep(next.waitMs);
  return chosenOf({ ...attempt, chosen: next.index });
}

/** Index of the candidate that goes next, −1 for none, and how long to wait before. */
function nextCandidate(
  deps: PipelineDeps,
  attempt: Attempt.AttemptRow,
  failure: Task.Failure,
): { index: number; waitMs: number } {
  const rule = Provider.CLASS_RULES[failure.class];
  const candidates = attempt.candidates ?? [];
  const present = candidates[attempt.chosen];
  const again = attempt.tried.filter((t) => t.provider === present?.provider && t.model === present.model).length;
  const retryAfter = failure.retry_after_ms ?? Infinity;
  if (again === 0 && rule.retrySame === "once")
    return { index: attempt.chosen, waitMs: RETRY_JITTER_MS.least + deps.id.random() * RETRY_JITTER_MS.more };
  if (again === 0 && rule.retrySame === "retry_after" && retryAfter <= Provider.RETRY_SAME_WITHIN_MS)
    return { index: attempt.chosen, waitMs: retryAfter };
  // What a model will not have in a request another one may take: once.
  const prefill = failure.prefill === true && attempt.tried.every((one) => one.class !== failure.class);
  if (rule.next === "no" && !prefill) return { index: -1, waitMs: 0 };
  const window = (one: Task.Candidate | undefined) =>
    deps.providers
      .all()
      .find((provider) => provider.name === one?.provider)
      ?.models.find((model) => model.name === one?.model)?.context_window ?? 0;
  const index = candidates.findIndex(
    (one, i) =>
      i > attempt.chosen &&
      // A whole credential that failed takes its other models with it.
      !(rule.scope === "credential" && one.provider === present?.provider) &&
      (rule.next !== "larger_window" || window(one) > window(present)),
  );
  return { index, waitMs: 0 };
}
