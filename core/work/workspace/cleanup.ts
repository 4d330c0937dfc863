import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { deleteBranch, workBranches } from "./branches.ts";
import type { Context } from "./context.ts";
import { mergeLabel } from "./integrate.ts";
import { readNote, removeTree, rootOf } from "./tree.ts";

/**
 * Removes the trees and the item and task branches that `keep` does not name; trees in use and other repositories' stay.
 * `dryRun`: only says what would go.
 */
export async function cleanUp(
  context: Context,
  keep: (branch: string) => boolean,
  dryRun: boolean,
): Promise<{ worktrees: string[]; branches: string[] }> {
  const worktrees: string[] = [];
  for (const file of await readdir(context.trees).catch(() => [])) {
    if (!file.endsWith(".json") || file.endsWith(".setup.json")) continue;
    const root = join(context.trees, file.slice(0, -".json".length));
    const note = await readNote(join(context.trees, file));
    if (!note || keep(note.branch) || context.busy.has(root)) continue;
    const ours = [note.branch, mergeLabel(note.branch)].some((label) => rootOf(context, label) === root);
    if (!ours) continue;
    if (!dryRun) await removeTree(context, root);
    worktrees.push(root);
  }
  const branches: string[] = [];
  for (const { branch, head } of await workBranches(context)) {
    if (keep(branch) || context.busy.has(rootOf(context, branch))) continue;
    if (!dryRun) await deleteBranch(context, branch, head);
    branches.push(branch);
  }
  return { worktrees, branches };
}
