import type { Travelling } from "../../ground/workflow/index.ts";
import * as Attempt from "../../work/attempt/index.ts";
import * as Provider from "../../work/provider/index.ts";
import * as Task from "../../work/task/index.ts";
import { holdPatternScore } from "./parse-context.ts";
import type { PipelineDeps } from "./deps.ts";
import { endAttempt, settled, type Ending } from "./end.ts";
import { expiryOf } from "./question.ts";
import { providerServed } from "./served.ts";
import { askToSteer, settlement } from "./settlement.ts";

/** Ends an attempt with what its outcome says, once: a second, late or wrongly fenced settle changes nothing. */
export async function settle(deps: PipelineDeps, input: { taskId: string; attempt: number }): Promise<Travelling> {
  const done: Travelling = { ...input, candidate: -1, kind: "settled" };
  const [{ row, attempt, part }, health] = await Promise.all([
    Attempt.readToSettle(deps.store, input.taskId, input.attempt),
    Provider.health(deps),
  ]);
  if (
    !row ||
    !attempt ||
    attempt.ended_at !== undefined ||
    row.att !== attempt.n ||
    row.status !== "running" ||
    !hasCome(attempt)
  )
    return done;
  const expires = expiryOf(deps);
  const planned = settlement({
    row,
    attempt,
    part,
    cooling: Provider.cooling(health.cooldowns, deps.providers.all(), deps.clock.now()),
    expires,
    now: deps.clock.now(),
  });
  const ending = (await repeatsItself(deps, row, planned)) ? askToSteer(planned, expires) : planned;
  if (!(await endAttempt(deps, row, attempt, ending))) return done;
  await deps.at("settled", { ...input, to: ending.to });
  const candidate = attempt.candidates?.[attempt.chosen];
  if (attempt.outcome && !attempt.unasked && candidate) await providerServed(deps, candidate, health);
  await deps.events.publish(
    settled(row, input.attempt),
    ...(ending.to === "pending" && ending.change?.until === undefined
      ? ([{ type: "task.queued", taskId: input.taskId }] as const)
      : []),
  );
  return done;
}

/** Whether a task that would be tried again is said to repeat itself (contract 2.9): then a person is asked first. */
async function repeatsItself(deps: PipelineDeps, row: Task.TaskRow, ending: Ending): Promise<boolean> {
  if (ending.to !== "pending" || ending.class !== "bad_result") return false;
  const score = holdPatternScore(await Task.contextOf(deps.store, row.id));
  return score !== undefined && score >= deps.config.holdPatternScore;
}

/** Whether there is anything to settle: an outcome, a wait, or no candidate left. Otherwise a turn still works or is about to. */
function hasCome(attempt: Attempt.AttemptRow): boolean {
  return (
    attempt.outcome !== undefined ||
    attempt.later !== undefined ||
    (attempt.candidates !== undefined && attempt.chosen < 0)
  );
}
