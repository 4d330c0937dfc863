import { PHASES, type Phase, type Suite } from "../task/index.ts";

export const STATES = [
  "queued",
  ...PHASES,
  /** Its task needs a decision, or was cancelled: only this item waits. */
  "asking",
  "done",
  "abandoned",
  /** Its line vanished from the file. */
  "retired",
] as const;
export type ItemState = (typeof STATES)[number];

/** States in which an item moves by itself. */
export const MOVING: readonly ItemState[] = ["spec", "impl", "test", "review"];

/** A backlog line as it lies in the table (`BL#<backlog>` / `I#<id>`). Times in ms. */
export type ItemRow = {
  pk: string;
  sk: string;
  ent: "item";
  v: 1;
  backlog: string;
  id: string;
  kind: "product" | "meta";
  text: string;
  /** The header it stands under, and the number in it. */
  section: string | null;
  phase_number: number | null;
  rank: number;
  state: ItemState;
  /** The phase it is in, whatever its state. */
  phase: Phase;
  /** Steps back so far, across all phases; never restarted but by a retry of an abandoned item. */
  round: number;
  /** How many tasks were ever made for it; the number of the next one. */
  seq: number;
  /** Its present task; none while the next is to be made. */
  task?: string;
  spec_path: string;
  /** US dollars that its tasks had cost when a person began it anew: its budget does not count them. */
  spent_before_usd?: number;
  /** The integration tip it began from. */
  base?: string;
  head?: string;
  /** The round begins by merging this integration tip into the item's branch. */
  merge_tip?: string;
  /** Why the last round began, or why it was abandoned. */
  last?: string;
  created_at: number;
  updated_at: number;
  started_at?: number;
  ended_at?: number;
};

/** A backlog (`BL#<id>` / `META`): one integration branch, shared by product and meta. */
export type BacklogRow = {
  pk: string;
  sk: string;
  ent: "backlog";
  v: 1;
  id: string;
  pushed_at: number;
  /** Items of each side that were ever started: the ratio is kept on them. */
  started_product: number;
  started_meta: number;
  /** The suite of the base as it was checked: green means not redder than it. Null: exit code 0. */
  base_suite?: Suite | null;
  /** The commit that was checked, and what it was. */
  base_checked?: string;
  base_state?: "green" | "red" | "no_tests";
};

/** The branch all finished items of a backlog are merged into. */
export function integrationBranch(backlog: string): string {
  return `coherence/${backlog}`;
}

/** The branch of one item. */
export function itemBranch(backlog: string, item: string): string {
  return `coherence-item/${backlog}/${item}`;
}

/** The branch of a task without an item. */
export function taskBranch(taskId: string): string {
  return `coherence-task/${taskId}`;
}

/** The key of an item's task: the same step is the same task, however often it is made. */
export function taskKey(backlog: string, item: string, seq: number): string {
  return `${backlog}#${item}#${seq}`;
}
