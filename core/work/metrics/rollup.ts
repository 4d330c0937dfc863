import { day } from "../../ground/clock.ts";
import type * as Store from "../../ground/store/index.ts";
import type { MetricRow } from "./record.ts";
import * as Tally from "./tally.ts";

export const DAY_MS = 86_400_000;
/** The window of every answer: today and six days before. */
export const WINDOW_DAYS = 7;

/** What the records of one UTC day come to. */
export type Rollup = {
  /** What that day's records say of their own day. */
  own: Tally.Tally;
  /** Ends of a day (`yyyymmdd`) that this day's records take back, as negative counts. */
  out: Map<string, Tally.Tally>;
};

/** A roll-up as it lies in the table (`METR` / `<yyyymmdd>`). It is a function of the records up to `watermark` and of nothing else. */
export type RollupItem = Store.Key & {
  ent: "rollup";
  v: 1;
  /** The sort key of the last record in it. */
  watermark: string;
  records: number;
  json: string;
  /** Made once more from its records after the day was over: nothing follows. */
  final?: true;
};

export function empty(): Rollup {
  return { own: Tally.empty(), out: new Map() };
}

/** Counts a record in. An end that can share no window with this record is left where it is. */
export function apply(rollup: Rollup, row: MetricRow): void {
  if (row.takes_out === undefined) return Tally.addRecord(rollup.own, row, 1);
  if (row.takes_out < day(row.created_at - (WINDOW_DAYS - 1) * DAY_MS)) return;
  const out = rollup.out.get(row.takes_out) ?? Tally.empty();
  rollup.out.set(row.takes_out, out);
  Tally.addRecord(out, row, -1);
}

/** The sum of a window's days; what they take out of days outside it is not in the sum either. */
export function sum(rollups: readonly Rollup[], days: ReadonlySet<string>): Tally.Tally {
  const total = Tally.empty();
  for (const { own, out } of rollups) {
    Tally.merge(total, own);
    for (const [of, tally] of out) if (days.has(of)) Tally.merge(total, tally);
  }
  return total;
}

export function encode(rollup: Rollup): string {
  return JSON.stringify({
    own: Tally.pack(rollup.own),
    out: [...rollup.out].map(([of, tally]) => [of, Tally.pack(tally)]),
  });
}

export function decode(json: string): Rollup {
  const { own, out } = JSON.parse(json) as { own: Tally.Packed; out: [string, Tally.Packed][] };
  return { own: Tally.unpack(own), out: new Map(out.map(([of, tally]) => [of, Tally.unpack(tally)])) };
}

/** As `decode`; undefined for what is no roll-up, so that it can be made again from its records. */
export function decodeOrUndefined(json: unknown): Rollup | undefined {
  try {
    return decode(String(json));
  } catch {
    return undefined;
  }
}
