import type { Deps } from "../../ground/deps.ts";
import * as Store from "../../ground/store/index.ts";
import { Keys } from "../../ground/store/index.ts";
import * as Task from "../../work/task/index.ts";

/** Parked tasks that are looked at a page. */
const PAGE = 200;

/** Wakes tasks that are parked with one of these reasons' beginnings: the event that ends their waiting came. */
export async function wake(deps: Pick<Deps, "store">, matches: (reason: string) => boolean): Promise<void> {
  let cursor: string | undefined;
  do {
    const page = await Store.query(deps.store, {
      index: "gsi3",
      pk: Keys.DELAYED,
      limit: PAGE,
      ...(cursor === undefined ? {} : { cursor }),
    });
    for (const item of page.items) {
      const row = await Task.row(deps.store, item.pk.slice(2));
      if (row?.status === "pending" && matches(row.wait_reason ?? "")) await Store.write(deps.store, Task.wake(row));
    }
    cursor = page.cursor;
  } while (cursor !== undefined);
}
