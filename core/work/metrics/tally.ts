import { agentOf, type MetricRow } from "./record.ts";
import * as Sketch from "./sketch.ts";

/**
 * Sums over records. Everything in them is a whole number, so that adding up is exact and in any order the same: cost is
 * kept in billionths of a dollar.
 */

const NANO = 1e9;
const MEASURES = [
  "runs",
  "goes",
  "run_ms",
  "completed",
  "failed",
  "tokens_in",
  "tokens_out",
  "tokens_known",
  "cost_nano",
  "cost_known",
  "tracked",
  "tracked_failed",
  "untracked",
] as const;

/**
 * `runs` counts attempts whose time at work is known, `goes` the candidates that went in them, `*_known` those of these whose
 * usage is known: one that failed and did not say is not hidden behind the next that did. `tracked` counts attempts
 * that somebody worked on, `tracked_failed` those that did not come to a good end, `untracked` ends of tasks without an attempt.
 */
export type Cell = Record<(typeof MEASURES)[number], number> & {
  /** When the last of the attempts ended, ms since the epoch; 0: not known. */
  last_at: number;
};

export const DIMENSIONS = ["type", "model", "executor", "provider", "agent", "variant", "skill"] as const;
export type Dimension = (typeof DIMENSIONS)[number];

export type Tally = {
  all: Cell;
  by: Record<Dimension, Map<string, Cell>>;
  /** Failed tasks without a reported reason. */
  missing: number;
  run: Sketch.Sketch;
  queue: Sketch.Sketch;
};

/** Names come from clients: only so many a dimension, so long, that a roll-up fits into an item. The rest is one. */
const MAX_NAMES = 50;
const MAX_NAME_LENGTH = 80;
export const OTHER = "(other)";
const UNKNOWN = "unknown";
/** The contract counts its runs by name, however many workers there are. */
export const CODEX_AGENT = "openai-codex";

export function emptyCell(): Cell {
  return {
    runs: 0,
    goes: 0,
    run_ms: 0,
    completed: 0,
    failed: 0,
    tokens_in: 0,
    tokens_out: 0,
    tokens_known: 0,
    cost_nano: 0,
    cost_known: 0,
    tracked: 0,
    tracked_failed: 0,
    untracked: 0,
    last_at: 0,
  };
}

export function empty(): Tally {
  return {
    all: emptyCell(),
    by: {
      type: new Map(),
      model: new Map(),
      executor: new Map(),
      provider: new Map(),
      agent: new Map(),
      variant: new Map(),
      skill: new Map(),
    },
    missing: 0,
    run: new Map(),
    queue: new Map(),
  };
}

/** Counts a record in; `sign` −1 takes its task's end out. */
export function addRecord(tally: Tally, row: MetricRow, sign: 1 | -1): void {
  const cell = cellOf(row, sign);
  // The one go that an attempt has where nothing is said of several is as its record says.
  const one = row.run_ms !== null || isKnown(row) ? [row] : [];
  const goes = row.goes ?? one;
  addCell(tally.all, cell);
  for (const go of goes) addCell(tally.all, usageOf(go));
  for (const dimension of DIMENSIONS) {
    const name = nameOf(row, dimension);
    if (name === null) continue;
    addCell(named(tally, dimension, name), cell);
    for (const go of goes) {
      // Who failed before the one that the run counts for has what it used itself.
      const whose = row.goes && (dimension === "provider" || dimension === "model") ? go[dimension] : name;
      addCell(named(tally, dimension, whose ?? name), usageOf(go));
    }
  }
  if (row.status === "failed" && (row.class === null || row.class === "unreported")) tally.missing += sign;
  if (row.run_ms !== null) Sketch.add(tally.run, row.run_ms);
  if (row.queue_ms !== null) Sketch.add(tally.queue, row.queue_ms);
}

/** Adds everything of `from` to `into`. */
export function merge(into: Tally, from: Tally): void {
  addCell(into.all, from.all);
  for (const dimension of DIMENSIONS)
    for (const [name, cell] of from.by[dimension]) addCell(at(into.by[dimension], name), cell);
  into.missing += from.missing;
  Sketch.merge(into.run, from.run);
  Sketch.merge(into.queue, from.queue);
}

