import * as z from "zod";
import type { Deps } from "../../ground/deps.ts";
import * as Store from "../../ground/store/index.ts";
import { Keys } from "../../ground/store/index.ts";
import { TaskType } from "../task/index.ts";
import { window } from "./read.ts";
import { agentOf } from "./record.ts";
import { DAY_MS, WINDOW_DAYS } from "./rollup.ts";
import type { Cell, Dimension } from "./tally.ts";

type Bare = Pick<Deps, "store" | "clock">;

/** Attempts that somebody worked on, and those of them that did not come to a good end. */
export type RunCount = { count: number; failed: number };

/** The runs of today and the six days before, and the ends of tasks beside them. */
export type Runs = RunCount & {
  /** Tasks that completed or failed, and those of them on which no attempt was made. */
  ended: number;
  untracked: number;
  by: Record<"executor" | "agent" | "provider", ReadonlyMap<string, RunCount>>;
  /** How tasks ended, by the model of their last attempt; `last_at` in ms, null when it is not known. */
  models: ReadonlyMap<string, { completed: number; failed: number; last_at: number | null }>;
};

/** Nothing ran. */
export const NO_RUNS: Runs = {
  count: 0,
  failed: 0,
  ended: 0,
  untracked: 0,
  by: { executor: new Map(), agent: new Map(), provider: new Map() },
  models: new Map(),
};

/** Counts runs, exact over the metrics' window and at its price. */
export async function runs(deps: Bare): Promise<Runs> {
  const { all, by } = await window(deps);
  const table = (dimension: Dimension) =>
    new Map([...by[dimension]].filter(([, cell]) => cell.tracked > 0).map(([name, cell]) => [name, countOf(cell)]));
  return {
    ...countOf(all),
    ended: all.completed + all.failed,
    untracked: all.untracked,
    by: { executor: table("executor"), agent: table("agent"), provider: table("provider") },
    models: new Map(
      [...by.model].map(([name, { completed, failed, last_at }]) => [
        name,
        { completed, failed, last_at: last_at === 0 ? null : last_at },
      ]),
    ),
  };
}

/** What a report shows of one record; one that is not so is passed over, so that it never costs the report. */
const Recent = z.object({
  sk: z.string(),
  task_id: z.string(),
  n: z.number(),
  task_type: TaskType,
  model: z.string(),
  executor: z.string().nullable(),
  provider: z.string().nullable(),
  agent: z.string().nullish(),
  status: z.enum(["completed", "failed"]).nullable(),
  class: z.string().nullable(),
  created_at: z.number(),
  run_ms: z.number().nullable(),
  takes_out: z.string().optional(),
});
export type Recent = Omit<z.infer<typeof Recent>, "agent"> & { agent: string | null };

/** The latest records of the window, newest first, at most `most` (1 to 1 000): one query a day until there are so many. */
export async function recent(deps: Bare, most: number): Promise<Recent[]> {
  const rows: Recent[] = [];
  const now = deps.clock.now();
  for (let back = 0; back < WINDOW_DAYS && rows.length < most; back++) {
    const pk = Keys.metricPartition(now - back * DAY_MS);
    let cursor: string | undefined;
    do {
      const more = cursor === undefined ? {} : { cursor };
      const page = await Store.query(deps.store, { pk, limit: most, descending: true, ...more });
      for (const item of page.items) {
        const row = Recent.safeParse(item);
        if (row.success && rows.length < most)
          rows.push({ ...row.data, agent: agentOf({ ...row.data, agent: row.data.agent }) });
      }
      cursor = page.cursor;
    } while (cursor !== undefined && rows.length < most);
  }
  return rows;
}

function countOf(cell: Cell): RunCount {
  return { count: cell.tracked, failed: cell.tracked_failed };
}
