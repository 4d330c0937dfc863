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
  /** Set: only tasks of this type count. */
  type?: TaskType;
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

/** All tasks of a type, whatever their status. */
export function ofType(type: TaskType, expected: number): Source {
  return { name: type, index: "gsi2", partition: (at) => Keys.typePartition(type, at), monthly: true, expected };
}

/** The entries of a source, newest first, those behind `after`; reads a page of `limit` at a time, and only when asked for more. */
export async function* entries(
  store: Store.Store,
  source: Source,
  options: { now: number; limit: number; after?: string; seen: number },
): AsyncGenerator<Entry> {
  const { after } = options;
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
        limit: options.limit,
        descending: true,
        ...(cursor === undefined ? {} : { cursor }),
      });
      for (const item of page.items) {
        const at = String(item[`${source.index}sk`]);
        const row = source.index === "gsi1" ? (item as unknown as ListRow) : undefined;
        if (at === after || (source.type !== undefined && row?.task_type !== source.type)) continue;
        count++;
        yield { source: source.name, at, task: { pk: item.pk, sk: item.sk }, row };
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
