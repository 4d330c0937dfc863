import type { Deps } from "../../ground/deps.ts";
import * as Store from "../../ground/store/index.ts";
import { Keys } from "../../ground/store/index.ts";

/** The last run of a schedule (`PING` / `<schedule>`). Times in ms since the epoch. */
export type Ping = {
  schedule: string;
  at: number;
  ok: boolean;
  /** How long the run took. */
  ms: number;
  /** One line for a person. */
  detail: string;
  /** The last run that was well; absent when none ever was. */
  ok_at?: number;
};

/** Notes that a schedule ran, and how; every run of every schedule ends with it. */
export async function ping(
  deps: Pick<Deps, "store" | "clock">,
  schedule: string,
  run: Pick<Ping, "ok" | "ms" | "detail">,
): Promise<void> {
  const at = deps.clock.now();
  await Store.write(deps.store, {
    kind: "update",
    key: Keys.ping(schedule),
    set: { ent: "ping", schedule, at, ...run, detail: run.detail.slice(0, 1000), ...(run.ok ? { ok_at: at } : {}) },
  });
}

/** The last ping of every schedule that ever ran. */
export async function pings(deps: Pick<Deps, "store">): Promise<Ping[]> {
  return (await Store.queryAll(deps.store, { pk: Keys.PINGS })) as unknown as Ping[];
}
