import { existsSync, realpathSync } from "node:fs";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { fail } from "../../ground/errors.ts";
import * as Process from "../../ground/process/index.ts";
import type { Context } from "./context.ts";
import { gitIn, type Git } from "./git.ts";
import { treeName } from "./paths.ts";
import { dropStages } from "./stages.ts";
import { readStamp } from "./stamp.ts";

/** What we note about a tree beside it. Written last when a tree is made, so a tree without it is half-made. */
const Note = z.object({
  /** What the tree is for: an item's branch, or the integration branch it merges into. */
  branch: z.string(),
  /** Changes at every opening: whoever opened it before may not write any more. */
  token: z.string(),
  /** The branch's head when the tree last agreed with it. */
  seen: z.string(),
});
export type Note = z.infer<typeof Note>;

/** A worktree of ours: always on a detached HEAD, so that it holds no branch and moving one never needs a tree. */
export type Tree = {
  root: string;
  /** Its own part of the repository: HEAD, index, state of a merge. */
  gitDir: string;
  git: Git;
  /** Files about the tree, beside it. */
  beside: {
    note: string;
    setup: string;
    excludes: string;
    manifest: string;
    npmrc: string;
    makefile: string;
    rules: string;
  };
};

/** Set-ups leave these behind; where a repository forgot to ignore them they are still no one's work. */
const NEVER_WORK = ["node_modules/", ".venv/", "__pycache__/"];

/** The absolute path of the tree for `label`. */
export function rootOf(context: Context, label: string): string {
  return join(context.trees, treeName(context.commonDir, label));
}

/**
 * The tree for `label`: the one that is there, or a new one at `sha` when there is none, or it is half-made or broken (a
 * broken one is moved aside, not deleted). Ends processes and removes locks that an earlier run left in it. `note` is null
 * for a new tree.
 */
export async function ensureTree(
  context: Context,
  label: string,
  sha: string,
): Promise<{ tree: Tree; note: Note | null; ended: number }> {
  const root = rootOf(context, label);
  const ended = await Process.endGroupsIn(root, context.graceMs);
  const beside = filesBeside(root);
  const note = await readNote(beside.note);
  const gitDir = note && (await gitDirOf(context, root));
  if (!gitDir) await make(context, root, sha, note !== null);
  const found = gitDir ?? (await gitDirOf(context, root));
  if (!found)
    throw fail("workspace.git", `git made no worktree in ${root}`, { remedy: `Remove ${root} and try again.` });
  const git = gitIn(root, context.env, [...context.settings, `core.excludesFile=${beside.excludes}`]);
  const tree = { root, gitDir: found, git, beside };
  await writeExcludes(context, tree);
  for (const lock of ["index.lock", "HEAD.lock"]) await rm(join(found, lock), { force: true });
  await dropStages(found);
  return { tree, note: gitDir ? note : null, ended };
}

async function make(context: Context, root: string, sha: string, noted: boolean): Promise<void> {
  await mkdir(context.trees, { recursive: true });
  if (noted && existsSync(root)) {
    await rm(`${root}.broken`, { recursive: true, force: true });
    await rename(root, `${root}.broken`);
  }
  await forget(root);
  // Twice forced: git may still list a worktree there, missing or locked by a `worktree add` that was killed.
  await context.git(["worktree", "add", "--force", "--force", "--detach", "--", root, sha]);
}

/** Removes a tree and all we note about it. */
export async function removeTree(context: Context, root: string): Promise<void> {
  await Process.endGroupsIn(root, context.graceMs);
  await context.git.attempt(["worktree", "remove", "--force", "--force", "--", root]);
  await forget(root);
  await rm(`${root}.broken`, { recursive: true, force: true });
}

async function forget(root: string): Promise<void> {
  await rm(root, { recursive: true, force: true });
  for (const file of Object.values(filesBeside(root))) await rm(file, { recursive: true, force: true });
}

