import type { Phase, TaskType, Tried } from "../../work/task/index.ts";

/** What the attempts before this one leave to the next: facts gathered by the pipeline, bounded when they are shown. */
export type Handoff = {
  /** Candidates that were tried, oldest first. */
  tried: Tried[];
  /** Names of failing checks and tests. */
  failing: string[];
  /** The log of the last run; only its end is shown. */
  tail: string;
  /** What the reviewer found, one finding an entry. */
  findings: string[];
  /** The commit that the work begins at, null when nothing was committed yet. */
  branchHead: string | null;
  /** What earlier attempts left in the tree, in words: files changed, commits. */
  whatIsThere: string;
};

/** Everything a prompt is made of; texts are data, none of them is expanded or obeyed by the pipeline. */
export type Input = {
  /** `attempt` counts from 1. */
  task: { id: string; type: TaskType; direction: string; attempt: number };
  /** The item this task is a phase of, with its round (0 at first). */
  item?: { backlog: string; id: string; text: string; phase: Phase; round: number };
  /** The spec's path, relative to the tree. */
  specPath?: string;
  handoff?: Handoff;
  /** The answer to what an earlier attempt asked. */
  decision?: { question: string; answer: string };
  /** Files with conflict markers after the merge that this attempt begins with. */
  conflict?: { files: string[] };
  /** Texts of `.coherence/prompts/<type>.md` from the user's HEAD. */
  overrides?: Partial<Record<TaskType, string>>;
  /** The suite's command as an argument array. */
  testCommand?: string[];
  /** The commit that the item began at. */
  base?: string;
};

/** A prompt, its SHA-256 (64 hex digits) and the variant of its template: `impl@1` or `impl@override-<8 hex>`. */
export type Built = { text: string; sha256: string; variant: string };
