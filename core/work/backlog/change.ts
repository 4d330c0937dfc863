import * as Store from "../../ground/store/index.ts";
import { Keys } from "../../ground/store/index.ts";
import type { ItemRow } from "./row.ts";

/** What a step changes on an item; `null` clears a field. */
export type ItemChange = {
  [
    K in "state" | "phase" | "round" | "seq" | "rank" | "text" | "section" | "phase_number" | "spent_before_usd"
  ]?: ItemRow[K];
} & { [K in "task" | "base" | "head" | "merge_tip" | "last" | "started_at" | "ended_at"]?: ItemRow[K] | null };

/**
 * The write that moves an item on, as part of another's transaction: conditional on the state, the task and the round that
 * were read, so that a second or late one changes nothing.
 */
export function advance(item: ItemRow, change: ItemChange, now: number): Store.Write {
  const set = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== null && value !== undefined));
  const remove = Object.entries(change)
    .filter(([, value]) => value === null)
    .map(([key]) => key);
  return {
    kind: "update",
    key: { pk: item.pk, sk: item.sk },
    set: {
      ...set,
      updated_at: now,
      ...placeOf({
        ...item,
        state: change.state ?? item.state,
        rank: change.rank ?? item.rank,
        phase_number: change.phase_number === undefined ? item.phase_number : change.phase_number,
      }),
    },
    remove,
    if: {
      state: Store.eq("state", item.state),
      round: Store.eq("round", item.round),
      seq: Store.eq("seq", item.seq),
      task: item.task === undefined ? Store.absent("task") : Store.eq("task", item.task),
    },
  };
}

/** Where an item stands in the index. */
export function placeOf(item: Pick<ItemRow, "backlog" | "state" | "rank" | "id" | "phase_number">) {
  return Keys.byItemState(item.backlog, item.state, item.rank, item.id, item.phase_number ?? null);
}
