import type { Deps } from "../../ground/deps.ts";
import * as Telemetry from "../../work/telemetry/index.ts";

/** When the monitor runs; its row of the schedules' table is made of this. */
export const SCHEDULE: Telemetry.Schedule = { name: "monitor", everyMinutes: 2, graceMinutes: 3 };

/** `last_check`: when it last ran well, ms since the epoch; null when it never did. */
export type Freshness = { state: Telemetry.Freshness["state"]; last_check: number | null };

/** Whether the monitor runs, computed from its pings when it is asked: a dead one is seen although nothing runs. */
export async function freshness(deps: Pick<Deps, "store" | "clock">): Promise<Freshness> {
  const pings = await Telemetry.pings(deps);
  const [own] = Telemetry.freshness([SCHEDULE], pings, deps.clock.now());
  const last = pings.find(({ schedule }) => schedule === SCHEDULE.name)?.ok_at;
  return { state: own?.state ?? "never", last_check: last ?? null };
}
