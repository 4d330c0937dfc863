import type { Deps } from "../../ground/deps.ts";
import * as Store from "../../ground/store/index.ts";
import { Keys } from "../../ground/store/index.ts";
import type { Status, TaskRow, TaskType } from "../task/index.ts";

const LIVE = ["pending", "running", "needs_decision"] as const;
export type LiveStatus = (typeof LIVE)[number];

/** How many tasks there are, of each status that occurs. */
export type Counts = { total: number; by_status: Partial<Record<Status, number>> };
/** How many of each type. */
export type ByType = Partial<Record<TaskType, number>>;

/** Counts of all tasks: those in work by their partitions, ended ones by the counters that every transition moves. */
export async function counts(deps: Pick<Deps, "store">): Promise<Counts> {
  const [ended, ...live] = await Promise.all([
    endedByType(deps),
    ...LIVE.map((status) => Store.countOf(deps.store, { index: "gsi1", pk: Keys.statusPartition(status, 0) })),
  ]);
  const by_status: Counts["by_status"] = {};
  for (const [i, status] of LIVE.entries()) if (live[i]) by_status[status] = live[i];
  for (const [status, types] of ended) {
    const count = Object.values(types).reduce((sum, n) => sum + n, 0);
    if (count > 0) by_status[status] = count;
  }
  return { total: Object.values(by_status).reduce((sum, n) => sum + n, 0), by_status };
}

/** The tasks of one status by type. Those in work are read, a page at a time: they are few. */
export async function countsByType(deps: Pick<Deps, "store">, status: Status): Promise<ByType> {
  if (!isLive(status)) return (await endedByType(deps)).get(status) ?? {};
  const types: ByType = {};
  let cursor: string | undefined;
  do {
    const page = await Store.query(deps.store, {
      index: "gsi1",
      pk: Keys.statusPartition(status, 0),
      limit: Store.MAX_LIMIT,
      ...(cursor === undefined ? {} : { cursor }),
    });
    for (const { task_type } of page.items as unknown as TaskRow[]) types[task_type] = (types[task_type] ?? 0) + 1;
    cursor = page.cursor;
  } while (cursor !== undefined);
  return types;
}

/** Whether tasks of this status are in a partition of their own rather than in monthly ones. */
export function isLive(status: Status): status is LiveStatus {
  return (LIVE as readonly Status[]).includes(status);
}

/** The sharded counters, summed: at most three statuses × five types × SHARDS items. */
async function endedByType(deps: Pick<Deps, "store">): Promise<Map<Status, ByType>> {
  const ended = new Map<Status, ByType>();
  for (const item of await Store.queryAll(deps.store, { pk: Keys.ENDED_COUNTERS }, 1000)) {
    const [status, type] = item.sk.split("#") as [Status, TaskType];
    const types = ended.get(status) ?? {};
    ended.set(status, types);
    types[type] = (types[type] ?? 0) + (typeof item.n === "number" ? item.n : 0);
  }
  return ended;
}
