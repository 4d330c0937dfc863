import * as z from "zod";
import type { Deps } from "../../ground/deps.ts";
import * as Store from "../../ground/store/index.ts";
import { Keys } from "../../ground/store/index.ts";
import * as Metrics from "../../work/metrics/index.ts";
import * as Task from "../../work/task/index.ts";

/** Further than this nobody's place is counted. */
const MOST_COUNTED = 1000;

/** Where a pending task stands. */
export const Place = z.object({
  /** 1 is the next; null: it waits for something else than its turn, or over 1 000 are before it. */
  position: z.number().int().nullable(),
  /**
   * Whole seconds until it is likely to start, from how long attempts of this week took on average; null where that is unknown,
   * and for what outside runners take.
   */
  estimate_seconds: z.number().int().nullable(),
  /** Why it does not stand in the queue; null when it does. */
  waits_for: z.string().nullable(),
});
export type Place = z.infer<typeof Place>;

/** The place of a task, null for one that is not pending. At most two pages of keys are counted, and one small item read, at any number of tasks. */
export async function placeOf(
  deps: Pick<Deps, "store" | "clock" | "config">,
  row: Task.TaskRow,
): Promise<Place | null> {
  if (row.status !== "pending") return null;
  if (Task.isWaiting(row)) return { position: null, estimate_seconds: null, waits_for: row.wait_reason ?? "parked" };
  const { gsi3pk, gsi3sk } = Keys.due(row.queue, row.priority, row.queued_at, row.id);
  const position = await Store.countOf(deps.store, { index: "gsi3", pk: gsi3pk, sk: { to: gsi3sk } }, MOST_COUNTED);
  if (position > MOST_COUNTED) return { position: null, estimate_seconds: null, waits_for: null };
  // The index may not have it yet: then it is the last that can be seen.
  const place = Math.max(1, position);
  const typical = row.queue === "pipeline" ? await Metrics.typicalRunMs(deps) : null;
  return { position: place, estimate_seconds: estimate(place, deps.config.workers, typical), waits_for: null };
}

/** Every worker takes one after the other; who is before the first of them waits half a run on average. */
function estimate(position: number, workers: number, runMs: number | null): number | null {
  return runMs === null ? null : Math.round((((position - 1) / workers + 0.5) * runMs) / 1000);
}

/** What stands in the queues now; counted no further than the page that reaches 1 000, each. */
export const Waiting = z.object({
  pipeline: z.number().int(),
  external: z.number().int(),
  parked: z.number().int(),
  /** Put aside since their type is paused. */
  held: z.number().int(),
});
export type Waiting = z.infer<typeof Waiting>;

/** How many tasks run, those of outside runners too, and how many wait, by what they wait for. */
export async function standing(deps: Pick<Deps, "store">): Promise<{ running: number; waiting: Waiting }> {
  const count = (pk: string) => Store.countOf(deps.store, { index: "gsi3", pk }, MOST_COUNTED);
  const running = Store.countOf(deps.store, { index: "gsi1", pk: Keys.statusPartition("running", 0) }, MOST_COUNTED);
  const [pipeline, external, parked, ...held] = await Promise.all([
    count(Keys.queuePartition("pipeline")),
    count(Keys.queuePartition("external")),
    count(Keys.DELAYED),
    ...Task.TaskType.options.map((type) => count(Keys.asidePartition("pipeline", type))),
  ]);
  return {
    running: await running,
    waiting: { pipeline, external, parked, held: held.reduce((sum, n) => sum + n, 0) },
  };
}
