import { DAY_MS, decodeOrUndefined, sum, WINDOW_DAYS, type RollupItem } from "./rollup.ts";
import * as Store from "../../ground/store/index.ts";
import { Keys } from "../../ground/store/index.ts";

const TYPICAL = Keys.config("typical-run");

/**
 * Keeps how long an attempt of the window took on average, for readers that may not cost a window's roll-ups each time. `today`:
 * the start of the present day in ms.
 */
export async function keepTypical(store: Store.Store, today: number): Promise<void> {
  const keys = Array.from({ length: WINDOW_DAYS }, (_, i) => Keys.rollup(today - i * DAY_MS));
  const items = (await Store.getMany(store, keys)) as (RollupItem | undefined)[];
  const rollups = items.flatMap((item) => decodeOrUndefined(item?.json) ?? []);
  const { runs, run_ms } = sum(rollups, new Set(keys.map(({ sk }) => sk))).all;
  if (runs <= 0) return;
  await Store.write(store, { kind: "update", key: TYPICAL, set: { ent: "config", run_ms: run_ms / runs } });
}

/** Ms that an attempt took on average lately, as far as it is folded; null where nothing is. One small read. */
export async function typicalRunMs(deps: { store: Store.Store }): Promise<number | null> {
  const item = await Store.get(deps.store, TYPICAL);
  return typeof item?.run_ms === "number" ? item.run_ms : null;
}
