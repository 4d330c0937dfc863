import type { Deps } from "../../ground/deps.ts";
import { fail } from "../../ground/errors.ts";
import * as Store from "../../ground/store/index.ts";
import { Keys } from "../../ground/store/index.ts";
import type { BacklogRow, ItemRow, ItemState } from "./row.ts";

/** Every backlog there is, by id. */
export async function list(deps: Pick<Deps, "store">): Promise<BacklogRow[]> {
  const entries = await Store.queryAll(deps.store, { pk: Keys.BACKLOGS }, 500);
  const rows: BacklogRow[] = [];
  for (let i = 0; i < entries.length; i += 100) {
    const keys = entries.slice(i, i + 100).map((entry) => Keys.backlog(entry.sk));
    rows.push(...((await Store.getMany(deps.store, keys)).filter(Boolean) as unknown as BacklogRow[]));
  }
  return rows;
}

/** The backlog that was pushed last: what is being worked through. Undefined when there is none. */
export async function current(deps: Pick<Deps, "store">): Promise<BacklogRow | undefined> {
  const rows = await list(deps);
  return rows.sort((a, b) => b.pushed_at - a.pushed_at || a.id.localeCompare(b.id))[0];
}

/** A backlog, or undefined. */
export async function backlog(deps: Pick<Deps, "store">, id: string): Promise<BacklogRow | undefined> {
  return (await Store.get(deps.store, Keys.backlog(id))) as BacklogRow | undefined;
}

/** A backlog's items in the order of the file, of one state when asked. Throws `backlog.not_found`. */
export async function items(
  deps: Pick<Deps, "store">,
  backlogId: string,
  options: { state?: ItemState | undefined } = {},
): Promise<ItemRow[]> {
  const all = (await Store.queryAll(deps.store, {
    pk: Keys.backlog(backlogId).pk,
    sk: { begins: Keys.itemsPrefix },
  })) as unknown as ItemRow[];
  if (all.length === 0 && !(await backlog(deps, backlogId)))
    throw fail("backlog.not_found", `No backlog ${backlogId}`, { remedy: "Push one: coherence backlog push FILE" });
  return all
    .filter((item) => options.state === undefined || item.state === options.state)
    .sort((a, b) => a.rank - b.rank || a.id.localeCompare(b.id));
}

/** An item, strongly consistent, or undefined. */
export async function item(deps: Pick<Deps, "store">, backlogId: string, itemId: string): Promise<ItemRow | undefined> {
  return (await Store.get(deps.store, Keys.item(backlogId, itemId))) as ItemRow | undefined;
}

/** Items of one state in the order of the file, at most `limit`; from the index, so a hint: read the item before acting on it. */
export async function inState(
  deps: Pick<Deps, "store">,
  backlogId: string,
  state: ItemState,
  limit: number,
): Promise<ItemRow[]> {
  const page = await Store.query(deps.store, { index: "gsi1", pk: Keys.itemStatePartition(backlogId, state), limit });
  const rows = await Store.getMany(
    deps.store,
    page.items.slice(0, 100).map(({ pk, sk }) => ({ pk, sk })),
  );
  return (rows as unknown as (ItemRow | undefined)[]).filter((row) => row?.state === state) as ItemRow[];
}