/** Where the notes about the tree in `root` are. */
export function filesBeside(root: string): Tree["beside"] {
  return {
    note: `${root}.json`,
    setup: `${root}.setup.json`,
    excludes: `${root}.exclude`,
    manifest: `${root}.manifest`,
    npmrc: `${root}.npmrc`,
    makefile: `${root}.makefile`,
    rules: `${root}.rules`,
  };
}

/** The note at `path`, or null when it is missing or unreadable. */
export async function readNote(path: string): Promise<Note | null> {
  try {
    return Note.parse(JSON.parse(await readFile(path, "utf8")));
  } catch {
    return null;
  }
}

/** Writes a file so that a kill leaves the old one or the new one. */
export async function replaceFile(path: string, text: string | Uint8Array): Promise<void> {
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
}

/** Tells git what to leave out in this tree: what the user ignores everywhere, what set-ups leave, and what this tree's made. */
export async function writeExcludes(context: Context, tree: Tree): Promise<void> {
  const { created } = await readStamp(tree.beside.setup);
  const rooted = created.map((path) => `/${path.replace(/[\\*?[\]!# ]/g, "\\$&")}`);
  await replaceFile(tree.beside.excludes, [context.ignored, ...NEVER_WORK, ...rooted, ""].join("\n"));
}

/** Sets tree, index and HEAD to a commit and drops what is neither committed nor ignored. */
export async function resetTree(tree: Tree, sha: string): Promise<void> {
  await dropState(tree);
  await moveHead(tree, sha);
  await tree.git(["reset", "--hard", "--quiet"]);
  await tree.git(["clean", "-ffdq"]);
}

/** Points the tree's HEAD to a commit and to no branch; files and index stay as they are. */
export async function moveHead(tree: Tree, sha: string): Promise<void> {
  if (!(await standsOn(tree, sha))) await tree.git(["update-ref", "--no-deref", "HEAD", sha]);
}

/** Whether the tree's HEAD is this commit and no branch. Detached, HEAD is a file that holds the commit: git need not be asked. */
export async function standsOn(tree: Tree, sha: string): Promise<boolean> {
  const now = await readFile(join(tree.gitDir, "HEAD"), "utf8").catch(() => "");
  return now.trim() === sha;
}

/** Forgets a merge, rebase, cherry-pick or bisect that somebody left half-way; files are not touched. */
export async function dropState(tree: Tree): Promise<void> {
  const state =
    "MERGE_HEAD MERGE_MSG MERGE_MODE AUTO_MERGE CHERRY_PICK_HEAD REVERT_HEAD REBASE_HEAD ORIG_HEAD " +
    "SQUASH_MSG sequencer rebase-merge rebase-apply BISECT_LOG BISECT_START";
  for (const name of state.split(" ")) await rm(join(tree.gitDir, name), { recursive: true, force: true });
}

/** Git's own directory of the worktree in `root`, or null when there is no sound one. */
async function gitDirOf(context: Context, root: string): Promise<string | null> {
  if (!existsSync(join(root, ".git"))) return null; // git would look further up
  const git = gitIn(root, context.env);
  const { code, stdout } = await git.attempt(["rev-parse", "--show-toplevel", "--absolute-git-dir"]);
  const [top, gitDir] = stdout.split("\n");
  if (code !== 0 || !top || !gitDir || realpathSync(top) !== realpathSync(root)) return null;
  return gitDir.startsWith(join(context.commonDir, "worktrees")) ? gitDir : null;
}

/** Runs `work` unless this process is already at work on that tree, which throws `workspace.moved`. */
export async function exclusively<T>(context: Context, label: string, work: () => Promise<T>): Promise<T> {
  const root = rootOf(context, label);
  if (context.busy.has(root)) {
    throw fail("workspace.moved", `The tree of ${label} is being opened by somebody else`, {
      remedy: "Wait until that attempt has ended; only one works on a branch.",
      data: { branch: label },
    });
  }
  context.busy.add(root);
  try {
    return await work();
  } finally {
    context.busy.delete(root);
  }
}
