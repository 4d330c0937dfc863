import { monthsBefore } from "../../ground/clock.ts";
import * as Store from "../../ground/store/index.ts";
import { Keys, type GSI1_INCLUDES } from "../../ground/store/index.ts";
import type { TaskRow } from "./row.ts";
import { hasEnded } from "./transition.ts";
import type { Status } from "./words.ts";

/** Months looked back for tasks that have ended. */
const MONTHS = 12;
const PAGE = 200;

/** What the status index knows of a task. */
export type Indexed = Pick<TaskRow, Extract<(typeof GSI1_INCLUDES)[number], keyof TaskRow>>;

/**
 * The tasks of these statuses from the index, the oldest first within a status; ended ones of the last year. A hint, as indexes
 * are: whoever acts on one reads it again. `after`: goes on behind the task with that place (`<status>#<created>#<id>`).
 */
export async function* walk(
  deps: { store: Store.Store; clock: { now(): number } },
  statuses: readonly Status[],
  after?: string,
): AsyncGenerator<{ row: Indexed; place: string }> {
  const [from = "", ...rest] = after?.split("#") ?? [];
  const begin = after === undefined ? 0 : statuses.findIndex((status) => status === from);
  for (const status of statuses.slice(Math.max(0, begin))) {
    const behind = after !== undefined && status === from ? rest.join("#") : undefined;
    for (const pk of partitions(status, deps.clock.now()))
      for await (const item of pages(deps.store, pk, behind))
        yield { row: item as unknown as Indexed, place: `${status}#${String(item.gsi1sk)}` };
  }
}

function partitions(status: Status, now: number): string[] {
  if (!hasEnded(status)) return [Keys.statusPartition(status, now)];
  return Array.from({ length: MONTHS }, (_, i) => Keys.statusPartition(status, monthsBefore(now, MONTHS - 1 - i)));
}

async function* pages(store: Store.Store, pk: string, behind: string | undefined): AsyncGenerator<Store.Item> {
  let cursor: string | undefined;
  do {
    const page = await Store.query(store, {
      index: "gsi1",
      pk,
      limit: PAGE,
      // A NUL behind the last place: the next one that there can be.
      ...(behind === undefined ? {} : { sk: { from: `${behind}\0` } }),
      ...(cursor === undefined ? {} : { cursor }),
    });
    yield* page.items;
    cursor = page.cursor;
  } while (cursor !== undefined);
}
