import type { Clock } from "../../ground/clock.ts";
import type { Git } from "./git.ts";

/** What every verb of an opened repository needs. */
export type Context = {
  /** The user's checkout; only read. */
  dir: string;
  /** The repository proper, which all worktrees share. */
  commonDir: string;
  /** Where our worktrees and what we note about them live. */
  trees: string;
  /** The environment of set-up and tests. */
  env: Readonly<Record<string, string>>;
  /** Git in the user's checkout. */
  git: Git;
  /** Git settings ("name=value") of the user that count in our trees too. */
  settings: readonly string[];
  /** What the user ignores everywhere, as the text of an exclude file. */
  ignored: string;
  clock: Clock;
  setupCommand: readonly string[] | null;
  testCommand: readonly string[] | null;
  /** Ms that a suite, and each command of a set-up, may take. */
  suiteTimeoutMs: number;
  /** Ms between SIGTERM and SIGKILL. */
  graceMs: number;
  /** Trees in use by this process at this moment. */
  busy: Set<string>;
  /** What was asked of commits lately, by `<sha>:<path>` (a file's text) and `<sha>^{tree}` (its content): those never change. */
  known: Map<string, string | null>;
};
