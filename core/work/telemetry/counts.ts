import * as Store from "../../ground/store/index.ts";
import { Keys } from "../../ground/store/index.ts";
import { binOf } from "./latency.ts";

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;
/** The longest window anybody may ask for. */
export const LONGEST_WINDOW_MS = 30 * DAY_MS;

/** The shortest time that is counted (contract 6.5), in ms. */
const SHORTEST_MS = 0.1;

/** One answered request. `route` is a template as the contract writes it, never a path; `ms` from its arrival to its answer. */
export type Sample = { method: string; route: string; status: number; ms: number };

/** What requests of one route by one method in one span of time come to. Times in whole µs, so that sums are exact. */
export type Counts = {
  method: string;
  route: string;
  count: number;
  us: number;
  statuses: Map<number, number>;
  bins: Map<number, number>;
};

export function empty(method: string, route: string): Counts {
  return { method, route, count: 0, us: 0, statuses: new Map(), bins: new Map() };
}

/** Counts a request in. */
export function add(counts: Counts, { status, ms }: Sample): void {
  counts.count++;
  counts.us += Math.round(Math.max(SHORTEST_MS, ms) * 1000);
  bump(counts.statuses, status, 1);
  bump(counts.bins, binOf(ms), 1);
}

/** Adds everything of `from` to `into`. */
export function merge(into: Counts, from: Counts): void {
  into.count += from.count;
  into.us += from.us;
  for (const [status, n] of from.statuses) bump(into.statuses, status, n);
  for (const [bin, n] of from.bins) bump(into.bins, bin, n);
}

/** The write that adds counts to the item of the span which begins at `at` (ms). Counters are top-level attributes. */
export function addWrite(span: Keys.Span, at: number, counts: Counts): Store.Write {
  return {
    kind: "update",
    key: Keys.requests(span, at, counts.method, counts.route),
    set: { ent: "requests", v: 1, method: counts.method, route: counts.route, exp: expiry(span, at) },
    add: {
      n: counts.count,
      us: counts.us,
      ...Object.fromEntries([...counts.statuses].map(([status, n]) => [`s${status}`, n])),
      ...Object.fromEntries([...counts.bins].map(([bin, n]) => [`b${bin}`, n])),
    },
  };
}

/** What an item says, or undefined for one that says nothing we know: one bad item must not cost the report. */
export function fromItem(item: Store.Item): Counts | undefined {
  const { method, route, n, us } = item;
  if (typeof method !== "string" || typeof route !== "string" || !isCount(n) || !isCount(us)) return undefined;
  const counts = { ...empty(method, route), count: n, us };
  for (const [name, value] of Object.entries(item)) {
    const place = /^([sb])(\d{1,3})$/.exec(name);
    if (place && isCount(value)) (place[1] === "s" ? counts.statuses : counts.bins).set(Number(place[2]), value);
  }
  return counts;
}

/** Seconds since the epoch: when no window holds the span any more. */
function expiry(span: Keys.Span, at: number): number {
  const length = { minute: MINUTE_MS, hour: HOUR_MS, day: DAY_MS }[span];
  return Math.ceil((at + length + LONGEST_WINDOW_MS + MINUTE_MS) / 1000);
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}

function bump(map: Map<number, number>, key: number, by: number): void {
  map.set(key, (map.get(key) ?? 0) + by);
}
