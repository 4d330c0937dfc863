import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { baseLabel } from "./base.ts";
import { checkedOutAt, deleteBranch, isHeldElsewhere, workBranches } from "./branches.ts";
import type { Context } from "./context.ts";
import { mergeLabel } from "./integrate.ts";
import { filesBeside, readNote, removeTree, rootOf } from "./tree.ts";

/**
 * Removes the trees of branches that `keep` does not name, and those of the branches whose work is held elsewhere; a branch that
 * is the only copy of its work stays. So do trees in use and other repositories'. `dryRun`: only says what would go.
 */
export async function cleanUp(
  context: Context,
  keep: (branch: string) => boolean,
  dryRun: boolean,
): Promise<{ worktrees: string[]; branches: string[] }> {
  const worktrees: string[] = [];
  // The names of roots hold no dot, those of the files beside them do.
  const names = new Set((await readdir(context.trees).catch(() => [])).map((file) => file.split(".")[0] ?? ""));
  for (const root of [...names].map((name) => join(context.trees, name))) {
    if (context.busy.has(root) || !(isLeftBase(context, root) || (await isOver(context, root, keep)))) continue;
    if (!dryRun) await removeTree(context, root);
    worktrees.push(root);
  }
  const branches: string[] = [];
  for (const { branch, head } of await workBranches(context)) {
    if (keep(branch) || context.busy.has(rootOf(context, branch)) || !(await mayGo(context, branch, head))) continue;
    if (!dryRun) await deleteBranch(context, branch, head);
    branches.push(branch);
  }
  return { worktrees, branches };
}

/** Whether the tree of ours in `root` is for a branch that nobody keeps. */
async function isOver(context: Context, root: string, keep: (branch: string) => boolean): Promise<boolean> {
  const note = await readNote(filesBeside(root).note);
  if (!note || keep(note.branch)) return false;
  return [note.branch, mergeLabel(note.branch)].some((label) => rootOf(context, label) === root);
}

/** Whether a check of a base left the tree in `root` when it was killed; told by its name, for the note may not be written yet. */
function isLeftBase(context: Context, root: string): boolean {
  const sha = /(?<=[\\/]base-)[0-9a-f]+(?=-[0-9a-f]+$)/.exec(root)?.[0];
  return sha !== undefined && rootOf(context, baseLabel(sha)) === root;
}

async function mayGo(context: Context, branch: string, head: string): Promise<boolean> {
  return (await checkedOutAt(context, branch)) === null && (await isHeldElsewhere(context, head));
}
