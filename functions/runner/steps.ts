import * as z from "zod";
import type { Travelling } from "../../core/ground/workflow/index.ts";
import * as Pipeline from "../../core/flow/pipeline/index.ts";

/** One handler a Task state: parse, call core, answer. Two Lambdas carry them: control (all but Invoke) and invoke. */

const Begin = z.object({ taskId: z.string().max(100), attempt: z.number().int().min(1) });
const Step = Begin.extend({
  candidate: z.number().int().min(-1),
  kind: z.enum(["inline", "machine", "none", "outcome", "continue", "fallback", "settled"]),
});
const Offered = Step.extend({ token: z.string().max(2000) });

/** Orders the candidates. */
export async function plan(deps: Pipeline.PipelineDeps, input: unknown): Promise<Travelling> {
  return Pipeline.plan(deps, Begin.parse(input));
}

/** Runs the chosen candidate in this process. */
export async function invoke(deps: Pipeline.PipelineDeps, input: unknown, signal: AbortSignal): Promise<Travelling> {
  return Pipeline.invoke(deps, Step.parse(input), signal);
}

/** Offers it to a worker; answers itself when nobody takes it, else whoever holds the token does. */
export async function offer(
  deps: Pipeline.PipelineDeps,
  input: unknown,
): Promise<{ waiting: true } | { waiting: false; answer: Travelling }> {
  const { token, ...step } = Offered.parse(input);
  const offered = await Pipeline.offer(deps, step, token);
  return offered.kind === "waiting" ? { waiting: true } : { waiting: false, answer: offered.answer };
}

/** Records why the candidate failed and chooses the next. */
export async function recordFailure(deps: Pipeline.PipelineDeps, input: unknown): Promise<Travelling> {
  return Pipeline.recordFailure(deps, Step.parse(input));
}

/** Ends the attempt with what came of it. */
export async function settle(deps: Pipeline.PipelineDeps, input: unknown): Promise<Travelling> {
  return Pipeline.settle(deps, Begin.parse(input));
}
