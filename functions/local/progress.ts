import { iso, type Clock } from "../../core/ground/clock.ts";
import * as Backlog from "../../core/work/backlog/index.ts";
import * as Metrics from "../../core/work/metrics/index.ts";
import type * as Pipeline from "../../core/flow/pipeline/index.ts";
import * as Task from "../../core/work/task/index.ts";

/** Characters of a reason that are shown. */
const LONGEST = 300;

/** Prints one line a change of an item or of what is done on it; asked after every event. */
export function progress(
  deps: Pipeline.PipelineDeps,
  backlog: string,
  say: (line: string) => void,
): () => Promise<void> {
  const shown = new Map<string, string>();
  return async () => {
    for (const item of await Backlog.items(deps, backlog)) {
      const words = `${item.state}${item.round > 0 ? ` (round ${item.round})` : ""}`;
      const before = shown.get(item.id);
      if (before === words) continue;
      shown.set(item.id, words);
      // What was so before this host began is no news.
      if (before === undefined && !Backlog.MOVING.includes(item.state) && item.state !== "asking") continue;
      const task =
        item.state === "asking" && item.task !== undefined ? await Task.row(deps.store, item.task) : undefined;
      const why = task?.decision_prompt === undefined ? item.last : heading(task.decision_prompt);
      say(`${time(deps.clock)} ${item.id}: ${words}${why ? `: ${why}`.slice(0, LONGEST) : ""}`);
    }
  };
}

/** How a backlog stands. */
export type Standing = {
  total: number;
  byState: Record<string, number>;
  /** Nothing moves any more by itself. */
  settled: boolean;
  /** Ids and reasons of what needs a person. */
  needs: { item: string; task: string | null; what: string }[];
};

/** Reads how a backlog stands; `startable` false: queued items will not start any more. */
export async function standing(deps: Pipeline.PipelineDeps, backlog: string, startable: boolean): Promise<Standing> {
  const items = await Backlog.items(deps, backlog);
  const byState: Record<string, number> = {};
  const needs: Standing["needs"] = [];
  let settled = true;
  for (const item of items) {
    byState[item.state] = (byState[item.state] ?? 0) + 1;
    const task = item.state === "asking" && item.task !== undefined ? await Task.row(deps.store, item.task) : undefined;
    const open = item.state === "asking" && task?.decision_due !== undefined;
    if (Backlog.MOVING.includes(item.state) || open || (item.state === "queued" && startable)) settled = false;
    if (item.state === "asking" && !open)
      needs.push({ item: item.id, task: item.task ?? null, what: task?.decision_prompt ?? item.last ?? "" });
    if (item.state === "abandoned") needs.push({ item: item.id, task: null, what: item.last ?? "" });
  }
  return { total: items.length, byState, settled, needs };
}

/** The summary of a run: items, time, cost, what is left and why, what needs a person. */
export async function summary(
  deps: Pipeline.PipelineDeps,
  backlog: string,
  begun: number,
  now: Standing,
  how: { why: string; branch: string },
): Promise<string[]> {
  const { usage, success_rate } = await Metrics.read(deps);
  const counts = Object.entries(now.byState).map(([state, count]) => `${count} ${state}`);
  const left = ["queued", ...Backlog.MOVING].reduce((sum, state) => sum + (now.byState[state] ?? 0), 0);
  const minutes = Math.floor((deps.clock.now() - begun) / 60_000);
  const seconds = Math.round(((deps.clock.now() - begun) % 60_000) / 1000);
  const cost = usage.cost_usd === null ? "unknown" : `${usage.cost_usd.toFixed(4)} USD`;
  return [
    "",
    `Items     ${now.total}: ${counts.join(", ") || "none"}`,
    `Tasks     ${success_rate.completed} completed, ${success_rate.failed} failed (7 days)`,
    `Time      ${minutes > 0 ? `${minutes}m` : ""}${seconds}s`,
    `Cost      ${cost} (known for ${Math.round(usage.cost_coverage * 100)} % of runs, 7 days)`,
    `Branch    ${how.branch}`,
    ...(left === 0 ? [] : [`Left      ${left}: ${how.why}; start again to go on`]),
    now.needs.length === 0 ? "Needs you nothing" : `Needs you ${now.needs.length}:`,
    ...now.needs.flatMap(({ item, task, what }) => [
      `  - ${item}: ${heading(what).slice(0, LONGEST)}`,
      // The host that would hear it is gone by then.
      `    start without --once, then: coherence ${task ? `decide ${task} "…"` : `retry ${backlog}/${item}`}`,
    ]),
  ];
}

/** The first line of a question, with the first of its reasons where it announces such. */
function heading(question: string): string {
  const [first = "", second = ""] = question.split("\n", 2);
  return first.endsWith(":") ? `${first} ${second.replace(/^- /, "")}` : first;
}

function time(clock: Clock): string {
  return iso(clock.now()).slice(11, 19);
}
