import type { Shapes } from "../../../client/index.ts";
import { duration, ms } from "../durations.ts";
import { money, page, section, table } from "../output.ts";
import type { Shell } from "../shell.ts";
import { oneLine } from "../text.ts";
import { workersTable } from "./workers.ts";

/** Lines of pending and recent work that are shown. */
const LINES = 8;
const INDENT = 2;

/** What is read of pipeline-status and of metrics. */
export const PIPELINE = ["running", "pending", "recent_completed", "attention"] as const;
export const METRICS = ["success_rate", "execution_time", "usage"] as const;

type StatusItem = Shapes["PipelineItem"];

/** All that `status` shows. */
export type Seen = {
  pipeline: Pick<Shapes["PipelineStatus"], (typeof PIPELINE)[number]>;
  metrics: Pick<Shapes["Metrics"], (typeof METRICS)[number]>;
  workers: readonly Shapes["Worker"][];
  asking: { tasks: Shapes["TaskListItem"][]; total: number };
};

/** The text of `status`. */
export function overview(seen: Seen, shell: Shell): string {
  const { pipeline } = seen;
  return page([
    `Attention: ${oneLine(pipeline.attention.flags.join(", ")) || "—"}`,
    section("Workers", workersTable(seen.workers, shell, INDENT)),
    section(
      `Running (${pipeline.running.length})`,
      lines(pipeline.running, "FOR", (row) => row.running_seconds, shell),
    ),
    asking(seen.asking),
    section("Pending", pending(pipeline.pending, shell)),
    section(
      "Recent",
      lines(pipeline.recent_completed.slice(0, LINES), "TOOK", (row) => row.duration_seconds, shell),
    ),
    section("7 days", week(seen.metrics)),
  ]);
}

function lines(
  rows: StatusItem[],
  head: string,
  seconds: (row: StatusItem) => number | null | undefined,
  shell: Shell,
): string {
  return table<StatusItem>(
    [
      { head: "ID", of: (row) => row.id, width: "whole" },
      { head: "TYPE", of: (row) => row.task_type, drop: 1 },
      { head: "STATUS", of: (row) => row.status, drop: 2 },
      { head, of: (row) => duration(seconds(row)), drop: 0 },
      { head: "STEP", of: (row) => row.current_step, drop: 3 },
      { head: "MODEL", of: (row) => row.model, drop: 4 },
      { head: "WHAT", of: (row) => row.direction, width: "rest" },
    ],
    rows,
    shell.width() - INDENT,
    "none",
  );
}

function pending(rows: StatusItem[], shell: Shell): string {
  const now = shell.clock.now();
  const waits = (row: StatusItem) => {
    const until = ms(row.retry_not_before);
    return until === undefined || until <= now
      ? row.wait_reason
      : `${row.wait_reason ?? "parked"}, ${duration((until - now) / 1000)} more`;
  };
  const shown = table<StatusItem>(
    [
      { head: "ID", of: (row) => row.id, width: "whole" },
      { head: "TYPE", of: (row) => row.task_type, drop: 1 },
      { head: "WAITING", of: (row) => duration(row.wait_seconds), drop: 0 },
      { head: "FOR", of: waits, drop: 2 },
      { head: "WHAT", of: (row) => row.direction, width: "rest" },
    ],
    rows.slice(0, LINES),
    shell.width() - INDENT,
    "none",
  );
  return rows.length > LINES ? `${shown}\nand ${rows.length - LINES} more` : shown;
}

/** Questions are shown whole: they have to be answered. */
function asking({ tasks, total }: Seen["asking"]): string {
  const said = tasks.map(
    (task) =>
      `${oneLine(task.id)}: ${oneLine(task.decision_prompt ?? task.direction)}\n  coherence decide ${oneLine(task.id)} "answer"`,
  );
  return section(`Needs you (${total})`, said.join("\n"));
}

function week({ success_rate: rate, execution_time: time, usage }: Seen["metrics"]): string {
  const parts = [
    `${rate.completed} completed`,
    `${rate.failed} failed`,
    rate.total === 0 ? "" : `${percent(rate.completed, rate.total)} % success`,
    rate.total === 0 ? "" : `p50 ${duration(time.p50_seconds)}, p95 ${duration(time.p95_seconds)}`,
    usage ? `cost ${cost(usage.cost_usd, usage.cost_coverage)}` : "",
  ];
  return parts.filter((part) => part !== "").join(", ");
}

/** A share in whole percent: all and none are said only where it is all or none. */
function percent(part: number, total: number): number {
  const rounded = Math.round((part / total) * 100);
  return part === 0 || part === total ? rounded : Math.min(99, Math.max(1, rounded));
}

/** What is known of the cost, and of how much of the work it is. */
function cost(usd: number | null | undefined, coverage: number | null | undefined): string {
  const known = usd === null || usd === undefined || (coverage ?? 1) >= 1;
  return known ? money(usd) : `${money(usd)} (known of ${Math.floor((coverage ?? 1) * 100)} %)`;
}
