import type { Deps } from "../../ground/deps.ts";
import * as Attempt from "../../work/attempt/index.ts";
import * as Backlog from "../../work/backlog/index.ts";
import * as Task from "../../work/task/index.ts";
import type { Repository } from "../../work/workspace/index.ts";

const DAY_MS = 86_400_000;
const ENDED = ["completed", "failed", "cancelled"] as const;

export type Cleaned = { worktrees: string[]; branches: string[]; logs: number };

/**
 * Removes worktrees of items that are done or retired and of tasks that have ended, their branches where another branch holds
 * the work, and the logs of tasks that ended more than `keepDays` ago. What still moves, asks or was abandoned stays; so do all
 * integration branches, and every branch that is the only copy of its work.
 */
export async function cleanup(
  deps: Deps,
  repository: Repository | null,
  options: { dryRun: boolean; keepDays: number },
): Promise<Cleaned> {
  const over = await overBranches(deps);
  const trees = repository
    ? await repository.cleanup((branch) => !over.has(branch), options.dryRun)
    : { worktrees: [], branches: [] };
  return { ...trees, logs: await oldLogs(deps, options) };
}

/** Branches whose work is over. */
async function overBranches(deps: Deps): Promise<Set<string>> {
  const over = new Set<string>();
  for (const backlog of await Backlog.list(deps))
    for (const item of await Backlog.items(deps, backlog.id))
      if (item.state === "done" || item.state === "retired") over.add(Backlog.itemBranch(backlog.id, item.id));
  for await (const { row } of Task.walk(deps, ENDED)) if (!row.item) over.add(Backlog.taskBranch(row.id));
  return over;
}

async function oldLogs(deps: Deps, { dryRun, keepDays }: { dryRun: boolean; keepDays: number }): Promise<number> {
  const before = deps.clock.now() - keepDays * DAY_MS;
  let removed = 0;
  for await (const { row } of Task.walk(deps, ENDED)) {
    const whole = await Task.row(deps.store, row.id);
    if (!whole || !Task.hasEnded(whole.status) || (whole.ended_at ?? Infinity) > before) continue;
    if (await Attempt.removeLog(deps.store, row.id, dryRun)) removed++;
  }
  return removed;
}
