import { deadline, type Clock } from "../../ground/clock.ts";
import type { Provider, RunResult } from "../../work/provider/index.ts";
import * as Task from "../../work/task/index.ts";
import type { Repository } from "../../work/workspace/index.ts";
import type { At, Order, Report } from "./order.ts";

/** What a worker is made of. */
export type Tools = {
  clock: Clock;
  provider(name: string): Provider;
  /** Null: no repository. */
  repository: Repository | null;
  /** An empty folder for runs without a repository. */
  scratch: string;
  at: At;
};

/** Bytes of an agent's last message that are kept: head and tail. */
const KEEP_OUTPUT_BYTES = 200_000;

/** Runs the order's provider, with a deadline, on a folder. Throws only when the signal is aborted. */
export async function runAgent(
  tools: Tools,
  order: Order,
  cwd: string,
  report: Report,
  signal: AbortSignal,
): Promise<RunResult> {
  const provider = tools.provider(order.candidate.provider);
  const limit = deadline(tools.clock, order.limits.timeoutMs, signal);
  await tools.at("agent-working", { ...order.ref, cwd });
  try {
    const { item } = order;
    const result = await provider.run(
      {
        task: { ...order.task, attempt: order.ref.n, turn: order.ref.turn },
        ...(item
          ? { item: { backlog: item.backlog, id: item.item, text: item.text, phase: item.phase, round: item.round } }
          : {}),
        prompt: order.prompt.text,
        model: order.candidate.model,
        cwd,
        ...(order.specPath === undefined ? {} : { specPath: order.specPath }),
        timeoutMs: order.limits.timeoutMs,
        log: report.log,
      },
      limit.signal,
    );
    return { ...result, output: Task.headAndTail(result.output, KEEP_OUTPUT_BYTES) };
  } catch (error) {
    if (signal.aborted || !limit.signal.aborted) throw error;
    const minutes = Math.round(order.limits.timeoutMs / 60_000);
    const failure = { class: "stalled", message: `the agent was not done within ${minutes} min` } as const;
    return { kind: "failed", failure, output: "", usage: Task.NO_USAGE };
  } finally {
    limit.clear();
  }
}
