import { copyFile, mkdtemp, rename, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import type { Context } from "./context.ts";
import { entries } from "./git.ts";
import { ignoredAtBase } from "./rules.ts";
import { isKeyFile, secretsIn, type Secret } from "./secrets.ts";
import { STAGES } from "./stages.ts";
import type { Tree } from "./tree.ts";

/**
 * Everything in the tree that is not ignored, staged in an index of our own: the tree's own stays as it is until `accept`.
 */
export type Staged = {
  /** Writes the staged content as a git tree object; its name. */
  written(): Promise<string>;
  /** Runs git with this index. */
  git(args: readonly string[], keepBytes?: number): Promise<string>;
  /** Makes this the tree's index. */
  accept(): Promise<void>;
  drop(): Promise<void>;
};

/** Stages the tree as it stands, without what the item's base ignores; `base` is the commit to begin from when the tree's own index is unreadable. */
export async function stage(context: Context, tree: Tree, base: string): Promise<Staged> {
  // A place of its own each time: a git that outlives a killed host must not write into the index of the next.
  const place = await mkdtemp(join(tree.gitDir, STAGES));
  const index = join(place, "index");
  const env = { GIT_INDEX_FILE: index };
  const drop = () => rm(place, { recursive: true, force: true });
  const copied = await copyIndex(join(tree.gitDir, "index"), index);
  const OTHERS = ["ls-files", "--others", "--exclude-standard", "-z"];
  let others = copied ? await tree.git.attempt(OTHERS, { env }) : null;
  if (others?.code !== 0) {
    await rm(index, { force: true });
    await tree.git(["read-tree", base], { env });
    others = { ...others, code: 0, stderr: "", stdout: await tree.git(OTHERS, { env }) };
  }
  // A repository inside the tree is no work: git could only record a link to a commit that nobody else has.
  const nested = entries(others.stdout).filter((path) => path.endsWith("/"));
  const locked = await ignoredAtBase(context, tree, entries(others.stdout));
  const left = [...nested, ...locked];
  const without = left.map((path) => `:(top,exclude,literal)${path}`);
  await tree.git(["add", "--all", ...(left.length > 0 ? ["--", ".", ...without] : [])], { env });
  return {
    written: async () => (await tree.git(["write-tree"], { env })).trim(),
    git: (args, keepBytes) => tree.git(args, { env, ...(keepBytes === undefined ? {} : { keepBytes }) }),
    accept: () => rename(index, join(tree.gitDir, "index")),
    drop,
  };
}

/**
 * Copies an index with its time, rounded down: by it git knows which files may have changed in the same instant as they were
 * staged, and looks into them. Under a newer one a change of the same length would be overlooked. False when there is none.
 */
async function copyIndex(from: string, to: string): Promise<boolean> {
  try {
    const { atime, mtime } = await stat(from);
    await copyFile(from, to);
    await utimes(to, atime, mtime);
    return true;
  } catch {
    return false;
  }
}

const PLAIN = ["--no-ext-diff", "--no-textconv", "--no-color", "--src-prefix=a/", "--dst-prefix=b/"];

/** As text whatever the tree's own .gitattributes or a NUL byte say: nobody hides a key by calling a file binary. */
const WHOLE = [...PLAIN, "--text"];

/** What changed between `from` and what is staged: names, and the patch with its middle left out beyond `bytes`. */
export async function diffStaged(
  staged: Staged,
  from: string,
  bytes: number,
): Promise<{ files: string[]; patch: string }> {
  const files = entries(await staged.git(["diff", "--cached", "--name-only", "--no-renames", "-z", from]));
  const patch = await staged.git(["diff", "--cached", ...PLAIN, from], bytes);
  return { files, patch };
}

/** What looks like a key in what is staged and was neither in `seen` nor in anything `merged`: what a merge brings in is not this tree's doing. */
export async function stagedSecrets(staged: Staged, seen: string, merged: readonly string[]): Promise<Secret[]> {
  let found = await secretsSince(staged, seen);
  for (const base of merged) {
    if (found.length === 0) break;
    const here = await secretsSince(staged, base);
    found = found.filter((a) => here.some((b) => a.file === b.file && a.line === b.line));
  }
  return found;
}

async function secretsSince(staged: Staged, base: string): Promise<Secret[]> {
  const added = ["diff", "--cached", "--name-only", "--no-renames", "--diff-filter=A", "-z", base];
  const files = entries(await staged.git(added)).filter(isKeyFile);
  const patch = await staged.git(["diff", "--cached", "-U0", "--no-renames", ...WHOLE, base]);
  return [...files.map((file) => ({ file, line: 1, kind: "a file that holds keys" })), ...secretsIn(patch)];
}

/** Whether any single commit of `range` adds what looks like a key, be it removed again later. */
export async function historyHasSecrets(tree: Tree, range: string): Promise<boolean> {
  const log = ["log", "--no-merges", "--no-renames", "--format="];
  const names = entries(await tree.git([...log, "--name-only", "--diff-filter=A", "-z", range]));
  return names.some(isKeyFile) || secretsIn(await tree.git([...log, "-p", "-U0", ...WHOLE, range])).length > 0;
}
