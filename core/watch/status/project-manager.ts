import * as z from "zod";
import type { Deps } from "../../ground/deps.ts";
import * as Backlog from "../../work/backlog/index.ts";
import { PHASES } from "../../work/task/index.ts";

/** Items of one phase that are shown in flight; places are far fewer, and parked items hold none. */
const MAX_IN_FLIGHT = 20;

const count = z.number().int();
const Phase = z.enum(PHASES);

/** The project manager's state under the contract's names (4.1); counted from the items, which are known by their ids. */
export const ProjectManager = z.strictObject({
  /** Items done. */
  backlog_index: count,
  /** Of the first item in flight; `spec` when there is none. */
  phase: Phase,
  current_task_id: z.string().nullable(),
  iteration: count,
  /** Only people can move what is left. */
  blocked: z.boolean(),
  /** `item_idx`: the item's place in its file, from 0. `iteration`: 1, and one more a round. */
  in_flight: z.array(
    z.strictObject({ item_idx: count, phase: Phase, task_id: z.string().nullable(), iteration: count }),
  ),
  /** The place of the item that starts next; how many items there are when none does. */
  next_backlog_idx: count,
  completed_items: count,
  backlog: z.string(),
});
export type ProjectManager = z.infer<typeof ProjectManager>;

/** How the backlog that was pushed last stands; null when there is none. Counts are read from the index, without texts. */
export async function projectManager(deps: Pick<Deps, "store">): Promise<ProjectManager | null> {
  const backlog = await Backlog.current(deps);
  if (!backlog) return null;
  const { id } = backlog;
  const [moving, next, ...counts] = await Promise.all([
    Promise.all(Backlog.MOVING.map((state) => Backlog.inState(deps, id, state, MAX_IN_FLIGHT))),
    Backlog.nextQueued(deps, id),
    ...(["queued", "asking", "done", "abandoned"] as const).map((state) => Backlog.countIn(deps, id, state)),
  ]);
  const [queued = 0, asking = 0, done = 0, abandoned = 0] = counts;
  const items = moving.flat().sort((a, b) => a.rank - b.rank || a.id.localeCompare(b.id));
  const [first] = items;
  return {
    backlog_index: done,
    phase: first?.phase ?? "spec",
    current_task_id: first?.task ?? null,
    iteration: (first?.round ?? 0) + 1,
    blocked: asking > 0 && items.length === 0 && queued === 0,
    in_flight: items.map(({ rank, phase, task, round }) => ({
      item_idx: rank,
      phase,
      task_id: task ?? null,
      iteration: round + 1,
    })),
    next_backlog_idx: next?.rank ?? queued + items.length + asking + done + abandoned,
    completed_items: done,
    backlog: id,
  };
}
