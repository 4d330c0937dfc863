import * as z from "zod";
import type { Standing } from "../../work/backlog/index.ts";

const count = z.number().int();
const Phase = z.strictObject({ completed: count, total: count, pct: z.number() });

/** How far the plan is (contract 4.4): product items of the backlog that was pushed last. */
export const PlanProgress = z.strictObject({
  /** Items done: an item is known by its id, so places in the file do not matter. */
  index: count,
  total: count,
  pct: z.number(),
  /** The backlog; null when there is none. */
  state_file: z.string().nullable(),
  phase_6: Phase,
  phase_7: Phase,
  backlog_alignment: z.strictObject({
    phases_from_backlog: z.literal(true),
    phase_6_7_status: z.enum(["not_reached", "in_progress", "complete"]),
    /** There are such items, and none was begun. */
    phase_6_7_not_worked: z.boolean(),
  }),
});
export type PlanProgress = z.infer<typeof PlanProgress>;

/** Counts the items by the numbers in their headers (`## Phase 6: …`). Pure. */
export function planProgress(backlog: string | null, standings: readonly Standing[]): PlanProgress {
  const items = standings.filter(({ kind }) => kind === "product");
  const of = (phase: number) => items.filter(({ phase_number }) => phase_number === phase);
  const late = [...of(6), ...of(7)];
  const begun = late.some(({ state }) => state !== "queued");
  const complete = late.length > 0 && late.every(({ state }) => state === "done");
  const { completed, total, pct } = progress(items);
  return {
    index: completed,
    total,
    pct,
    state_file: backlog,
    phase_6: progress(of(6)),
    phase_7: progress(of(7)),
    backlog_alignment: {
      phases_from_backlog: true,
      phase_6_7_status: complete ? "complete" : begun ? "in_progress" : "not_reached",
      phase_6_7_not_worked: late.length > 0 && !begun,
    },
  };
}

function progress(items: readonly Standing[]): z.infer<typeof Phase> {
  const completed = items.filter(({ state }) => state === "done").length;
  const pct = items.length > 0 ? Math.round((1000 * completed) / items.length) / 10 : 0;
  return { completed, total: items.length, pct };
}
