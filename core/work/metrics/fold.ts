import type { Deps } from "../../ground/deps.ts";
import { fail } from "../../ground/errors.ts";
import * as Store from "../../ground/store/index.ts";
import { Keys } from "../../ground/store/index.ts";
import { advance, type Progress } from "./advance.ts";
import { keepTypical } from "./typical.ts";
import { KEEP_RECORDS_MS } from "./record.ts";
import { DAY_MS, WINDOW_DAYS, type RollupItem } from "./rollup.ts";

/** Records younger than this are left alone: one in flight may still be written with a time up to 20 s ago. */
export const FOLD_LAG_MS = 60_000;
/** So long after its end a day is made once more from its records, and is then done with. */
const REMAKE_AFTER_MS = 10 * 60_000;
/** Pages that one run reads; the next run goes on. */
const PAGES_PER_RUN = 20;
const POINTER = Keys.config("metrics-fold");

type Bare = Pick<Deps, "store" | "clock">;

/**
 * Folds records older than a minute into the roll-up of their UTC day, and makes a day that is over once more from its
 * records. Safe to repeat and to run twice at once. `complete` is false when a later run must go on.
 */
export async function fold(deps: Bare): Promise<{ folded: number; complete: boolean }> {
  const { store } = deps;
  const now = deps.clock.now();
  let folded = 0;
  let pages = PAGES_PER_RUN;
  for (let at = await unfinishedFrom(store, now); at <= now; at += DAY_MS) {
    const over = now >= startOf(at) + DAY_MS + REMAKE_AFTER_MS;
    const step = over
      ? await remake(store, at, now, pages)
      : await advance(store, Keys.rollup(at), at, now - FOLD_LAG_MS, pages);
    folded += step.folded;
    pages -= step.pages;
    if (!step.done) return { folded, complete: false };
    if (over) await finished(store, at);
  }
  if (folded > 0) await keepTypical(store, startOf(now));
  return { folded, complete: true };
}

/**
 * Makes the roll-up of the day that `at` (ms) lies in again from its records, whatever it says now. Throws `input.invalid`
 * for a day whose records have begun to expire.
 */
export async function rebuild(deps: Bare, at: number): Promise<void> {
  const { store } = deps;
  const now = deps.clock.now();
  if (now - startOf(at) > KEEP_RECORDS_MS - DAY_MS)
    throw fail("input.invalid", "The records of that day have begun to expire", { remedy: "Keep its roll-up." });
  await Store.write(store, { kind: "delete", key: Keys.rollupAgain(at) });
  while (!(await remake(store, at, now, PAGES_PER_RUN, true)).done);
}

/** The first day (ms of its start) whose roll-up is not done with; never later than yesterday, in case a clock was ahead. */
export async function unfinishedFrom(store: Store.Store, now: number): Promise<number> {
  const pointer = (await Store.get(store, POINTER)) as { from?: number } | undefined;
  const today = startOf(now);
  return Math.min(pointer?.from ?? today - (WINDOW_DAYS - 1) * DAY_MS, today - DAY_MS);
}

export function startOf(at: number): number {
  return at - (at % DAY_MS);
}

/** One step of making a day again: beside the roll-up, then in its place at once, so that readers never see half of it. */
async function remake(store: Store.Store, at: number, now: number, pages: number, force = false): Promise<Progress> {
  const main = (await Store.get(store, Keys.rollup(at))) as RollupItem | undefined;
  if (main?.final && !force) return { folded: 0, pages: 1, done: true };
  const beside = Keys.rollupAgain(at);
  const progress = await advance(store, beside, at, now - FOLD_LAG_MS, pages);
  const again = progress.done ? ((await Store.get(store, beside)) as RollupItem | undefined) : undefined;
  if (!again) return progress;
  const over = now >= startOf(at) + DAY_MS + REMAKE_AFTER_MS;
  const swapped = await Store.tx(store, [
    { kind: "put", item: { ...again, ...Keys.rollup(at), ...(over ? { final: true } : {}) } },
    { kind: "delete", key: beside, if: { watermark: Store.eq("watermark", again.watermark) } },
  ]);
  return { ...progress, done: swapped.ok };
}

/** Remembers that a day is done with; never goes back. */
async function finished(store: Store.Store, at: number): Promise<void> {
  const from = startOf(at) + DAY_MS;
  await Store.write(store, {
    kind: "update",
    key: POINTER,
    set: { ent: "config", from },
    if: { forward: Store.any(Store.absent("from"), Store.lt("from", from)) },
  });
}
