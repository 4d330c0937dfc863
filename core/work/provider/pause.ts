import type { Deps } from "../../ground/deps.ts";
import * as Store from "../../ground/store/index.ts";
import { Keys } from "../../ground/store/index.ts";

/** A provider that an operator paused (`PROV` / `H#<provider>`). Time in ms. */
export type PauseRow = { provider: string; since: number; reason: string };

/** Takes a provider out of every plan until it is resumed. */
export async function pause(deps: Pick<Deps, "store" | "clock">, provider: string, reason: string): Promise<void> {
  const row: PauseRow = { provider, since: deps.clock.now(), reason };
  await Store.write(deps.store, { kind: "put", item: { ...Keys.providerPause(provider), ent: "pause", v: 1, ...row } });
}

/** Ends a pause; nothing when there is none. */
export async function resume(deps: Pick<Deps, "store">, provider: string): Promise<void> {
  await Store.write(deps.store, { kind: "delete", key: Keys.providerPause(provider) });
}
