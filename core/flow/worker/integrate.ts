import type * as Task from "../../work/task/index.ts";
import type { Repository } from "../../work/workspace/index.ts";
import * as Prompt from "../prompt/index.ts";
import type { Tools } from "./agent.ts";
import { trailers, type Report, type TreeOrder } from "./order.ts";

/**
 * The end of a passed review: the verdict is saved already; the lock is taken; merge and suite run in a detached worktree; the
 * branch moves by compare-and-swap, only when green. A kill at any point is safe.
 */
export async function integrate(
  tools: Tools,
  repository: Repository,
  order: TreeOrder & { head: string; base: string },
  report: Report,
  evidence: Task.Evidence,
  finished: { output: string; usage: Task.Usage },
  signal: AbortSignal,
): Promise<void> {
  const { tree, item, head } = order;
  const say = (outcome: Task.Outcome, shown = evidence) =>
    report.outcome(outcome, shown, finished.output, finished.usage);
  const unlock = await report.lock(tree.lock, signal);
  try {
    await tools.at("integrating", { ...order.ref, head });
    const merged = await repository.integrate({
      into: tree.integration ?? "",
      head,
      message: `Merge ${item?.item ?? order.task.id}: ${Prompt.title(item?.text ?? order.task.direction)}`.slice(
        0,
        100,
      ),
      trailers: trailers(order),
      notRedderThan: tree.accepted,
      base: order.base,
      log: report.log,
      signal,
    });
    switch (merged.kind) {
      case "integrated":
      case "already":
        await tools.at("integrated", { ...order.ref, tip: merged.tip });
        return await say({ kind: "passed", head, tip: merged.tip });
      case "conflict":
        return await say({ kind: "conflict", tip: merged.tip, files: merged.files.slice(0, 200) });
      case "red":
        return await say({ kind: "red_after_merge", tip: merged.tip }, { ...evidence, suite: merged.suite });
      case "later":
        return await report.postpone(merged.why);
    }
  } finally {
    await unlock();
  }
}
