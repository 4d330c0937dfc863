import * as Pipeline from "../../../core/flow/pipeline/index.ts";
import * as Task from "../../../core/work/task/index.ts";
import { hold, withOutcome, type TestPipeline } from "../../support/pipeline.ts";

export const letters = (n: number) => Array.from({ length: n }, (_, i) => `i${String(i).padStart(2, "0")}`);
export const workers = (n: number) => ({ AGENT_RUNNER_WORKERS: String(n) });
export const ask = (more: object = {}): Task.Outcome => ({
  kind: "question",
  question: Task.Question.parse({ prompt: "Which?", ...more }),
});
export const end = async (deps: TestPipeline, id: string, outcome: Task.Outcome) =>
  Pipeline.settle(deps, await withOutcome(deps, await hold(deps, id), outcome));
