import type { Deps } from "../../ground/deps.ts";
import { fail } from "../../ground/errors.ts";
import * as Store from "../../ground/store/index.ts";
import { Keys } from "../../ground/store/index.ts";
import * as Metrics from "../../work/metrics/index.ts";
import { Status, type TaskType } from "../../work/task/index.ts";
import * as Cursor from "./cursor.ts";
import type { ListRow } from "./item.ts";
import { entries, merged, ofStatus, ofType, type Entry, type Source } from "./source.ts";

/** Further than this a list is walked by its cursor. */
export const MAX_OFFSET = 10_000;
/** Rows that one answer may have. */
export const MAX_ROWS = 100;

type Bare = Pick<Deps, "store" | "clock">;

export type ListQuery = {
  status?: Status | undefined;
  task_type?: TaskType | undefined;
  /** 1 to MAX_ROWS. */
  limit: number;
  /** 0 to MAX_OFFSET; counted from the cursor when there is one. */
  offset: number;
  cursor?: string | undefined;
};

/** One page. `cursor` is there when more follows. */
export type Listed<Row = ListRow> = { rows: Row[]; total: number; cursor?: string };

/**
 * Tasks, newest first; `total` counts what the filters leave, before paging. Throws `input.invalid` (422) for an offset
 * over MAX_OFFSET, naming `cursor`, and `input.cursor` (400) for a cursor of another list.
 */
export async function list(deps: Bare, query: ListQuery): Promise<Listed> {
  const { status, task_type } = query;
  if (query.offset > MAX_OFFSET)
    throw fail("input.invalid", `offset may be at most ${MAX_OFFSET}: go on with cursor instead`, {
      remedy: "Pass the cursor of the last answer.",
      data: { loc: ["query", "offset"] },
    });
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
  if (status !== undefined && type !== undefined)
    return [ofStatus(status, (await Metrics.countsByType(deps, status))[type] ?? 0, type)];
  if (type !== undefined) {
    const counts = await Promise.all(Status.options.map((one) => Metrics.countsByType(deps, one)));
    return [
      ofType(
        type,
        counts.reduce((sum, types) => sum + (types[type] ?? 0), 0),
      ),
    ];
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
  const taken: Entry[] = [];
  let passed = 0;
  for await (const entry of walk) {
    seen[entry.source] = (seen[entry.source] ?? 0) + 1;
    if (passed++ >= offset) taken.push(entry);
    if (taken.length >= limit) break;
  }
  const total = sources.reduce((sum, source) => sum + source.expected, 0);
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
