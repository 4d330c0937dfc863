import * as z from "zod";
import type { Deps } from "../../ground/deps.ts";
import { CoherenceError, fail } from "../../ground/errors.ts";
import { Instant } from "../../ground/instant.ts";
import * as Store from "../../ground/store/index.ts";
import * as Task from "../../work/task/index.ts";
import { cancel, MovedOn, retry } from "./verbs.ts";

/** Which tasks; all conditions hold, and there is at least one. Times with a zone. */
export const Filter = z.object({
  status: Task.Status.optional(),
  task_type: Task.TaskType.optional(),
  backlog: z.string().min(1).max(64).optional(),
  claimed_by: z.string().min(1).max(200).optional(),
  created_after: Instant.optional(),
  created_before: Instant.optional(),
});
export type Filter = z.infer<typeof Filter>;

export type Bulk = {
  /** Tasks that fit: in a dry run all there are, up to MOST_COUNTED, else those that this call looked at. */
  matched: number;
  /** What was changed, or in a dry run would be; at most `limit`. */
  ids: string[];
  /** What could not be changed, and why; it is as it was. */
  refused: { id: string; code: string; detail: string }[];
  /** How many had moved out of the filter by the time it was their turn; they are as they were. */
  skipped: number;
  /** Set when more may fit behind these. */
  cursor?: string;
};

/** A dry run counts no further than this. */
export const MOST_COUNTED = 10_000;

/** Tasks that one call looks at. */
const MOST_LOOKED_AT = 10_000;

const STATUSES: Readonly<Record<"cancel" | "retry", readonly Task.Status[]>> = {
  cancel: ["pending", "needs_decision", "running"],
  retry: ["failed", "cancelled"],
};

/**
 * Cancels or retries every task that fits, one after the other, each as its own verb does; at most `limit` a call, and the cursor
 * goes on. One that cannot be changed is told, one that moved out of the filter meanwhile is passed over, the others go on. Throws `input.invalid` without a condition, or for a status that
 * the action does not take; `input.cursor` for a cursor of another call.
 */
export async function bulk(
  deps: Deps,
  action: "cancel" | "retry",
  filter: Filter,
  options: { dryRun: boolean; limit: number; cursor?: string | undefined; reason?: string | undefined },
): Promise<Bulk> {
  const statuses = statusesOf(action, filter);
  const bound = JSON.stringify([action, filter]);
  const after = options.cursor === undefined ? undefined : placeIn(bound, options.cursor);
  const done: Bulk = { matched: 0, ids: [], refused: [], skipped: 0 };
  const still = (row: Task.Indexed) => statuses.includes(row.status) && fits(row, filter);
  let last = "";
  let looked = 0;
  for await (const { row, place } of Task.walk(deps, statuses, after)) {
    // One that fits nothing ends too: the next call goes on.
    if (++looked > MOST_LOOKED_AT) return { ...done, cursor: Store.Cursor.encode(bound, { place: last }) };
    last = place;
    if (!fits(row, filter)) continue;
    done.matched++;
    if (!options.dryRun) await change(deps, action, row.id, options.reason, still, done);
    else if (done.ids.length < options.limit) done.ids.push(row.id);
    if (done.matched >= (options.dryRun ? MOST_COUNTED : options.limit))
      return { ...done, cursor: Store.Cursor.encode(bound, { place }) };
  }
  return done;
}

async function change(
  deps: Deps,
  action: "cancel" | "retry",
  id: string,
  reason: string | undefined,
  still: (row: Task.TaskRow) => boolean,
  done: Bulk,
): Promise<void> {
  try {
    await (action === "cancel" ? cancel(deps, id, reason, still) : retry(deps, id, still));
    done.ids.push(id);
  } catch (error) {
    if (error instanceof MovedOn) return void done.skipped++;
    if (!(error instanceof CoherenceError)) throw error;
    done.refused.push({ id, code: error.code, detail: error.message });
  }
}

function statusesOf(action: "cancel" | "retry", filter: Filter): readonly Task.Status[] {
  if (Object.values(filter).every((value) => value === undefined))
    throw fail("input.invalid", "Name at least one condition", {
      remedy: "A bulk change of all tasks is not made by leaving everything out: name the status at least.",
    });
  const known = STATUSES[action];
  if (filter.status === undefined) return known;
  if (!known.includes(filter.status))
    throw fail("input.invalid", `A ${filter.status} task cannot be ${action === "cancel" ? "cancelled" : "retried"}`, {
      remedy: `Name one of: ${known.join(", ")}.`,
      data: { loc: ["body", "status"] },
    });
  return [filter.status];
}

function fits(row: Task.Indexed, filter: Filter): boolean {
  const { task_type, backlog, claimed_by, created_after, created_before } = filter;
  return (
    (task_type === undefined || row.task_type === task_type) &&
    (backlog === undefined || row.item?.backlog === backlog) &&
    (claimed_by === undefined || row.claimed_by === claimed_by) &&
    (created_after === undefined || row.created_at > Date.parse(created_after)) &&
    (created_before === undefined || row.created_at < Date.parse(created_before))
  );
}

function placeIn(bound: string, cursor: string): string {
  const { place } = Store.Cursor.decode(bound, cursor);
  // Whoever makes up a cursor knows what it is bound to; the table takes no place that is too long.
  if (typeof place !== "string" || !/^[a-z_]+#\d{13}#\w{1,100}$/.test(place))
    throw fail("input.cursor", "The cursor does not belong to this call");
  return place;
}
