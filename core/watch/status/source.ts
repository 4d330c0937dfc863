import * as Clock from "../../ground/clock.ts";
import * as Store from "../../ground/store/index.ts";
import { Keys } from "../../ground/store/index.ts";
import * as Metrics from "../../work/metrics/index.ts";
import type { Status, TaskType } from "../../work/task/index.ts";
import type { ListRow } from "./item.ts";

/** Ended tasks and types lie in a partition a month: so many months back a list looks when the counters promise more. */
const MAX_MONTHS = 120;

/** One order of tasks, newest first, over one or many partitions of an index. */
export type Source = {
  name: string;
  index: "gsi1" | "gsi2";
  /** The partition of the tasks that were created in the month of `at` (ms). */
  partition(at: number): string;
  monthly: boolean;
  /** Set: only tasks of this type, or of this status, count. */
  type?: TaskType;
  status?: Status;
  /** How many tasks it holds: reached, no older month is asked for. */
  expected: number;
};

/** An entry of a source: `at` is its place (`<created>#<id>`); `row` where the index holds it. */
export type Entry = { source: string; at: string; task: Store.Key; row: ListRow | undefined };

/** All tasks of a status. */
export function ofStatus(status: Status, expected: number, type?: TaskType): Source {
  return {
    name: status,
    index: "gsi1",
    partition: (at) => Keys.statusPartition(status, at),
    monthly: !Metrics.isLive(status),
    ...(type === undefined ? {} : { type }),
    expected,
  };
}

/** All tasks of a type, of one status where it is given. */
export function ofType(type: TaskType, expected: number, status?: Status): Source {
  return {
    name: type,
    index: "gsi2",
    partition: (at) => Keys.typePartition(type, at),
    monthly: true,
    ...(status === undefined ? {} : { status }),
    expected,
  };
}

/** Rows that a source which leaves some out reads at a time at least; of keys alone as many as one read brings the rows of. */
const FILTERED_PAGE = { gsi1: 500, gsi2: 100 };

/** The entries of a source, newest first, those behind `after`; reads a page of `limit` at a time, and only when asked for more. */
export async function* entries(
  store: Store.Store,
  source: Source,
  options: { now: number; limit: number; after?: string; seen: number },
): AsyncGenerator<Entry> {
  const { after } = options;
  const filters = source.type !== undefined || source.status !== undefined;
  const limit = filters ? FILTERED_PAGE[source.index] : options.limit;
  let count = options.seen;
  const begin = after === undefined ? options.now : Number(after.split("#")[0]);
  for (let month = 0; month < (source.monthly ? MAX_MONTHS : 1); month++) {
    if (count >= source.expected) return;
    let cursor: string | undefined;
    do {
      const page = await Store.query(store, {
        index: source.index,
        pk: source.partition(Clock.monthsBefore(begin, month)),
        ...(after === undefined ? {} : { sk: { to: after } }),
        limit,
        descending: true,
        ...(cursor === undefined ? {} : { cursor }),
      });
      // The type index holds keys alone.
      const rows = source.status === undefined ? [] : await Store.getMany(store, page.items);
      for (const [i, item] of page.items.entries()) {
        const at = String(item[`${source.index}sk`]);
        const row = (source.index === "gsi1" ? item : rows[i]) as ListRow | undefined;
        if (at === after || (source.type !== undefined && row?.task_type !== source.type)) continue;
        if (source.status !== undefined && row?.status !== source.status) continue;
        count++;
        yield { source: source.name, at, task: { pk: item.pk, sk: item.sk }, row };
        // What is left out is read too: no further than to the last that is wanted.
        if (filters && count >= source.expected) return;
      }
      cursor = page.cursor;
    } while (cursor !== undefined);
  }
}

/** The entries of several sources as one order, newest first; a task that moved between them meanwhile comes once. */
export async function* merged(sources: AsyncGenerator<Entry>[]): AsyncGenerator<Entry> {
  const heads = await Promise.all(sources.map(async (source) => ({ source, head: await source.next() })));
  let last: string | undefined;
  for (;;) {
    const open = heads.filter(({ head }) => !head.done) as { source: AsyncGenerator<Entry>; head: { value: Entry } }[];
    const [first, ...rest] = open;
    if (!first) return;
    const next = rest.reduce((a, b) => (b.head.value.at > a.head.value.at ? b : a), first);
    const entry = next.head.value;
    if (entry.at !== last) yield entry;
    last = entry.at;
    Object.assign(next, { head: await next.source.next() });
  }
}
