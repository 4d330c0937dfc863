import type { Config } from "../../ground/config.ts";
import type { Deps } from "../../ground/deps.ts";
import * as Store from "../../ground/store/index.ts";
import { Keys } from "../../ground/store/index.ts";

/** How many runs were paid for in the last hours (contract 3.8), of so many. Times in ms. */
export type PaidWindow = {
  name: "8h_limit" | "1w_limit";
  used: number;
  limit: number;
  allowed: number;
  fraction: number;
  /** When the next run leaves the window. */
  frees_at: number;
};

const HOUR = 3_600_000;
const WINDOWS = [
  { name: "8h_limit", hours: 8 },
  { name: "1w_limit", hours: 168 },
] as const;

type Bare = Pick<Deps, "store" | "clock">;

/** Counts one candidate's go on a paid provider, when it begins: what is under way counts too. */
export async function countPaidRun(deps: Bare): Promise<void> {
  const hour = hourOf(deps.clock.now());
  await Store.write(deps.store, {
    kind: "update",
    key: Keys.paidHour(hour),
    set: { ent: "paid_hour", v: 1, hour, exp: Math.ceil((hour + 170 * HOUR) / 1000) },
    add: { runs: 1 },
  });
}

/**
 * The windows that are limited, each counted by the hour: a run leaves its window with the whole hour it began in, so at most an
 * hour late. Empty, without a read, when none is limited.
 */
export async function paidWindows(deps: Bare, config: Config["cost"]): Promise<PaidWindow[]> {
  const limits = { "8h_limit": config.paid8h, "1w_limit": config.paidWeek };
  if (WINDOWS.every(({ name }) => limits[name] === undefined)) return [];
  const now = deps.clock.now();
  const rows = (await Store.queryAll(deps.store, {
    pk: Keys.PAID_HOURS,
    sk: { from: Keys.paidHour(hourOf(now) - 168 * HOUR).sk },
  })) as unknown as { hour: number; runs: number }[];
  return WINDOWS.flatMap(({ name, hours }) => {
    const limit = limits[name];
    if (limit === undefined) return [];
    const within = rows.filter((row) => row.hour + HOUR > now - hours * HOUR);
    const oldest = within[0]?.hour ?? hourOf(now);
    return [
      {
        name,
        limit,
        fraction: config.fraction,
        allowed: Math.max(1, Math.floor(limit * config.fraction)),
        used: within.reduce((sum, row) => sum + row.runs, 0),
        frees_at: oldest + HOUR + hours * HOUR,
      },
    ];
  });
}

function hourOf(ms: number): number {
  return Math.floor(ms / HOUR) * HOUR;
}
