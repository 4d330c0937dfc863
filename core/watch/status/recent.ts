import type { Deps } from "../../ground/deps.ts";
import * as Store from "../../ground/store/index.ts";
import { Keys } from "../../ground/store/index.ts";
import type { TaskRow } from "../../work/task/index.ts";

export type Recent = {
  /** Tasks that are neither pending nor running and were so at the end of one of the latest attempts, last changed first. */
  rows: TaskRow[];
  /** When the latest attempt ended its task (ms), null when none did this month or the last. */
  lastEnd: number | null;
};

/** What the latest `most` (1 to 100) ends of this month and the last left. A task that was begun again is not there. */
export async function recentlyEnded(deps: Pick<Deps, "store" | "clock">, most: number): Promise<Recent> {
  const now = deps.clock.now();
  const today = new Date(now);
  const lastMonth = Date.UTC(today.getUTCFullYear(), today.getUTCMonth() - 1, 1);
  const ends: Store.Item[] = [];
  for (const at of [now, lastMonth]) {
    if (ends.length >= most) break;
    const pk = Keys.endedPartition(at);
    ends.push(...(await Store.query(deps.store, { index: "gsi1", pk, limit: most, descending: true })).items);
  }
  const places = ends.map((end) => String(end.gsi1sk).split("#") as [at: string, taskId: string]);
  const ids = [...new Set(places.map(([, id]) => id))].slice(0, most);
  const rows = (await Store.getMany(deps.store, ids.map(Keys.task))) as unknown as (TaskRow | undefined)[];
  const newest = places[0]?.[0];
  return {
    rows: rows
      .filter((row) => row !== undefined)
      .filter(({ status }) => status !== "pending" && status !== "running")
      .sort((a, b) => (b.updated_at ?? b.created_at) - (a.updated_at ?? a.created_at)),
    lastEnd: newest === undefined ? null : Number(newest),
  };
}
