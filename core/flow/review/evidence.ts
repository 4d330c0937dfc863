import type { Question, Suite, TaskType } from "../../work/task/index.ts";
import type { Parsed } from "../prompt/index.ts";

/** What the pipeline itself gathered when an agent had finished; only `result` comes from the agent. */
export type Evidence = {
  phase: TaskType;
  /** False for a task without an item: its evidence is recorded, not required. */
  requireEvidence: boolean;
  /** The spec that the item names, relative to the tree. */
  specPath?: string;
  /** Files changed since the item began, committed or not. */
  filesSinceItem: readonly string[];
  /** Files changed since the task began, after a round's merge. */
  filesSinceTask: readonly string[];
  /** Files that still hold conflict markers. */
  markers: readonly string[];
  /** What the suite showed; null when the repository has none. */
  suite: Suite | null;
  /** Whether the suite is not redder than the base's, which is what green means everywhere. */
  notRedder: boolean;
  result: Parsed;
};

/** What follows from the evidence; `notes` say what a reader of a pass or a red should know about how it came about. */
export type Judgement =
  /** The agent asks instead of going on; this wins over all else. */
  | { kind: "question"; question: Question }
  | { kind: "passed"; notes: string[] }
  /** The phase did its work and the suite is red: a completed task with that verdict. */
  | { kind: "red"; suite: Suite; notes: string[] }
  /** A review says what must change; never empty. */
  | { kind: "rejected"; findings: string[] }
  /** The agent finished and its result does not hold: class `bad_result`. */
  | { kind: "bad"; message: string; remedy: string };
