import type { Suite } from "../task/index.ts";

/**
 * Where work happens: one port with two sides, a git worktree on a machine and (later) a repository over the GitHub API,
 * whose `test` and `integrate` may answer "later" because checks are still running.
 */

export type Later = { kind: "later"; why: string };

/** Lines of text that show progress and end in the task's log. */
export type LogLine = (line: string) => void;

/** A repository the pipeline works on. The user's own branches and tree are never touched. */
export type Repository = {
  /** The user's branch and its head, `null` where HEAD is detached. */
  user(): Promise<{ branch: string | null; head: string }>;
  /** Whether the user's tree has changes that are not committed; looks at every file of it. */
  dirty(): Promise<boolean>;
  /** Makes the integration branch from the user's head when it is not there yet; returns its tip. */
  ensureIntegration(branch: string): Promise<string>;
  /** The head of a branch, or null. */
  head(branch: string): Promise<string | null>;
  /** Whether `sha` is in `branch`. */
  contains(branch: string, sha: string): Promise<boolean>;
  /** A file's text at a commit, or null. Prompts and settings are read so, from the user's HEAD. */
  show(sha: string, path: string): Promise<string | null>;
  /** Opens a branch's worktree (made from `from` when the branch is new) and cleans up what an earlier run left there. */
  open(request: OpenRequest): Promise<Workspace>;
  /** Merges `head` into `branch` in a tree of its own, runs the suite, and moves the branch by compare-and-swap only when green. */
  integrate(request: IntegrateRequest): Promise<Integrated>;
  /** Set-up and suite, once, on a commit of its own tree: the base's colour. */
  checkBase(sha: string, log: LogLine, signal: AbortSignal): Promise<BaseCheck>;
  /**
   * Removes worktrees of work that is over, and its branches whose commits the user's branch or an integration branch holds;
   * returns what was (`dryRun`: would be) removed.
   */
  cleanup(keep: (branch: string) => boolean, dryRun?: boolean): Promise<{ worktrees: string[]; branches: string[] }>;
};

export type OpenRequest = {
  branch: string;
  /** The commit a new branch begins at. */
  from: string;
  /** Trailers of the commit that saves what an earlier attempt left uncommitted; null: it is dropped. */
  leftovers: Record<string, string> | null;
  signal: AbortSignal;
  log: LogLine;
};

export type Workspace = {
  /** Absolute path of the tree. */
  readonly root: string;
  readonly branch: string;
  /** The branch's head when it was opened: every commit of this workspace moves the branch from what it last saw. */
  readonly openedAt: string;
  /** Installs what the tree needs (COHERENCE_SETUP_COMMAND, else by its lockfile). Throws `workspace.setup_failed` with the tail. */
  prepare(log: LogLine, signal: AbortSignal): Promise<void>;
  /** Drops everything that is not committed. */
  reset(): Promise<void>;
  /**
   * Tracked and new files that are not ignored, sorted, relative paths; `pattern` is a folder or a glob. Ignored is here what the
   * tree ignores now, and what the item's base does. Throws `workspace.path` for a pattern that is none.
   */
  list(pattern?: string): Promise<string[]>;
  /** Text of a file inside the tree; throws `workspace.path` for a path that leads out of it, into `.git` or to an ignored file. */
  read(path: string): Promise<string>;
  /** Where a fixed text stands in those files, as far as they are plain files of text; at most 200 places. */
  search(text: string, pattern?: string): Promise<{ path: string; line: number; text: string }[]>;
  write(path: string, text: string): Promise<void>;
  /** Removes a file; false when there is none. */
  remove(path: string): Promise<boolean>;
  /** Files changed since `from` (committed or not), and the patch, at most 200 kB. */
  diff(from: string): Promise<{ files: string[]; patch: string }>;
  /** Files that the commits since `from` changed; `present`: those of them that are still there. */
  committed(from: string): Promise<{ files: string[]; present: string[] }>;
  head(): Promise<string>;
  /**
   * Commits everything that is not ignored, under the pipeline's identity, with trailers. Returns the new head, or null when there is nothing.
   * Throws `workspace.secret` when what is staged looks like a key, `workspace.moved` when somebody else moved the branch.
   */
  commit(message: string, trailers: Record<string, string>): Promise<string | null>;
  /** Merges a commit into the branch; conflicts stay in the tree with their markers, as the work to do. */
  merge(
    sha: string,
    trailers: Record<string, string>,
  ): Promise<{ kind: "merged"; head: string } | { kind: "conflict"; files: string[] }>;
  /** Files that still hold conflict markers. */
  markers(): Promise<string[]>;
  /** Runs the suite. `base` is the commit whose manifest says how, so that an agent cannot swap the command. */
  test(
    base: string,
    log: LogLine,
    signal: AbortSignal,
  ): Promise<{ kind: "ran"; suite: Suite } | { kind: "none" } | Later>;
};

export type IntegrateRequest = {
  /** The integration branch. */
  into: string;
  head: string;
  message: string;
  trailers: Record<string, string>;
  /** What "green" means: not redder than this suite; null: exit code 0. */
  notRedderThan: Suite | null;
  /** The commit whose manifest says how to test. */
  base: string;
  log: LogLine;
  signal: AbortSignal;
};

export type Integrated =
  | { kind: "integrated"; tip: string; suite: Suite | null }
  /** The head was in the branch already. */
  | { kind: "already"; tip: string }
  | { kind: "conflict"; files: string[]; tip: string }
  | { kind: "red"; suite: Suite; tip: string }
  | Later;

export type BaseCheck =
  | { kind: "green"; suite: Suite }
  | { kind: "red"; suite: Suite }
  | { kind: "no_tests" }
  | { kind: "setup_failed"; message: string; tail: string };
