import * as Clock from "../../ground/clock.ts";
import { fail } from "../../ground/errors.ts";
import * as Process from "../../ground/process/index.ts";

/** Bytes of an answer that are read whole; lists and files are below, and a patch says how much of it it wants. */
const KEEP_BYTES = 128 * 1024 * 1024;
const NEVER = new AbortController().signal;

/** The pipeline's identity as variables; agents that run git themselves need them too on a machine without one. */
export const IDENTITY: Readonly<Record<string, string>> = {
  GIT_AUTHOR_NAME: "Coherence Pipeline",
  GIT_AUTHOR_EMAIL: "pipeline@coherence.invalid",
  GIT_COMMITTER_NAME: "Coherence Pipeline",
  GIT_COMMITTER_EMAIL: "pipeline@coherence.invalid",
};

/** No prompt, pager, editor or settings of the machine; `OPTIONAL_LOCKS`: a look at the user's tree must not write its index. */
const ENVIRONMENT = {
  ...IDENTITY,
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_TERMINAL_PROMPT: "0",
  GIT_OPTIONAL_LOCKS: "0",
  GIT_PAGER: "cat",
  GIT_EDITOR: "true",
  LC_ALL: "C.UTF-8",
};

/** What the repository's own settings must not decide: hooks, signing, background work, how a conflict looks. */
const SETTINGS = [
  "core.hooksPath=/dev/null",
  "core.fsmonitor=false",
  "core.quotePath=false",
  "commit.gpgSign=false",
  "tag.gpgSign=false",
  "gc.auto=0",
  "maintenance.auto=false",
  "merge.conflictStyle=merge",
  "merge.verifySignatures=false",
  "rerere.enabled=false",
  "rebase.autoStash=false",
  "merge.autoStash=false",
  "submodule.recurse=false",
  "advice.detachedHead=false",
];

/** Ms that a call may take: a pattern in a .gitignore of somebody's may keep git busy for ever. */
const WITHIN_MS = 600_000;

/** `withinMs`: after that it is ended, and has the code null. */
export type GitOptions = { input?: string; env?: Record<string, string>; keepBytes?: number; withinMs?: number };

/** Git in one directory. */
export type Git = {
  /** Standard output; throws `workspace.git` when git says no. */
  (args: readonly string[], options?: GitOptions): Promise<string>;
  /** The same, giving the exit code instead of throwing. */
  attempt(
    args: readonly string[],
    options?: GitOptions,
  ): Promise<{ code: number | null; stdout: string; stderr: string }>;
};

/**
 * Git in `cwd` with the pipeline's identity and without hooks, signing, prompts or pagers; `settings` ("name=value") are
 * added. Run without a supervisor: a call takes 2 ms, a supervisor 30.
 */
export function gitIn(cwd: string, env: Readonly<Record<string, string>>, settings: readonly string[] = []): Git {
  const fixed = [...SETTINGS, ...settings].flatMap((setting) => ["-c", setting]);
  const attempt: Git["attempt"] = async (args, options = {}) => {
    const limit = Clock.deadline(Clock.system(), options.withinMs ?? WITHIN_MS);
    try {
      return await Process.exec(
        {
          file: "git",
          args: [...fixed, ...args],
          cwd,
          env: { ...env, ...ENVIRONMENT, ...options.env },
          keepBytes: options.keepBytes ?? KEEP_BYTES,
          graceMs: 1000,
          ...(options.input === undefined ? {} : { input: options.input }),
        },
        limit.signal,
      );
    } finally {
      limit.clear();
    }
  };
  const git = async (args: readonly string[], options?: GitOptions) => {
    const exit = await attempt(args, options);
    if (exit.code === 0) return exit.stdout;
    const said = exit.code === null ? "it took too long and was ended" : exit.stderr.trim().slice(-2000);
    throw fail("workspace.git", `git ${args[0] ?? ""} failed in ${cwd}: ${said}`, {
      remedy: "Run the same git command there by hand to see what is wrong with the repository.",
      data: { args: [...args], exit: exit.code },
    });
  };
  return Object.assign(git, { attempt });
}

/** The entries of an answer asked for with `-z`. */
export function entries(text: string): string[] {
  return text.split("\0").filter((entry) => entry !== "");
}

/** The two settings of the user's own that count for us too: which repositories are trusted, and what is ignored everywhere. */
export async function userSettings(
  env: Readonly<Record<string, string>>,
): Promise<{ trusted: string[]; excludesFile: string | null }> {
  const args = ["config", "--global", "--includes", "--type=path", "-z", "--get-regexp"];
  const pattern = "^(safe\\.directory|core\\.excludesfile)$";
  const { stdout } = await Process.exec({ file: "git", args: [...args, pattern], cwd: "/", env }, NEVER);
  const pairs = entries(stdout).map((entry) => {
    const cut = entry.indexOf("\n");
    return { name: entry.slice(0, cut), value: entry.slice(cut + 1) };
  });
  return {
    trusted: pairs.filter((each) => each.name === "safe.directory").map((each) => each.value),
    excludesFile: pairs.findLast((each) => each.name === "core.excludesfile")?.value ?? null,
  };
}
