import * as z from "zod";
import * as Sketch from "./sketch.ts";
import { dollars, type Cell, type Dimension, type Tally } from "./tally.ts";

const Spread = z.object({
  /** Attempts that ran something, and seconds they took on average. */
  count: z.number(),
  avg_duration: z.number(),
  /** Tasks that ended so. */
  completed: z.number(),
  failed: z.number(),
  success_rate: z.number(),
  /** Null: unknown. */
  tokens_in: z.number().nullable(),
  tokens_out: z.number().nullable(),
  cost_usd: z.number().nullable(),
});
export type Spread = z.infer<typeof Spread>;

/** Contract 4.3 and what we add to it, over today and the six days before (UTC). Times in seconds, rates 0 to 1. */
export const MetricsAnswer = z.object({
  success_rate: z.object({ completed: z.number(), failed: z.number(), total: z.number(), rate: z.number() }),
  /** Of attempts, failed ones included, without the time in the queue. */
  execution_time: z.object({ p50_seconds: z.number(), p95_seconds: z.number() }),
  queue_time: z.object({ p50_seconds: z.number(), p95_seconds: z.number() }),
  by_task_type: z.record(
    z.string(),
    z.object({ count: z.number(), completed: z.number(), failed: z.number(), success_rate: z.number() }),
  ),
  by_model: z.record(z.string(), z.object({ count: z.number(), avg_duration: z.number() })),
  by_executor: z.record(z.string(), Spread),
  by_provider: z.record(z.string(), Spread),
  by_prompt_variant: z.record(z.string(), Spread),
  by_skill_version: z.record(z.string(), Spread),
  /** Null: unknown. `coverage`: the share of candidates' runs, failed ones too, whose tokens are known; `cost_coverage`: whose cost is. */
  usage: z.object({
    tokens_in: z.number().nullable(),
    tokens_out: z.number().nullable(),
    cost_usd: z.number().nullable(),
    coverage: z.number(),
    cost_coverage: z.number(),
  }),
  /** Failed tasks, and those of them that say nothing about why. */
  diagnostics: z.object({ failed: z.number(), missing: z.number() }),
});
export type MetricsAnswer = z.infer<typeof MetricsAnswer>;

/** What a window's sum says, in the contract's words. */
export function answer(tally: Tally): MetricsAnswer {
  const { all } = tally;
  const total = all.completed + all.failed;
  return {
    success_rate: { completed: all.completed, failed: all.failed, total, rate: rate(all) },
    execution_time: percentiles(tally.run),
    queue_time: percentiles(tally.queue),
    by_task_type: table(tally, "type", (cell) => ({
      count: cell.completed + cell.failed,
      completed: cell.completed,
      failed: cell.failed,
      success_rate: rate(cell),
    })),
    by_model: table(tally, "model", (cell) => ({ count: cell.runs, avg_duration: average(cell) })),
    by_executor: table(tally, "executor", spread),
    by_provider: table(tally, "provider", spread),
    by_prompt_variant: table(tally, "variant", spread),
    by_skill_version: table(tally, "skill", spread),
    usage: {
      ...usage(all),
      coverage: share(all.tokens_known, all.goes),
      cost_coverage: share(all.cost_known, all.goes),
    },
    diagnostics: { failed: all.failed, missing: tally.missing },
  };
}

/** Names that stand for nothing any more (their only end was taken out) are left out. */
function table<T>(tally: Tally, dimension: Dimension, row: (cell: Cell) => T): Record<string, T> {
  const seen = [...tally.by[dimension]].filter(
    ([, cell]) => cell.runs > 0 || cell.completed > 0 || cell.failed > 0 || cell.goes > 0,
  );
  return Object.fromEntries(seen.map(([name, cell]) => [name, row(cell)]));
}

function spread(cell: Cell): Spread {
  return {
    count: cell.runs,
    avg_duration: average(cell),
    completed: cell.completed,
    failed: cell.failed,
    success_rate: rate(cell),
    ...usage(cell),
  };
}

/** What runs came to, those that failed over to another too: `cost_usd` null is unknown, `coverage` their share whose cost is known. */
export type Spent = { runs: number; cost_usd: number | null; coverage: number | null };

export function spent(cell: Cell): Spent {
  return {
    runs: cell.runs,
    cost_usd: usage(cell).cost_usd,
    coverage: cell.goes > 0 ? share(cell.cost_known, cell.goes) : null,
  };
}

/** Where nobody went nothing was used; where none that went said, it is unknown. */
function usage(cell: Cell): { tokens_in: number | null; tokens_out: number | null; cost_usd: number | null } {
  const known = (count: number, value: number) => (count > 0 ? value : cell.goes > 0 ? null : 0);
  return {
    tokens_in: known(cell.tokens_known, cell.tokens_in),
    tokens_out: known(cell.tokens_known, cell.tokens_out),
    cost_usd: known(cell.cost_known, dollars(cell)),
  };
}

function percentiles(sketch: Sketch.Sketch): { p50_seconds: number; p95_seconds: number } {
  const at = (part: number) => Math.round((Sketch.percentile(sketch, part) ?? 0) / 1000);
  return { p50_seconds: at(0.5), p95_seconds: at(0.95) };
}

function rate(cell: Cell): number {
  return share(cell.completed, cell.completed + cell.failed);
}

function share(part: number, whole: number): number {
  return whole > 0 ? round(Math.min(1, part / whole), 2) : 0;
}

function average(cell: Cell): number {
  return cell.runs > 0 ? round(cell.run_ms / cell.runs / 1000, 1) : 0;
}

function round(value: number, digits: number): number {
  return Math.round(value * 10 ** digits) / 10 ** digits;
}
