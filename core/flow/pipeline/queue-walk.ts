import type { Deps } from "../../ground/deps.ts";
import * as Store from "../../ground/store/index.ts";
import { Keys } from "../../ground/store/index.ts";

/** Tasks that a run looks at from the queue's head, and again as many behind the place where the run before it stopped. */
const LOOKED_AT = 100;

/**
 * The ids of the tasks that a run of dispatch looks at, by the queue's order. Those that cannot be started stay where they are, so
 * a run that met none but them goes on behind `walked`, the place that the one before it came to: its head is looked at by every
 * run, and the rest by and by. Returns the place it came to, "" for the end: then the next begins anew.
 */
export async function* walkQueue(
  deps: Pick<Deps, "store" | "config">,
  walked: string,
): AsyncGenerator<string, string, undefined> {
  const head = yield* behind(deps, "");
  if (head === "") return "";
  return yield* behind(deps, head > walked ? head : walked);
}

async function* behind(deps: Pick<Deps, "store" | "config">, begin: string): AsyncGenerator<string, string, undefined> {
  let place = begin;
  // Most runs need no more than the head.
  const limit = Math.min(LOOKED_AT, deps.config.workers + 2);
  for (let left = LOOKED_AT; left > 0; left -= limit) {
    const page = await Store.query(deps.store, {
      index: "gsi3",
      pk: Keys.queuePartition("pipeline"),
      // A NUL behind the last place: the next one that there can be.
      ...(place === "" ? {} : { sk: { from: `${place}\0` } }),
      limit: Math.min(left, limit),
    });
    for (const item of page.items) {
      yield item.pk.slice(2);
      place = String(item.gsi3sk);
    }
    if (page.cursor === undefined) return "";
  }
  return place;
}
