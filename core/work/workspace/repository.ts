import { realpathSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, resolve, sep } from "node:path";
import type { Clock } from "../../ground/clock.ts";
import { CoherenceError, fail } from "../../ground/errors.ts";
import { splitCommand } from "./arguments.ts";
import { checkCommit } from "./base.ts";
import { headOf, isAncestor, moveBranch } from "./branches.ts";
import { cleanUp } from "./cleanup.ts";
import type { Context } from "./context.ts";
import { gitIn, userSettings } from "./git.ts";
import { integrateHead } from "./integrate.ts";
import { openBranch } from "./open.ts";
import { checkBranch, checkSha } from "./paths.ts";
import type { Repository } from "./port.ts";
import { fileAt } from "./show.ts";

const GRACE_MS = 10_000;
const BRANCHES = "refs/heads/";
const SUITE_TIMEOUT_MS = 1_800_000;

export type RepositoryOptions = {
  /** The root of the user's checkout. */
  dir: string;
  /** The host's home; our worktrees live in `<home>/trees`, which must not be inside the checkout. */
  home: string;
  /** The environment of git, set-up and tests; start from `Process.baseEnv`. */
  env: Readonly<Record<string, string>>;
  /** Dates the commits, and limits suites and set-ups. */
  clock: Clock;
  /** COHERENCE_SETUP_COMMAND and COHERENCE_TEST_COMMAND: split by quotes, never given to a shell. */
  setupCommand?: string;
  testCommand?: string;
  /** Ms that a suite, and each command of a set-up, may take (default 1 800 000). */
  suiteTimeoutMs?: number;
  /** Ms between SIGTERM and SIGKILL (default 10 000). */
  graceMs?: number;
};

/**
 * Opens a git checkout for the pipeline. Throws `workspace.not_a_repository` (also for a bare one and for a directory inside
 * one), `workspace.no_commits`, and `config.invalid` for a home inside it or a command that needs a shell.
 */
export async function openRepository(options: RepositoryOptions): Promise<Repository> {
  const context = await contextOf(options);
  const { git } = context;
  return {
    async user() {
      const [head = "", name = ""] = (await git(["rev-parse", "HEAD", "--symbolic-full-name", "HEAD"])).split("\n");
      return { branch: name.startsWith(BRANCHES) ? name.slice(BRANCHES.length) : null, head };
    },
    dirty: async () => (await git(["status", "--porcelain"])) !== "",
    async ensureIntegration(branch) {
      checkBranch(branch);
      const tip = await headOf(context, branch);
      if (tip) return tip;
      const head = (await git(["rev-parse", "HEAD"])).trim();
      await moveBranch(context, branch, null, head);
      return head;
    },
    head: (branch) => headOf(context, branch),
    async contains(branch, sha) {
      checkSha(sha);
      const tip = await headOf(context, branch);
      return tip !== null && isAncestor(context, sha, tip);
    },
    show: (sha, path) => fileAt(context, sha, path),
    open: (request) => openBranch(context, request),
    integrate: (request) => integrateHead(context, request),
    checkBase: (sha, log, signal) => checkCommit(context, sha, log, signal),
    cleanup: (keep, dryRun = false) => cleanUp(context, keep, dryRun),
  };
}

async function contextOf(options: RepositoryOptions): Promise<Context> {
  const env = { ...options.env };
  const dir = resolve(options.dir);
  const user = await userSettings(env);
  const settings = user.trusted.map((value) => `safe.directory=${value}`);
  const git = gitIn(dir, env, settings);
  const { top, commonDir } = await locate(dir, git);

  const trees = resolve(options.home, "trees");
  if (`${trees}${sep}`.startsWith(dir + sep) || `${trees}${sep}`.startsWith(top + sep)) {
    throw fail("config.invalid", `The home ${options.home} is inside the checkout ${top}`, {
      remedy: "Set COHERENCE_HOME to a directory outside the repository.",
    });
  }
  if ((await git.attempt(["rev-parse", "--verify", "--quiet", "HEAD^{commit}"])).code !== 0) {
    throw fail("workspace.no_commits", `${top} has no commit yet`, {
      remedy: 'Make a first one: git commit --allow-empty -m "Begin"',
    });
  }
  const { setupCommand, testCommand } = options;
  return {
    dir: top,
    commonDir,
    trees: settled(trees),
    env,
    git,
    settings,
    ignored: await ignoredEverywhere(env, user.excludesFile),
    clock: options.clock,
    setupCommand: setupCommand === undefined ? null : splitCommand(setupCommand, "COHERENCE_SETUP_COMMAND"),
    testCommand: testCommand === undefined ? null : splitCommand(testCommand, "COHERENCE_TEST_COMMAND"),
    suiteTimeoutMs: options.suiteTimeoutMs ?? SUITE_TIMEOUT_MS,
    graceMs: options.graceMs ?? GRACE_MS,
    busy: new Set(),
    known: new Map(),
  };
}

async function locate(dir: string, git: Context["git"]): Promise<{ top: string; commonDir: string }> {
  const refuse = (why: string, remedy: string) => fail("workspace.not_a_repository", `${dir} ${why}`, { remedy });
  const asked = await git
    .attempt(["rev-parse", "--path-format=absolute", "--is-bare-repository", "--git-common-dir"])
    .catch((thrown: unknown) => {
      // The directory is not there, or is a file. Without git itself the first error says the right thing.
      if (thrown instanceof CoherenceError && thrown.data["code"] === "ENOENT" && exists(dir)) throw thrown;
      throw refuse("is not a directory", "Start in the root of a git checkout.");
    });
  if (asked.code !== 0) {
    const why = /dubious ownership/.test(asked.stderr) ? "belongs to another user" : "is not a git repository";
    throw refuse(why, "Start in the root of a git checkout of yours, or make one: git init");
  }
  const [bare, commonDir = ""] = asked.stdout.split("\n");
  const inner = await git.attempt(["rev-parse", "--show-toplevel"]);
  if (bare === "true" || inner.code !== 0) {
    throw refuse("is a repository without a working tree", "Start in a checkout: git clone it, or git worktree add.");
  }
  const top = realpathSync(inner.stdout.trim());
  if (top !== realpathSync(dir)) throw refuse(`is inside the repository ${top}`, `Start in ${top}.`);
  return { top, commonDir: realpathSync(commonDir) };
}

function exists(dir: string): boolean {
  try {
    return realpathSync(dir) !== "";
  } catch {
    return false;
  }
}

/** A path as git will name it, though its end may not be there yet. */
function settled(path: string): string {
  return exists(path) ? realpathSync(path) : join(settled(resolve(path, "..")), path.slice(path.lastIndexOf(sep) + 1));
}

async function ignoredEverywhere(env: Readonly<Record<string, string>>, file: string | null): Promise<string> {
  const usual = join(env["XDG_CONFIG_HOME"] ?? join(env["HOME"] ?? "/", ".config"), "git/ignore");
  return readFile(file ?? usual, "utf8").catch(() => "");
}
