import * as Store from "../../ground/store/index.ts";
import type { TaskRow } from "./row.ts";

/** Who has a task now: who runs it, else whose run-state lease lives, else who had it last; undefined: nobody. */
export function holderOf(row: TaskRow, now: number): string | undefined {
  const leased = row.status !== "running" && (row.run_until ?? 0) > now ? row.run_worker : undefined;
  return leased ?? row.claimed_by;
}

/** Whether a run-state lease of another than this worker lives on a task; without a worker, of anybody. */
export function isLeased(row: TaskRow, now: number, worker?: string): boolean {
  return (row.run_until ?? 0) > now && (worker === undefined || row.run_worker !== worker);
}

/** What a write asks for where `isLeased` was false. */
export function unleased(now: number, worker?: string): Store.Conditions {
  const mine = worker === undefined ? [] : [Store.eq("run_worker", worker)];
  return { run_state: Store.any(Store.absent("run_until"), Store.le("run_until", now), ...mine) };
}
