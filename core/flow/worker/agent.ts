import { deadline, type Clock } from "../../ground/clock.ts";
import type { Mask } from "../../ground/mask.ts";
import type { Provider, RunResult, TreeTools } from "../../work/provider/index.ts";
import * as Task from "../../work/task/index.ts";
import type { Repository } from "../../work/workspace/index.ts";
import * as Conversation from "./conversation.ts";
import type { At, Order, Report } from "./order.ts";

/** What a worker is made of. */
export type Tools = {
  clock: Clock;
  provider(name: string): Provider;
  /** Null: no repository. */
  repository: Repository | null;
  /** An empty folder for runs without a repository. */
  scratch: string;
  /** Takes the host's secrets out of whatever is reported. */
  mask: Mask;
  at: At;
};

/** Bytes of an agent's last message that are kept: head and tail. */
const KEEP_OUTPUT_BYTES = 200_000;

/** Without control characters, which JSON writes six times as long: the table takes no item over 400 KB. */
function printable(text: string): string {
  return text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, "").toWellFormed();
}

/** How an agent's go came out. Paused: that is reported already, and the run is entered again. */
export type Ran = Exclude<RunResult, { kind: "continue" }> | { kind: "paused" };

/** Where an agent works: a folder, and the worktree in it where there is a repository. */
export type Place = { cwd: string; tree?: TreeTools };

/**
 * Runs the order's provider in a place; goes on from where it paused. The deadline and the usage are those of all its parts
 * together. Throws only when the signal is aborted.
 */
export async function runAgent(
  tools: Tools,
  order: Order,
  place: Place,
  report: Report,
  signal: AbortSignal,
  stopBy?: AbortSignal,
): Promise<Ran> {
  const provider = tools.provider(order.candidate.provider);
  const before = await Conversation.load(order, report);
  const begun = tools.clock.now();
  // The agent's cost is unknown until it says something of it.
  let used = order.spent;
  const say = (usage: Task.Usage) => report.used((used = Task.addUsage(order.spent, usage)));
  report.used(used);
  const limit = deadline(tools.clock, Math.max(0, order.limits.timeoutMs - before.ms), signal);
  await tools.at("agent-working", { ...order.ref, cwd: place.cwd });
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
        ...place,
        ...(order.specPath === undefined ? {} : { specPath: order.specPath }),
        timeoutMs: order.limits.timeoutMs,
        ...(order.limits.budgetUsd === undefined ? {} : { budgetUsd: order.limits.budgetUsd }),
        ...(stopBy ? { stopBy } : {}),
        ...(before.saved === undefined ? {} : { resume: before.saved }),
        log: report.log,
        used: say,
      },
      limit.signal,
    );
    // Why it stopped outranks what it said: an answer that came after the end is none.
    limit.signal.throwIfAborted();
    say(result.usage);
    if (result.kind !== "continue")
      return { ...result, usage: used, output: Task.headAndTail(printable(result.output), KEEP_OUTPUT_BYTES) };
    const ms = before.ms + tools.clock.now() - begun;
    await Conversation.save(order, report, { saved: result.saved, ms });
    await report.pause();
    return { kind: "paused" };
  } catch (error) {
    if (signal.aborted || !limit.signal.aborted) throw error;
    const failure = {
      class: "stalled",
      message: `the agent was not done within ${order.limits.timeoutMs / 1000} s`,
      overtime: true,
    } as const;
    return { kind: "failed", failure, output: "", usage: used };
  } finally {
    limit.clear();
  }
}
