import type { Deps } from "../../ground/deps.ts";
import * as Store from "../../ground/store/index.ts";
import { Keys } from "../../ground/store/index.ts";
import { kindOf } from "./grammar.ts";
import { MAX_ITEMS } from "./push.ts";
import { STATES, type ItemRow, type ItemState } from "./row.ts";

/** Where an item stands, as the index shows it. */
export type Standing = Pick<ItemRow, "id" | "kind" | "rank" | "phase_number" | "state">;

/** States of items whose line is in the file. */
const THERE = STATES.filter((state) => state !== "retired");

/**
 * Where each item of a backlog stands whose line is in its file: one query a state of the index, which has no texts in it. A
 * hint where the index lags.
 */
export async function standings(deps: Pick<Deps, "store">, backlogId: string): Promise<Standing[]> {
  const pages = await Promise.all(
    THERE.map(async (state) => {
      const pk = Keys.itemStatePartition(backlogId, state);
      // Product and meta share a backlog, each with so many items.
      const items = await Store.queryAll(deps.store, { index: "gsi1", pk }, 2 * MAX_ITEMS);
      return items.map((item) => standing(item, state));
    }),
  );
  return pages.flat();
}

/** How many items of a backlog are in a state; a hint where the index lags. */
export function countIn(deps: Pick<Deps, "store">, backlogId: string, state: ItemState): Promise<number> {
  return Store.countOf(deps.store, { index: "gsi1", pk: Keys.itemStatePartition(backlogId, state) });
}

/** The first queued item, product before meta, or undefined; looks at the first hundred. */
export async function nextQueued(deps: Pick<Deps, "store">, backlogId: string): Promise<Standing | undefined> {
  const pk = Keys.itemStatePartition(backlogId, "queued");
  const { items } = await Store.query(deps.store, { index: "gsi1", pk, limit: 100 });
  const queued = items.map((item) => standing(item, "queued"));
  return queued.find(({ kind }) => kind === "product") ?? queued[0];
}

function standing(item: Store.Item, state: ItemState): Standing {
  const { rank, id, phaseNumber } = Keys.itemPlace(String(item.gsi1sk));
  return { id, kind: kindOf(id), rank, phase_number: phaseNumber, state };
}
