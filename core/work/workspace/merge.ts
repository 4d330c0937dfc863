import { fail } from "../../ground/errors.ts";
import { entries } from "./git.ts";
import type { Tree } from "./tree.ts";

/**
 * Merges a commit into the tree without committing; returns the files in conflict, whose markers stay. Throws `workspace.git`
 * when git cannot even begin.
 */
export async function mergeIntoTree(tree: Tree, sha: string): Promise<string[]> {
  const { code, stderr } = await tree.git.attempt(["merge", "--no-ff", "--no-commit", "--no-stat", sha]);
  if (code === 0) return [];
  const files = entries(await tree.git(["diff", "--name-only", "--diff-filter=U", "-z"]));
  if (files.length > 0) return files;
  throw fail("workspace.git", `Cannot merge ${sha} in ${tree.root}: ${stderr.trim()}`, {
    remedy: "Commit or reset what is in the tree; else merge by hand to see what git minds.",
    data: { sha, exit: code },
  });
}
