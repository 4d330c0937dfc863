import { ts } from "../../ground/clock.ts";
import * as Store from "../../ground/store/index.ts";
import { Keys } from "../../ground/store/index.ts";
import type { MetricRow } from "./record.ts";
import { apply, decodeOrUndefined, empty, encode, type RollupItem } from "./rollup.ts";

/** Records of one page. */
export const PAGE = 500;

export type Progress = {
  /** Records folded. */
  folded: number;
  /** Pages read. */
  pages: number;
  /** Nothing older than `before` is left. False also when another folder was quicker: what it wrote stands. */
  done: boolean;
};

/**
 * Brings the roll-up at `key` forward over the records of the day at `at`, those before `before` (ms), at most `pages`
 * pages. Each page is one write on the condition that the watermark is still the one that was read: a repeat, a second folder or
 * a kill between read and write changes nothing.
 */
export async function advance(
  store: Store.Store,
  key: Store.Key,
  at: number,
  before: number,
  pages: number,
): Promise<Progress> {
  const progress: Progress = { folded: 0, pages: 0, done: false };
  const found = (await Store.get(store, key)) as RollupItem | undefined;
  const readable = found && decodeOrUndefined(found.json);
  const rollup = readable ?? empty();
  // One that cannot be read is made again from the first record, in its place.
  let item = readable ? found : undefined;
  let standing = found?.watermark;
  while (progress.pages < pages) {
    const page = await Store.query(store, {
      pk: Keys.metricPartition(at),
      sk: item ? { from: item.watermark, to: ts(before) } : { to: ts(before) },
      limit: PAGE,
    });
    progress.pages++;
    const rows = (page.items as unknown as MetricRow[]).filter((row) => row.sk !== item?.watermark);
    const last = rows.at(-1);
    if (last) {
      for (const row of rows) apply(rollup, row);
      const next: RollupItem = {
        ...key,
        ent: "rollup",
        v: 1,
        watermark: last.sk,
        records: (item?.records ?? 0) + rows.length,
        json: encode(rollup),
        ...(item?.final ? { final: true as const } : {}),
      };
      const written = await Store.write(store, {
        kind: "put",
        item: next,
        if: { watermark: standing === undefined ? Store.absent("watermark") : Store.eq("watermark", standing) },
      });
      if (!written.ok) return progress;
      item = next;
      standing = next.watermark;
      progress.folded += rows.length;
    }
    if (page.cursor === undefined) return { ...progress, done: true };
  }
  return progress;
}
