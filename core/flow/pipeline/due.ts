import type { Deps } from "../../ground/deps.ts";
import * as Store from "../../ground/store/index.ts";
import { Keys } from "../../ground/store/index.ts";
import * as Task from "../../work/task/index.ts";

/**
 * Tasks whose waiting is over by now, parked ones and due questions alike, the longest due first; at most `limit` are looked at.
 * Each is read when it is its turn: what was done for the one before may have moved it.
 */
export async function* dueTasks(deps: Deps, limit: number): AsyncGenerator<Task.TaskRow> {
  const page = await Store.query(deps.store, {
    index: "gsi3",
    pk: Keys.DELAYED,
    sk: { to: Keys.dueBy(deps.clock.now()) },
    limit,
  });
  for (const item of page.items) {
    const row = await Task.row(deps.store, item.pk.slice(2));
    if (row) yield row;
  }
}
