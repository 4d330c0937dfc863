import type { Deps } from "../../ground/deps.ts";
import { monthsBefore } from "../../ground/clock.ts";
import * as Store from "../../ground/store/index.ts";
import { Keys } from "../../ground/store/index.ts";
import type { TaskRow } from "../../work/task/index.ts";

export type Recent = {
  /** Tasks that are neither pending nor running and came so by one of the latest ends, last changed first. */
  rows: TaskRow[];
  /** When the latest attempt ended its task (ms), null when none of the latest ends is one's. */
  lastEnd: number | null;
};

/** Months looked back for an end when the present one and the last have none. */
const MONTHS = 12;

/** What the latest `most` (1 to 100) ends of this month and the last left, else of the last month that has any. A task that was begun again is not there. */
export async function recentlyEnded(deps: Pick<Deps, "store" | "clock">, most: number): Promise<Recent> {
  const now = deps.clock.now();
  const ends: Store.Item[] = [];
  for (let back = 0; back < MONTHS; back++) {
    if (ends.length >= most || (back > 1 && ends.length > 0)) break;
    const pk = Keys.endedPartition(monthsBefore(now, back));
    ends.push(...(await Store.query(deps.store, { index: "gsi1", pk, limit: most, descending: true })).items);
  }
  const places = ends.map((end) => String(end.gsi1sk).split("#") as [at: string, taskId: string]);
  const ids = [...new Set(places.map(([, id]) => id))].slice(0, most);
  const rows = (await Store.getMany(deps.store, ids.map(Keys.task))) as unknown as (TaskRow | undefined)[];
  const newest = places[ends.findIndex((end) => end.sk !== Keys.endWithoutAttempt("").sk)]?.[0];
  return {
    rows: rows
      .filter((row) => row !== undefined)
      .filter(({ status }) => status !== "pending" && status !== "running")
      .sort((a, b) => (b.updated_at ?? b.created_at) - (a.updated_at ?? a.created_at)),
    lastEnd: newest === undefined ? null : Number(newest),
  };
}
