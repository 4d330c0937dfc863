import { deadline } from "../../ground/clock.ts";
import { CoherenceError, fail, messageOf } from "../../ground/errors.ts";
import { maskAll, type Mask } from "../../ground/mask.ts";
import * as Task from "../../work/task/index.ts";
import * as Prompt from "../prompt/index.ts";
import { runAgent, type Tools } from "./agent.ts";
import type { Order, Report } from "./order.ts";
import { carryOutOnTree } from "./tree.ts";

/** Ms before a new step is written with the lease: those that are over by then cost no write. */
const SHOW_AFTER_MS = 200;

/**
 * Carries out an order and reports what came of it: outcome, failure, later or pause. Losing the lease aborts the run and
 * reports nothing: somebody else holds the work. Resolves when no process of it is left.
 */
export async function run(tools: Tools, order: Order, reported: Report, signal: AbortSignal): Promise<void> {
  const report = masked(reported, tools.mask);
  const life = new AbortController();
  const stop = () => life.abort(signal.reason);
  if (signal.aborted) stop();
  signal.addEventListener("abort", stop, { once: true });
  const { continueAfterMs } = order.limits;
  const soft = continueAfterMs === undefined ? undefined : deadline(tools.clock, continueAfterMs, life.signal);
  // Until an agent begins nothing is used.
  const progress = { step: "starting", used: Task.addUsage(order.spent, Task.NOTHING) };
  const told: Report = {
    ...report,
    used(usage) {
      progress.used = usage;
      report.used(usage);
    },
  };
  const beat = () =>
    void report.renew(progress.step).then(
      (held) => {
        if (!held) life.abort(fail("lease.lost", "The lease of this attempt is another's by now"));
      },
      // The store did not answer: the lease itself decides, at its end.
      () => {},
    );
  const stopBeating = tools.clock.every(order.limits.leaseMs / 3, beat);
  let forget = () => {};
  const say = (step: string) => {
    progress.step = step;
    report.log(`[pipeline] ${step}`);
    forget();
    forget = tools.clock.after(SHOW_AFTER_MS, beat);
  };
  try {
    if (order.tree && tools.repository)
      await carryOutOnTree(tools, { ...order, tree: order.tree }, told, say, life.signal, soft?.signal);
    else await withoutTree(tools, order, told, say, life.signal, soft?.signal);
  } catch (error) {
    if (life.signal.aborted) return;
    await report.fail(failureOf(error), error instanceof CoherenceError ? tailOf(error) : "", progress.used);
  } finally {
    stopBeating();
    forget();
    soft?.clear();
    signal.removeEventListener("abort", stop);
  }
}

/** What a suite or an agent shows of the host's secrets, who can read them by the system's means, is kept nowhere. */
function masked(report: Report, mask: Mask): Report {
  return {
    ...report,
    log: (line) => report.log(mask(line)),
    save: (name, value) => report.save(name, maskAll(mask, value)),
    outcome: (outcome, evidence, output, usage) =>
      report.outcome(maskAll(mask, outcome), maskAll(mask, evidence), mask(output), usage),
    fail: (failure, output, usage) => report.fail(maskAll(mask, failure), mask(output), usage),
    postpone: (why) => report.postpone(mask(why)),
  };
}

/** Without a repository there is nothing to judge: what the agent says is recorded. */
async function withoutTree(
  tools: Tools,
  order: Order,
  report: Report,
  say: (step: string) => void,
  signal: AbortSignal,
  stopBy?: AbortSignal,
): Promise<void> {
  say(`${order.candidate.provider} ${order.candidate.model} works`);
  const result = await runAgent(tools, order, { cwd: tools.scratch }, report, signal, stopBy);
  if (result.kind === "paused") return;
  if (result.kind === "failed") return report.fail(result.failure, result.output, result.usage);
  const parsed = Prompt.parseResult(result.output);
  const block = parsed.kind === "result" ? parsed.result : null;
  const outcome: Task.Outcome = block?.question
    ? { kind: "question", question: block.question }
    : block?.verdict === "fail" && order.task.type === "review"
      ? { kind: "rejected" }
      : { kind: "passed" };
  const evidence: Task.Evidence = {
    result: block,
    files: [],
    suite: null,
    base: null,
    head: null,
    spec_path: block?.spec_path ?? null,
    note: "no repository: nothing was judged",
  };
  await report.outcome(outcome, evidence, result.output, result.usage);
}

function failureOf(error: unknown): Task.Failure {
  if (error instanceof CoherenceError && error.code.startsWith("workspace."))
    return { class: "workspace", message: [error.message, error.remedy].filter(Boolean).join(". ").slice(0, 1000) };
  if (error instanceof CoherenceError) return { class: "internal", message: error.message.slice(0, 1000) };
  return { class: "internal", message: `a fault of the pipeline: ${messageOf(error)}`.slice(0, 1000) };
}

function tailOf(error: CoherenceError): string {
  return typeof error.data.tail === "string" ? error.data.tail : "";
}
