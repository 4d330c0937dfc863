import * as Clock from "../../core/ground/clock.ts";
import * as Store from "../../core/ground/store/index.ts";
import * as Metrics from "../../core/work/metrics/index.ts";
import { testDeps, type TestDeps } from "../support/deps.ts";

export const DAY = 86_400_000;
export const NOON = Date.UTC(2026, 4, 20, 12);

export type Made = Omit<Metrics.RecordInput, "attempt" | "now"> & { id: string };
export const base: Made = {
  id: "task_1",
  task: { task_type: "impl" },
  endedTask: "completed",
  class: null,
  model: "m1",
  provider: "codex",
  executor: null,
  agent: "host",
  usage: { tokens_in: 100, tokens_out: 10, tokens_cached: null, cost_usd: 0.001 },
  queue_ms: 1000,
  run_ms: 10_000,
  prompt_variant: null,
  skill_version: null,
};

/** Nobody works on a task without an attempt. */
export const numberOf = ({ agent }: Pick<Made, "agent">) => (agent === null ? 0 : 1);

export function recordOf(made: Made, now: number): Store.Write {
  return Metrics.record({ ...made, attempt: { n: numberOf(made), task_id: made.id, tried: [] }, now });
}

export async function virtualDeps(start = NOON): Promise<{ deps: TestDeps; clock: Clock.VirtualClock }> {
  const clock = Clock.virtual(start);
  return { deps: await testDeps({ clock }), clock };
}

export async function write(deps: TestDeps, made: Made, now = deps.clock.now()): Promise<void> {
  await Store.write(deps.store, recordOf(made, now));
}

export async function foldAll(deps: TestDeps): Promise<void> {
  while (!(await Metrics.fold(deps)).complete);
}
