import type { Deps } from "../../ground/deps.ts";
import * as Store from "../../ground/store/index.ts";
import { Keys } from "../../ground/store/index.ts";

/** A provider that an operator paused (`PROV` / `H#<provider>`). Time in ms. */
export type HoldRow = { provider: string; since: number; reason: string };

/** Takes a provider out of every plan until it is let go. */
export async function hold(deps: Pick<Deps, "store" | "clock">, provider: string, reason: string): Promise<void> {
  const row: HoldRow = { provider, since: deps.clock.now(), reason };
  await Store.write(deps.store, { kind: "put", item: { ...Keys.providerHold(provider), ent: "hold", v: 1, ...row } });
}

/** Ends a hold; nothing when there is none. */
export async function letGo(deps: Pick<Deps, "store">, provider: string): Promise<void> {
  await Store.write(deps.store, { kind: "delete", key: Keys.providerHold(provider) });
}
