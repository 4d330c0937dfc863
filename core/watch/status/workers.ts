import type { Deps } from "../../ground/deps.ts";
import * as Store from "../../ground/store/index.ts";
import { Keys } from "../../ground/store/index.ts";
import { nameOf } from "../../ground/workflow/index.ts";
import * as Worker from "../../flow/worker/index.ts";
import * as Attempt from "../../work/attempt/index.ts";

/** Open attempts that are looked at; far more than a deployment has slots. */
const LOOK = 200;

/** A worker and what it does now. Times in ms. */
export type Working = Omit<Worker.WorkerRow, "slots" | "version" | "until" | "host"> & {
  live: boolean;
  doing: { task_id: string; attempt: number; step: string | null }[];
};

/** Every worker seen lately: the orders in its slots, and what runs in its process without one. A slot's token is never shown. */
export async function workers(deps: Deps): Promise<Working[]> {
  const [rows, open] = await Promise.all([Worker.list(deps), openAttempts(deps)]);
  const now = deps.clock.now();
  // An attempt in somebody's slot is that worker's, whoever claimed it.
  const held = new Set(rows.flatMap((row) => row.slots.map((slot) => nameOf(slot.task, slot.attempt))));
  return rows.map(({ id, capabilities, capacity, slots, host, seen_at, until }) => ({
    id,
    capabilities,
    capacity,
    seen_at,
    live: until > now,
    doing: [
      ...slots.map(({ task, attempt }) => doing(open, task, attempt)),
      ...open
        .filter((one) => one.owner === host && !held.has(nameOf(one.task_id, one.n)))
        .map((one) => doing(open, one.task_id, one.n)),
    ],
  }));
}

function doing(open: readonly Attempt.AttemptRow[], taskId: string, n: number): Working["doing"][number] {
  const attempt = open.find((one) => one.task_id === taskId && one.n === n);
  return { task_id: taskId, attempt: n, step: attempt?.step ?? null };
}

async function openAttempts(deps: Deps): Promise<Attempt.AttemptRow[]> {
  const page = await Store.query(deps.store, { index: "gsi1", pk: Keys.OPEN_ATTEMPTS, limit: LOOK });
  const keys = page.items.map(({ pk, sk }) => ({ pk, sk }));
  const rows = await Promise.all([keys.slice(0, 100), keys.slice(100)].map((part) => Store.getMany(deps.store, part)));
  return (rows.flat() as unknown as (Attempt.AttemptRow | undefined)[]).filter(
    (row): row is Attempt.AttemptRow => row !== undefined && row.ended_at === undefined,
  );
}
