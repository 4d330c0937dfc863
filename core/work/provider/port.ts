import type { Candidate, Failure, Phase, TaskType, Usage } from "../task/index.ts";
import type { Workspace } from "../workspace/index.ts";

/** What a provider can do; routing decides by this, never by a name. */
export type Capabilities = {
  /** It changes files in the tree by itself. */
  edits: boolean;
  /** It runs commands by itself. */
  runs_commands: boolean;
  /** In the step itself, or on a machine with a worker. */
  where: Candidate["where"];
  paid: boolean;
  /** It says itself what a run cost, whatever is known of its models' prices. */
  tells_cost?: true;
};

export type Readiness =
  /** `listed`: the models that its server says it has, where it says so. */
  | { ready: true; detail: string; listed?: readonly string[] }
  /** `remedy` says what a person does about it. `transient`: it may pass by itself (time-out, network, 5xx). */
  | { ready: false; detail: string; remedy: string; transient?: boolean };

/** One go of a provider on a task. */
export type RunRequest = {
  task: { id: string; type: TaskType; direction: string; attempt: number; turn: number };
  /** The item this task is a phase of, with its round (0 at first) and, where known, its place in the backlog (0 is the first). */
  item?: { backlog: string; id: string; text: string; phase: Phase; round: number; index?: number };
  prompt: string;
  model: string;
  /** Absolute path of the worktree. */
  cwd: string;
  /** The worktree for a provider that has no tools of its own; absent where there is no repository. */
  tree?: TreeTools;
  /** The spec's path, relative to the tree, when the item has one. */
  specPath?: string;
  /** Ms; the caller aborts `signal` at its end, a CLI may also be told. */
  timeoutMs: number;
  /** Aborts when this run's time in the step is over: who can pauses soon and answers `continue`, the others run on. */
  stopBy?: AbortSignal;
  /** What the last `continue` of this run saved. */
  resume?: unknown;
  /** US dollars this run may still cost; absent: no bound. Who can tell while it runs ends there. */
  budgetUsd?: number;
  /** One line of the agent's log, without a line end. */
  log(line: string): void;
  /** What this run has used so far, said whenever it is known: that counts for a run that is cut off. */
  used?(usage: Usage): void;
};

/**
 * What a model may do in the worktree, by relative paths. Each throws `workspace.path` for one that leads out of the tree, into
 * `.git` or to an ignored file. `test` runs the suite as the pipeline itself will; `changes` are those since the item began.
 */
export type TreeTools = Pick<Workspace, "list" | "read" | "search" | "write" | "remove"> & {
  changes(): ReturnType<Workspace["diff"]>;
  test(signal: AbortSignal): ReturnType<Workspace["test"]>;
};

export type RunResult =
  /** The agent came to its own end (a whitelisted finish). `output` is its last message, whole. */
  | { kind: "finished"; output: string; usage: Usage }
  /** It paused, with what it goes on from as JSON; `usage` is of this part alone. */
  | { kind: "continue"; saved: unknown; usage: Usage }
  | { kind: "failed"; failure: Failure; output: string; usage: Usage };

/** US dollars per million tokens, as published at `source` on `date` (yyyy-mm-dd). */
export type Price = {
  input: number;
  /** Input read from the provider's cache. */
  cached: number;
  /** Input written to the provider's cache. */
  written: number;
  output: number;
  date: string;
  source: string;
};

/** A model of a provider; `price` is null when it is unknown. */
export type Model = {
  name: string;
  price: Price | null;
  /** Tokens that it can read at once. */
  context_window: number;
  /** How strong it is among all models: after a failure of its task the stronger go first. */
  tier: 1 | 2 | 3;
};

export type Provider = {
  name: string;
  family: "api" | "cli" | "simulated";
  /** The contract's executor this provider stands for, where there is one. */
  executor: "claude" | "cursor" | "openclaw" | null;
  /** Models in order of preference, cheap first; never empty. */
  models: readonly Model[];
  capabilities: Capabilities;
  /** Task types it is taken for first. */
  prefers: readonly TaskType[];
  /** The version it was run with in our own tests; null: never, and it says so wherever it is shown. */
  verified: string | null;
  /** Names the key that pays for it without giving it away; what one key's owner has to mend is known by it. */
  account: string;
  /** Why a user's file switched it off; absent: it is on. */
  off?: { detail: string; remedy: string };
  /** Asks the provider itself whether it can work; never throws. Milliseconds to seconds. */
  probe(signal?: AbortSignal): Promise<Readiness>;
  /** Does the work in `request.cwd`; throws only when `signal` is aborted. */
  run(request: RunRequest, signal: AbortSignal): Promise<RunResult>;
};
