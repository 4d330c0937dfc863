import type { Deps } from "../../ground/deps.ts";
import { messageOf } from "../../ground/errors.ts";
import * as Metrics from "../../work/metrics/index.ts";
import * as Provider from "../../work/provider/index.ts";
import * as Spend from "../../work/spend/index.ts";

/** A provider as its last probe left it. Times in ms. */
export type Provided = {
  readiness: Provider.ReadinessRow;
  /** What it itself failed with and waits out. */
  cooldowns: Provider.CooldownRow[];
  /** Null: this process has no provider of that name. */
  provider: Provider.Provider | null;
  /** What may not be asked now, a key's cooldown for every provider that it pays for. */
  cooling: Provider.Cooling[];
  /** Null: it costs nothing, or what it cost cannot be read now. */
  spent: { today: Metrics.Spent; window: Metrics.Spent } | null;
};

/** A limit on what is paid, for all providers together. */
export type Limit = {
  name: "8h_limit" | "1w_limit" | "day_cost_usd";
  used: number;
  limit: number;
  allowed: number;
  /** When some of it is free again, in ms. */
  renews_at: number;
  warn: boolean;
};

const DAY = 86_400_000;
const NOTHING: Metrics.Spent = { runs: 0, cost_usd: 0, coverage: null };

/** Who can work, who cools down, and what was paid. What cannot be read is unknown; the rest is said. */
export async function providers(
  deps: Deps,
  known: readonly Provider.Provider[],
): Promise<{ rows: Provided[]; limits: Limit[] | null }> {
  const [{ readiness, cooldowns }, spent, limits] = await Promise.all([
    Provider.health(deps),
    orNull(deps, () => Metrics.spentByProvider(deps)),
    orNull(deps, () => limitsOf(deps)),
  ]);
  const now = deps.clock.now();
  const open = cooldowns.filter((row) => Provider.standing(row, now).kind === "open");
  const cooling = Provider.cooling(cooldowns, known, now);
  const rows = readiness.map((row): Provided => {
    const provider = known.find(({ name }) => name === row.name) ?? null;
    return {
      readiness: row,
      cooldowns: open.filter((one) => one.provider === row.name),
      provider,
      cooling: cooling.filter((one) => one.provider === row.name),
      spent:
        spent && provider?.capabilities.paid
          ? { today: spent.today.get(row.name) ?? NOTHING, window: spent.window.get(row.name) ?? NOTHING }
          : null,
    };
  });
  return { rows, limits };
}

/** The limits that are set. */
async function limitsOf(deps: Deps): Promise<Limit[]> {
  const { cost } = deps.config;
  const now = deps.clock.now();
  const [windows, today] = await Promise.all([
    Spend.paidWindows(deps, cost),
    cost.dayMax > 0 ? Metrics.costOfDay(deps, now) : 0,
  ]);
  const day = {
    name: "day_cost_usd" as const,
    used: today,
    limit: cost.dayMax,
    allowed: cost.dayMax,
    renews_at: (Math.floor(now / DAY) + 1) * DAY,
    warn: Spend.isNearEnd(today, cost.dayMax),
  };
  return [
    ...windows.map(({ name, used, limit, allowed, frees_at }) => ({
      name,
      used,
      limit,
      allowed,
      renews_at: frees_at,
      warn: Spend.isNearEnd(used, allowed),
    })),
    ...(cost.dayMax > 0 ? [day] : []),
  ];
}

async function orNull<T>(deps: Deps, read: () => Promise<T>): Promise<T | null> {
  try {
    return await read();
  } catch (error) {
    deps.log.warn({ error: messageOf(error) }, "what was paid could not be read");
    return null;
  }
}
