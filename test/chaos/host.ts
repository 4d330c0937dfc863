import { appendFileSync, closeSync, existsSync, fsyncSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { At, Point } from "../../core/flow/worker/index.ts";
import { main } from "../../functions/local/main.ts";

/**
 * The real host, which writes down every point it passes and kills itself with SIGKILL when its plan says so. The folder
 * CHAOS_DIR holds `plan.json`, written before each life, and `journal.jsonl`, which all lives append to.
 */

export type Plan = {
  life: number;
  /** Points at which this life may end. */
  at: Point[];
  /** It ends at the so-many-th of them. */
  after: number;
  /** Ms between the point and the kill, in which the work goes on. */
  delayMs: number;
  /** A task in flight at so many kills is spared: budgets are not what is tested. */
  sparedAfter: number;
};

/** What is under way on a task: the attempt and the last point it passed. */
export type Flight = { task: string; n: number; point: Point };
export type Line =
  | { life: number; point: Point; facts: Record<string, unknown> }
  | { life: number; killed: Point; after: Point; delayMs: number; facts: Record<string, unknown>; inFlight: Flight[] };

export function readJournal(dir: string): Line[] {
  const file = join(dir, "journal.jsonl");
  if (!existsSync(file)) return [];
  return readFileSync(file, "utf8")
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Line);
}

/** The hook that carries out a plan. */
function hook(dir: string): At {
  const plan = JSON.parse(readFileSync(join(dir, "plan.json"), "utf8")) as Plan;
  const file = join(dir, "journal.jsonl");
  const kills = new Map<string, number>();
  for (const line of readJournal(dir))
    if ("killed" in line) for (const { task } of line.inFlight) kills.set(task, (kills.get(task) ?? 0) + 1);
  const inFlight = new Map<string, Flight>();
  let seen = 0;
  let dying = false;
  let latest: Point = "tick";

  const spared = () => [...inFlight.keys()].some((one) => (kills.get(one) ?? 0) >= plan.sparedAfter);
  const die = (killed: Point, facts: Record<string, unknown>) => {
    dying = false;
    if (spared()) return;
    const line: Line = {
      life: plan.life,
      killed,
      after: latest,
      delayMs: plan.delayMs,
      facts,
      inFlight: [...inFlight.values()],
    };
    const fd = openSync(file, "a");
    writeSync(fd, `${JSON.stringify(line)}\n`);
    fsyncSync(fd);
    closeSync(fd);
    process.kill(process.pid, "SIGKILL");
  };

  return (point, facts) => {
    latest = point;
    const task = typeof facts["taskId"] === "string" ? facts["taskId"] : undefined;
    const n = Number(facts["n"] ?? facts["attempt"] ?? 0);
    if (task !== undefined) inFlight.set(task, { task, n, point });
    appendFileSync(file, `${JSON.stringify({ life: plan.life, point, facts } satisfies Line)}\n`);
    if (!dying && plan.at.includes(point) && ++seen >= plan.after && !spared()) {
      dying = true;
      if (plan.delayMs === 0) die(point, { ...facts });
      else setTimeout(() => die(point, { ...facts }), plan.delayMs);
    }
    if (task !== undefined && point === "settled") inFlight.delete(task);
  };
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2), hook(process.env["CHAOS_DIR"] ?? "."));
