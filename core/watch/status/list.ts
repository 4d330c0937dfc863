import type { Deps } from "../../ground/deps.ts";
import * as Store from "../../ground/store/index.ts";
import { Keys } from "../../ground/store/index.ts";
import * as Metrics from "../../work/metrics/index.ts";
import { Status, type TaskType } from "../../work/task/index.ts";
import * as Cursor from "./cursor.ts";
import type { ListRow } from "./item.ts";
import { entries, merged, ofStatus, ofType, type Entry, type Source } from "./source.ts";

/** Rows that one answer may have. */
export const MAX_ROWS = 100;

type Bare = Pick<Deps, "store" | "clock">;

export type ListQuery = {
  status?: Status | undefined;
  task_type?: TaskType | undefined;
  /** 1 to MAX_ROWS. */
  limit: number;
  /** From 0; counted from the cursor when there is one. What lies before it is read: far in a list the cursor is quicker. */
  offset: number;
  cursor?: string | undefined;
};

/** One page. `cursor` is there when more follows. */
export type Listed<Row = ListRow> = { rows: Row[]; total: number; cursor?: string };

/**
 * Tasks, newest first; `total` counts what the filters leave, before paging. Throws `input.cursor` (400) for a cursor of another
 * list.
 */
export async function list(deps: Bare, query: ListQuery): Promise<Listed> {
  const { status, task_type } = query;
  return page(deps, await sourcesOf(deps, status, task_type), `list#${status ?? ""}#${task_type ?? ""}`, query);
}

/** Tasks that a person should look at, asking or failed, newest first, with their output; `total` is before `limit`. */
export async function attention(
  deps: Bare,
  query: { limit: number },
): Promise<Listed<ListRow & { output: string | null }>> {
  const { by_status } = await Metrics.counts(deps);
  const sources = (["needs_decision", "failed"] as const).map((status) => ofStatus(status, by_status[status] ?? 0));
  const { rows, total } = await page(deps, sources, "attention", { ...query, offset: 0 });
  const outputs = await Store.getMany(
    deps.store,
    rows.map((row) => Keys.taskPart(row.id, "output")),
  );
  const text = (part: Store.Item | undefined) =>
    typeof part?.json === "string" ? (JSON.parse(part.json) as string) : null;
  return { rows: rows.map((row, i) => ({ ...row, output: text(outputs[i]) })), total };
}

async function sourcesOf(deps: Bare, status?: Status, type?: TaskType): Promise<Source[]> {
  if (type !== undefined) {
    const counts = await Promise.all(
      Status.options.map(async (one) => [one, await Metrics.countsByType(deps, one)] as const),
    );
    const ofThisType = counts.reduce((sum, [, types]) => sum + (types[type] ?? 0), 0);
    if (status === undefined) return [ofType(type, ofThisType)];
    const types = counts.find(([one]) => one === status)?.[1] ?? {};
    const ofThisStatus = Object.values(types).reduce((sum, n) => sum + n, 0);
    const both = types[type] ?? 0;
    // By whichever index has less to leave out: a status has many tasks of other types, or a type of other statuses.
    return [ofThisType < ofThisStatus ? ofType(type, both, status) : ofStatus(status, both, type)];
  }
  const { by_status } = await Metrics.counts(deps);
  return (status === undefined ? Status.options : [status]).map((one) => ofStatus(one, by_status[one] ?? 0));
}

async function page(
  deps: Bare,
  sources: Source[],
  list: string,
  query: Pick<ListQuery, "limit" | "offset" | "cursor">,
): Promise<Listed> {
  const { limit, offset } = query;
  const from = query.cursor === undefined ? undefined : Cursor.decode(list, query.cursor);
  const seen: Record<string, number> = Object.fromEntries(sources.map(({ name }) => [name, from?.seen[name] ?? 0]));
  const walk = merged(
    sources.map((source) =>
      entries(deps.store, source, {
        now: deps.clock.now(),
        limit: Math.min(Store.MAX_LIMIT, offset + limit),
        ...(from === undefined ? {} : { after: from.after }),
        seen: seen[source.name] ?? 0,
      }),
    ),
  );
  const total = sources.reduce((sum, source) => sum + source.expected, 0);
  if (offset >= total) return { rows: [], total };
  const taken: Entry[] = [];
  let passed = 0;
  for await (const entry of walk) {
    seen[entry.source] = (seen[entry.source] ?? 0) + 1;
    if (passed++ >= offset) taken.push(entry);
    if (taken.length >= limit) break;
  }
  const last = taken.at(-1);
  const reached = Object.values(seen).reduce((sum, n) => sum + n, 0);
  return {
    rows: await rowsOf(deps, taken),
    total,
    ...(last && taken.length === limit && reached < total
      ? { cursor: Cursor.encode(list, { after: last.at, seen }) }
      : {}),
  };
}

/** The type index holds keys alone: those rows are read. */
async function rowsOf(deps: Bare, taken: Entry[]): Promise<ListRow[]> {
  const missing = taken.filter(({ row }) => row === undefined).map(({ task }) => task);
  const read = (await Store.getMany(deps.store, missing)) as unknown as (ListRow | undefined)[];
  return taken.map(({ row }) => row ?? read.shift()).filter((row) => row !== undefined);
}
