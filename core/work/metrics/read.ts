import { day as dayName } from "../../ground/clock.ts";
import type { Deps } from "../../ground/deps.ts";
import { messageOf } from "../../ground/errors.ts";
import * as Store from "../../ground/store/index.ts";
import { Keys } from "../../ground/store/index.ts";
import { PAGE } from "./advance.ts";
import { answer, spent, type MetricsAnswer, type Spent } from "./answer.ts";
import { startOf, unfinishedFrom } from "./fold.ts";
import type { MetricRow } from "./record.ts";
import { apply, DAY_MS, decode, empty, sum, WINDOW_DAYS, type Rollup, type RollupItem } from "./rollup.ts";
import { dollars, type Tally } from "./tally.ts";

type Bare = Pick<Deps, "store" | "clock">;

/** The metrics of today and the six days before, in the contract's words. */
export async function read(deps: Bare): Promise<MetricsAnswer> {
  return answer(await window(deps));
}

/** As `read`, and null with a word in the log when a roll-up cannot be read: a report goes on without it. */
export async function readOrNull(deps: Bare & Pick<Deps, "log">): Promise<MetricsAnswer | null> {
  try {
    return await read(deps);
  } catch (error) {
    deps.log.warn({ error: messageOf(error) }, "metrics could not be read");
    return null;
  }
}

/**
 * The sum of today and the six days before, exact: roll-ups and, of days that are not done with, the records behind
 * their watermark. Costs the same at any number of tasks while somebody folds.
 */
export async function window(deps: Bare): Promise<Tally> {
  const { rollups, days } = await rollupsOf(deps);
  return sum(rollups, new Set(days));
}

/** What each provider's runs came to, today and in the whole window, by its name. */
export async function spentByProvider(
  deps: Bare,
): Promise<{ today: ReadonlyMap<string, Spent>; window: ReadonlyMap<string, Spent> }> {
  const { rollups, days } = await rollupsOf(deps);
  const of = (some: readonly Rollup[], names: readonly string[]) =>
    new Map([...sum(some, new Set(names)).by.provider].map(([name, cell]) => [name, spent(cell)]));
  return { today: of(rollups.slice(-1), days.slice(-1)), window: of(rollups, days) };
}

/** The window's days, today last, each with what its records come to. */
async function rollupsOf(deps: Bare): Promise<{ rollups: Rollup[]; days: string[] }> {
  const now = deps.clock.now();
  const today = startOf(now);
  const days = Array.from({ length: WINDOW_DAYS }, (_, i) => today - (WINDOW_DAYS - 1 - i) * DAY_MS);
  // The pointer is read first: a day that is done with by then is whole in the roll-up read after it.
  const unfinished = await unfinishedFrom(deps.store, now);
  const items = (await Store.getMany(deps.store, days.map(Keys.rollup))) as (RollupItem | undefined)[];
  const rollups: Rollup[] = [];
  for (const [i, at] of days.entries()) {
    const item = items[i];
    const rollup = item ? decode(item.json) : empty();
    if (at >= unfinished) await addTail(deps.store, rollup, at, item?.watermark);
    rollups.push(rollup);
  }
  return { rollups, days: days.map(dayName) };
}

/** What a UTC day that holds `at` (ms) cost so far, in US dollars, as far as it is known. Reads one roll-up and its tail. */
export async function costOfDay(deps: Bare, at: number): Promise<number> {
  const day = startOf(at);
  const [item] = (await Store.getMany(deps.store, [Keys.rollup(day)])) as (RollupItem | undefined)[];
  const rollup = item ? decode(item.json) : empty();
  await addTail(deps.store, rollup, day, item?.watermark);
  return dollars(sum([rollup], new Set([dayName(day)])).all);
}

/** Counts in what is not yet folded. */
async function addTail(store: Store.Store, rollup: Rollup, at: number, watermark: string | undefined): Promise<void> {
  let cursor: string | undefined;
  do {
    const page = await Store.query(store, {
      pk: Keys.metricPartition(at),
      ...(watermark === undefined ? {} : { sk: { from: watermark } }),
      limit: PAGE,
      ...(cursor === undefined ? {} : { cursor }),
    });
    for (const row of page.items as unknown as MetricRow[]) if (row.sk !== watermark) apply(rollup, row);
    cursor = page.cursor;
  } while (cursor !== undefined);
}
