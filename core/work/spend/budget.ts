import type { Config } from "../../ground/config.ts";
import type { PaidWindow } from "./window.ts";

/** A sum that may be spent, in US dollars. */
export type Budget = {
  scope: "task" | "item" | "day";
  spent: number;
  limit: number;
  /** When a new one begins by itself, in ms; absent: only a person can raise it. */
  renews?: number;
};

/** Why no more may be paid, for now or until a person raises a limit. `until` in ms. */
export type Stop = {
  /** The contract's word for the friction (5.2). */
  guard: "cost_overrun" | "usage_window_budget_exceeded";
  message: string;
  remedy: string;
  until?: number;
};

export type Weighed = {
  stops: Stop[];
  /** Budgets of which at least `WARN_AT` is spent, and not all. */
  warnings: string[];
  /** US dollars that one more run may cost; absent: no bound. */
  left?: number;
};

/** The share of a budget from which on it is warned. */
const WARN_AT = 0.8;
/** What an estimate of nothing still allows (contract 3.6). */
const LEAST_USD = 0.0001;

const REMEDY: Record<Budget["scope"], string> = {
  task: "Raise max_cost_usd in the task's context (or AGENT_TASK_MAX_COST_USD), make the task smaller, or add a provider that costs nothing.",
  item: "Raise PIPELINE_ITEM_MAX_COST_USD, split the item, or add a provider that costs nothing.",
  day: "Nothing: it goes on by itself tomorrow (UTC). To go on sooner, raise PIPELINE_DAY_MAX_COST_USD.",
};

/** Whether so much of a budget is used that it is warned, all of it included. Pure. */
export function isNearEnd(used: number, allowed: number): boolean {
  return used >= allowed * WARN_AT;
}

/** What budgets and windows leave. Pure. */
export function weigh(budgets: readonly Budget[], windows: readonly PaidWindow[]): Weighed {
  const stops: Stop[] = budgets
    .filter(({ spent, limit }) => spent >= limit)
    .map((one) => ({
      guard: "cost_overrun",
      message: `the ${one.scope}'s cost budget is spent: ${usd(one.spent)} of ${usd(one.limit)}`,
      remedy: REMEDY[one.scope],
      ...(one.renews === undefined ? {} : { until: one.renews }),
    }));
  const full = windows.filter((one) => one.used >= one.allowed);
  if (full.length > 0)
    stops.push({
      guard: "usage_window_budget_exceeded",
      message: `Paid-provider usage blocked by window policy: ${full
        .map((one) => `${one.name} used=${one.used}/${one.limit}, allowed=${one.allowed} (fraction=${one.fraction})`)
        .join("; ")}`,
      remedy: "Nothing: it goes on by itself. To go on sooner, raise PAID_TOOL_8H_LIMIT or PAID_TOOL_WEEK_LIMIT.",
      until: Math.max(...full.map((one) => one.frees_at)),
    });
  const left = budgets.map(({ spent, limit }) => limit - spent);
  return {
    stops,
    warnings: budgets
      .filter(({ spent, limit }) => spent < limit && isNearEnd(spent, limit))
      .map((one) => `${usd(one.spent)} of the ${one.scope}'s cost budget of ${usd(one.limit)} are spent`),
    ...(left.length === 0 ? {} : { left: Math.max(0, Math.min(...left)) }),
  };
}

/**
 * What a task may cost in US dollars (contract 3.6): its own word before the setting, a limit before an estimate with its slack;
 * undefined: no bound. Zero and below are as if not set.
 */
export function taskLimit(context: Readonly<Record<string, unknown>>, config: Config["cost"]): number | undefined {
  const limit = positive(context.max_cost_usd) ?? positive(context.max_cost) ?? positive(config.taskMax);
  if (limit !== undefined) return limit;
  const estimate =
    positive(context.estimated_cost_usd) ?? positive(context.estimated_cost) ?? positive(config.taskEstimate);
  if (estimate === undefined) return undefined;
  const slack = Math.max(1, positive(context.cost_slack_ratio) ?? config.slack);
  return Math.max(estimate * slack, LEAST_USD);
}

function positive(value: unknown): number | undefined {
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) && number > 0 ? number : undefined;
}

function usd(value: number): string {
  return `$${value.toFixed(value < 1 ? 4 : 2)}`;
}
