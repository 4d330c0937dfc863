import { rm } from "node:fs/promises";
import { join, sep } from "node:path";
import { fail } from "../../ground/errors.ts";
import type { Context } from "./context.ts";
import { checkBranch } from "./paths.ts";

/** Where our branches with work of items and tasks lie. */
const WORK = ["refs/heads/coherence-item/", "refs/heads/coherence-task/"];
const NONE = "0".repeat(40);

/** The head of a branch, or null. */
export async function headOf(context: Context, branch: string): Promise<string | null> {
  const ref = ["rev-parse", "--verify", "--quiet", "--end-of-options", `refs/heads/${branch}^{commit}`];
  const { code, stdout } = await context.git.attempt(ref);
  return code === 0 ? stdout.trim() : null;
}

/** Whether `ancestor` is `sha` or one of its ancestors; false for a commit that is not there. */
export async function isAncestor(context: Context, ancestor: string, sha: string): Promise<boolean> {
  return (await context.git.attempt(["merge-base", "--is-ancestor", ancestor, sha])).code === 0;
}

/**
 * Moves a branch of ours from `from` (null: it must not exist) to `to` by compare-and-swap. Throws `workspace.moved` when
 * somebody else moved it, and `workspace.git` when a person has it checked out, whose tree would seem to change.
 */
export async function moveBranch(context: Context, branch: string, from: string | null, to: string): Promise<void> {
  checkBranch(branch);
  await refuseCheckedOut(context, branch);
  const ref = `refs/heads/${branch}`;
  const { code, stderr } = await context.git.attempt(["update-ref", "-m", "coherence: move", ref, to, from ?? NONE]);
  if (code === 0) return;
  const head = await headOf(context, branch);
  if (head === to) return; // somebody made the very same move
  if (head !== from) {
    throw fail(
      "workspace.moved",
      `${branch} was moved by somebody else, from ${from ?? "nothing"} to ${head ?? "nothing"}`,
      {
        remedy: "Nothing is lost: the next attempt begins at the branch's head.",
        data: { branch, expected: from, found: head },
      },
    );
  }
  throw fail("workspace.git", `Cannot move ${branch}: ${stderr.trim()}`, {
    remedy: `Look at what stands in the way of ${ref}: another branch named like its beginning, or rights.`,
    data: { branch },
  });
}

/** Deletes a branch of ours if its head is still `from`. */
export async function deleteBranch(context: Context, branch: string, from: string): Promise<void> {
  checkBranch(branch);
  await refuseCheckedOut(context, branch);
  await context.git(["update-ref", "-d", `refs/heads/${branch}`, from]);
}

/** Removes the lock that a git killed while it moved this branch has left; only for the one who holds the branch. */
export async function unlockBranch(context: Context, branch: string): Promise<void> {
  await rm(join(context.commonDir, "refs/heads", `${branch}.lock`), { force: true });
}

/** Our branches with work of items and tasks, with their heads. */
export async function workBranches(context: Context): Promise<{ branch: string; head: string }[]> {
  const text = await context.git(["for-each-ref", "--format=%(objectname) %(refname:lstrip=2)", ...WORK]);
  return text
    .split("\n")
    .filter(Boolean)
    .map((line) => ({ head: line.slice(0, line.indexOf(" ")), branch: line.slice(line.indexOf(" ") + 1) }));
}

/** Whether the user's own branch or an integration branch holds the commit, so that another branch of ours may go. */
export async function isHeldElsewhere(context: Context, sha: string): Promise<boolean> {
  // By its name: a detached HEAD holds nothing once it moves on. A work branch that the user is on does not hold itself.
  const { stdout } = await context.git.attempt(["symbolic-ref", "--quiet", "HEAD"]);
  const users = stdout.trim();
  const holders = WORK.some((work) => users.startsWith(work)) || users === "" ? [] : [users];
  const missing = ["rev-list", "--max-count=1", sha, "--not", "--branches=coherence", ...holders, "--"];
  return (await context.git(missing)).trim() === "";
}

async function refuseCheckedOut(context: Context, branch: string): Promise<void> {
  const place = await checkedOutAt(context, branch);
  if (place === null) return;
  throw fail("workspace.git", `${branch} is checked out in ${place}, and moving it would disturb that tree`, {
    remedy: `Switch ${place} to another branch, or detach it: git -C ${place} checkout --detach`,
    data: { branch, place },
  });
}

/** The person's tree that has a branch of ours checked out, or null. */
export async function checkedOutAt(context: Context, branch: string): Promise<string | null> {
  const list = await context.git(["worktree", "list", "--porcelain"]);
  const holder = list.split("\n\n").find((each) => each.split("\n").includes(`branch refs/heads/${branch}`));
  if (!holder) return null;
  const place = holder.slice("worktree ".length, holder.indexOf("\n"));
  // An agent checked it out in a tree of ours: the next commit detaches it.
  return place.startsWith(context.trees + sep) ? null : place;
}
