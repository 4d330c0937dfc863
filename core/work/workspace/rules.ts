import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Context } from "./context.ts";
import { entries, gitIn } from "./git.ts";
import { STAGES } from "./stages.ts";
import type { Tree } from "./tree.ts";

/**
 * What the item's base ignores stays out of reach and out of commits for the whole item, whatever becomes of the tree's own
 * .gitignore: else a model unlocks a file by editing that first. The base's rules stand in a folder beside the tree, so that git
 * itself reads them, nested ones and negations as ever.
 */
export async function layRules(context: Context, tree: Tree, base: string): Promise<void> {
  const { rules } = tree.beside;
  const place = await mkdtemp(join(tree.gitDir, STAGES));
  const fresh = `${rules}.new`;
  try {
    const env = { GIT_INDEX_FILE: join(place, "index") };
    await context.git(["read-tree", base], { env });
    const files = await context.git(["ls-files", "-z", "--", ":(top,glob,icase)**/.gitignore"], { env });
    await rm(fresh, { recursive: true, force: true });
    await mkdir(fresh);
    await context.git(["checkout-index", "--quiet", "-z", "--stdin", `--prefix=${fresh}/`], { env, input: files });
    await rm(rules, { recursive: true, force: true });
    await rename(fresh, rules);
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}

/** Those of the paths, which are not tracked, that the item's base ignores; none in a tree that is no item's. */
export async function ignoredAtBase(context: Context, tree: Tree, paths: readonly string[]): Promise<Set<string>> {
  const { rules, excludes } = tree.beside;
  if (paths.length === 0 || !existsSync(rules)) return new Set();
  const git = gitIn(rules, context.env, [...context.settings, `core.excludesFile=${excludes}`]);
  const { code, stdout, stderr } = await git.attempt(["check-ignore", "--no-index", "-z", "--stdin"], {
    env: { GIT_DIR: tree.gitDir, GIT_WORK_TREE: rules },
    input: paths.join("\0"),
  });
  // 1: none of them.
  if (code === 0 || code === 1) return new Set(entries(stdout));
  throw new Error(`git check-ignore failed: ${stderr.trim()}`);
}