/** As it lies in a roll-up: pairs instead of keys, since names come from clients; zeros left out. */
export type Packed = {
  all: Partial<Cell>;
  /** One of before a dimension came does not have it. */
  by: Partial<Record<Dimension, [string, Partial<Cell>][]>>;
  missing: number;
  run: [number, number][];
  queue: [number, number][];
};

export function pack(tally: Tally): Packed {
  const by = (dimension: Dimension) => [...tally.by[dimension]].map(([name, cell]) => [name, thin(cell)] as const);
  return {
    all: thin(tally.all),
    by: Object.fromEntries(DIMENSIONS.map((dimension) => [dimension, by(dimension)])),
    missing: tally.missing,
    run: [...tally.run],
    queue: [...tally.queue],
  };
}

export function unpack(packed: Packed): Tally {
  const tally = empty();
  // One of before goes were counted: an attempt was one.
  const whole = (cell: Partial<Cell>) => ({ goes: cell.runs ?? 0, ...cell });
  addCell(tally.all, whole(packed.all));
  for (const dimension of DIMENSIONS)
    for (const [name, cell] of packed.by[dimension] ?? []) addCell(at(tally.by[dimension], name), whole(cell));
  tally.missing = packed.missing;
  tally.run = new Map(packed.run);
  tally.queue = new Map(packed.queue);
  return tally;
}

/** US dollars of a cell. */
export function dollars(cell: Cell): number {
  return cell.cost_nano / NANO;
}

function cellOf(row: MetricRow, sign: 1 | -1): Partial<Cell> {
  const agent = agentOf(row);
  const ran = agent !== null && sign === 1;
  return {
    runs: row.run_ms === null ? 0 : 1,
    run_ms: row.run_ms ?? 0,
    completed: row.status === "completed" ? sign : 0,
    failed: row.status === "failed" ? sign : 0,
    tracked: ran ? 1 : 0,
    tracked_failed: ran && row.class !== null ? 1 : 0,
    // No attempt was ever made on it.
    untracked: row.status !== null && row.n === 0 ? sign : 0,
    last_at: sign === 1 ? row.created_at : 0,
  };
}

type Used = Pick<MetricRow, "tokens_in" | "tokens_out" | "cost_usd">;

function isKnown({ tokens_in, tokens_out, cost_usd }: Used): boolean {
  return tokens_in !== null || tokens_out !== null || cost_usd !== null;
}

/** One go: tokens and cost, and whether they are known. */
function usageOf({ tokens_in, tokens_out, cost_usd }: Used): Partial<Cell> {
  return {
    goes: 1,
    tokens_in: tokens_in ?? 0,
    tokens_out: tokens_out ?? 0,
    tokens_known: tokens_in !== null && tokens_out !== null ? 1 : 0,
    cost_nano: Math.round((cost_usd ?? 0) * NANO),
    cost_known: cost_usd === null ? 0 : 1,
  };
}

/** Provider and executor of every run are shown; a variant and a skill version only where there is one. */
function nameOf(row: MetricRow, dimension: Dimension): string | null {
  switch (dimension) {
    case "type":
      return row.task_type;
    case "model":
      return row.model;
    case "executor":
      return row.executor ?? UNKNOWN;
    case "provider":
      return row.provider ?? UNKNOWN;
    case "agent":
      return agentOf(row);
    case "variant":
      return row.prompt_variant;
    case "skill":
      return row.skill_version;
  }
}

/** The cell of a name, or of all that there is no room for. */
function named(tally: Tally, dimension: Dimension, name: string): Cell {
  const names = tally.by[dimension];
  const short = name.slice(0, MAX_NAME_LENGTH);
  const kept = names.has(short) || names.size < MAX_NAMES || short === CODEX_AGENT;
  return at(names, kept ? short : OTHER);
}

function at(names: Map<string, Cell>, name: string): Cell {
  const cell = names.get(name) ?? emptyCell();
  names.set(name, cell);
  return cell;
}

function addCell(into: Cell, from: Partial<Cell>): void {
  for (const measure of MEASURES) into[measure] += from[measure] ?? 0;
  into.last_at = Math.max(into.last_at, from.last_at ?? 0);
}

function thin(cell: Cell): Partial<Cell> {
  return Object.fromEntries(Object.entries(cell).filter(([, value]) => value !== 0));
}
