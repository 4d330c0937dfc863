import type { ItemChange, ItemRow } from "../../work/backlog/index.ts";
import { cut, PHASES, type Outcome, type Phase, type Status } from "../../work/task/index.ts";

/** Steps back that an item may take before it is abandoned. */
export const MAX_ROUNDS = 5;

/** How an item's task came to rest. */
export type TaskEnd =
  | { kind: "completed"; outcome: Outcome }
  | { kind: "failed"; message: string }
  | { kind: "asking" }
  | { kind: "cancelled" };

/** The item table: what an item does when its task has come to rest. Pure; `now` in ms. */
export function next(item: ItemRow, end: TaskEnd, now: number): ItemChange {
  switch (end.kind) {
    case "failed":
      return stepBack(item, item.phase, `${item.phase} failed: ${end.message}`, now);
    case "asking":
      return { state: "asking" };
    case "cancelled":
      return { state: "asking", last: `its ${item.phase} task was cancelled` };
    case "completed":
      return onOutcome(item, end.outcome, now);
  }
}

function onOutcome(item: ItemRow, outcome: Outcome, now: number): ItemChange {
  switch (outcome.kind) {
    case "passed": {
      const following = PHASES[PHASES.indexOf(item.phase) + 1];
      const head = outcome.head === undefined ? {} : { head: outcome.head };
      if (following === undefined)
        return { state: "done", task: null, last: null, merge_tip: null, ended_at: now, ...head };
      return {
        state: following,
        phase: following,
        task: null,
        ...head,
        ...(item.phase === "impl" ? { merge_tip: null } : {}),
      };
    }
    case "red":
      return stepBack(item, "impl", "the tests are red", now);
    case "rejected":
      return stepBack(item, "impl", "the review rejected it", now);
    case "conflict":
      return stepBack(
        item,
        "impl",
        `it conflicts with what was merged meanwhile: ${outcome.files.slice(0, 5).join(", ")}`,
        now,
        outcome.tip,
      );
    case "red_after_merge":
      return stepBack(item, "impl", "its tests are red once merged", now, outcome.tip);
    case "question":
      return { state: "asking" };
    case "bad":
      return stepBack(item, item.phase, outcome.message, now);
  }
}

/** One round back, or the end of the item. */
function stepBack(item: ItemRow, phase: Phase, why: string, now: number, tip?: string): ItemChange {
  const last = cut(why, 500);
  if (item.round + 1 > MAX_ROUNDS)
    return { state: "abandoned", task: null, last: `more than ${MAX_ROUNDS} rounds; the last: ${last}`, ended_at: now };
  return {
    state: phase,
    phase,
    round: item.round + 1,
    task: null,
    last,
    ...(tip === undefined ? {} : { merge_tip: tip }),
  };
}

/** What a decided, retried or otherwise revived task does to its item: it moves again, in the phase it was in. */
export function resumed(item: ItemRow): ItemChange {
  return { state: item.phase };
}

/** A retry of an abandoned item: it begins its phase anew with no round spent. */
export function revived(item: ItemRow): ItemChange {
  return { state: item.seq === 0 ? "queued" : item.phase, round: 0, task: null, last: null, ended_at: null };
}

/** The status that an item's task came to, as the item sees it; undefined while it still moves. */
export function endOf(status: Status, outcome: Outcome | undefined, message: string): TaskEnd | undefined {
  switch (status) {
    case "completed":
      return { kind: "completed", outcome: outcome ?? { kind: "passed" } };
    case "failed":
      return { kind: "failed", message };
    case "needs_decision":
      return { kind: "asking" };
    case "cancelled":
      return { kind: "cancelled" };
    case "pending":
    case "running":
      return undefined;
  }
}
