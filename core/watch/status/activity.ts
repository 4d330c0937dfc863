import type { Deps } from "../../ground/deps.ts";
import * as Store from "../../ground/store/index.ts";
import { Keys } from "../../ground/store/index.ts";
import * as Pipeline from "../../flow/pipeline/index.ts";
import type { AttemptRow } from "../../work/attempt/index.ts";

/** As many of each are looked at: whether something moves shows in the first few. */
const LOOK = 100;

/**
 * Since when (ms) the oldest of the tasks waits that may start now, of ours and of outside runners; null when none may. While all is
 * paused none of ours may.
 */
export async function dueSince(deps: Pick<Deps, "store">): Promise<number | null> {
  const { pauses } = await Pipeline.readLock(deps);
  const pages = await Promise.all(
    (Pipeline.isPaused({ pauses }) ? ["external"] : ["pipeline", "external"]).map((queue) =>
      Store.query(deps.store, { index: "gsi3", pk: Keys.queuePartition(queue), limit: LOOK }),
    ),
  );
  const times = pages.flatMap(({ items }) => items.map((item) => Number(String(item.gsi3sk).split("#")[1])));
  return times.length > 0 ? Math.min(...times) : null;
}

/** When an attempt that is still open last began or renewed its lease (ms), null when none is open. */
export async function lastHeartbeat(deps: Pick<Deps, "store">): Promise<number | null> {
  const open = await Store.query(deps.store, {
    index: "gsi1",
    pk: Keys.OPEN_ATTEMPTS,
    limit: LOOK,
    descending: true,
  });
  const attempts = await Store.getMany(
    deps.store,
    open.items.map(({ pk, sk }) => ({ pk, sk })),
  );
  const times = (attempts as unknown as (AttemptRow | undefined)[])
    .filter((attempt) => attempt !== undefined)
    .map((attempt) => Math.max(attempt.claimed_at, attempt.lease_until - attempt.lease_ms));
  return times.length > 0 ? Math.max(...times) : null;
}
