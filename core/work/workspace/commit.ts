import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fail } from "../../ground/errors.ts";
import { isAncestor, moveBranch } from "./branches.ts";
import type { Context } from "./context.ts";
import { remember, remembered } from "./remembered.ts";
import { historyHasSecrets, stage, stagedSecrets, type Staged } from "./stage.ts";
import { dropState, moveHead, standsOn, type Tree } from "./tree.ts";

/**
 * Commits what the tree holds on top of `seen`, the branch's head, and moves the branch there. Commits that an agent made
 * itself on top of `seen` are adopted as they are; a history it rewrote, or one that shows a key, counts only by its content.
 * Returns the branch's new head, or null when nothing changed. Throws `workspace.secret` and `workspace.moved`, and then
 * leaves files, index and HEAD's commit as they were.
 *
 * HEAD moves before the branch: killed in between, the tree is ahead of its branch, and the next opening adopts that.
 */
export async function commitTree(
  context: Context,
  tree: Tree,
  target: { branch: string; seen: string },
  message: string,
  trailers: Readonly<Record<string, string>>,
  options: { trusted?: boolean } = {},
): Promise<string | null> {
  const { branch, seen } = target;
  const head = await detachedHead(tree, seen);
  const merging = await mergeHeads(tree);
  const staged = await stage(context, tree, head);
  try {
    let onto = head !== seen && (await isAncestor(context, seen, head)) ? head : seen;
    const content = await staged.written();
    const before = await contentOf(context, seen);
    const nothingNew = onto === seen && merging.length === 0 && content === before;
    if (!options.trusted && !nothingNew) {
      await refuseSecrets(tree, staged, { seen, onto, merging });
      if (onto !== seen && (await historyHasSecrets(tree, `${seen}..${onto}`))) onto = seen;
    }
    const parents = [onto];
    for (const each of merging) if (!(await isAncestor(context, each, onto))) parents.push(each);
    const unchanged = parents.length === 1 && content === (onto === seen ? before : await contentOf(context, onto));
    const made = unchanged ? onto : await commitObject(tree, content, parents, message, trailers, context);
    await moveHead(tree, made);
    if (made !== seen) {
      try {
        await moveBranch(context, branch, seen, made);
      } catch (thrown) {
        await moveHead(tree, head);
        throw thrown;
      }
    }
    await staged.accept();
    await dropState(tree);
    return made === seen ? null : made;
  } finally {
    await staged.drop();
  }
}

/** Keeps what the tree holds under `refs/coherence/aside/`, for a branch that went on without it; returns the commit. */
export async function setAside(context: Context, tree: Tree, branch: string, message: string): Promise<string> {
  const head = await detachedHead(tree, null);
  const staged = await stage(context, tree, head);
  try {
    const content = await staged.written();
    const same = (await contentOf(context, head)) === content;
    const made = same ? head : await commitObject(tree, content, [head], message, {}, context);
    await tree.git(["update-ref", `refs/coherence/aside/${branch}/${made.slice(0, 12)}`, made]);
    return made;
  } finally {
    await staged.drop();
  }
}

/** The git tree object of a commit. */
async function contentOf(context: Context, sha: string): Promise<string> {
  const name = `${sha}^{tree}`;
  return (await remembered(context, name, async () => (await context.git(["rev-parse", name])).trim())) ?? "";
}

/** The commit that the tree stands on, or null when its HEAD cannot be read. */
export async function headIn(tree: Tree): Promise<string | null> {
  const { code, stdout } = await tree.git.attempt(["rev-parse", "--verify", "--quiet", "HEAD^{commit}"]);
  return code === 0 ? stdout.trim() : null;
}

/** The tree's commit, its HEAD taken off whatever branch an agent may have switched to; `otherwise` when it cannot be read. */
async function detachedHead(tree: Tree, otherwise: string | null): Promise<string> {
  if (otherwise !== null && (await standsOn(tree, otherwise))) return otherwise;
  const head = (await headIn(tree)) ?? otherwise;
  if (head === null) {
    throw fail("workspace.git", `${tree.root} has no readable HEAD`, {
      remedy: `Remove ${tree.root}; it is made anew.`,
    });
  }
  await moveHead(tree, head);
  return head;
}

async function mergeHeads(tree: Tree): Promise<string[]> {
  const text = await readFile(join(tree.gitDir, "MERGE_HEAD"), "utf8").catch(() => "");
  return text.split("\n").filter(Boolean);
}

/** Makes a commit object under the pipeline's identity, dated by the clock; nothing points at it yet. */
export async function commitObject(
  tree: Tree,
  content: string,
  parents: readonly string[],
  message: string,
  trailers: Readonly<Record<string, string>>,
  context: Context,
): Promise<string> {
  const date = `@${Math.floor(context.clock.now() / 1000)} +0000`;
  const args = ["commit-tree", content, ...parents.flatMap((parent) => ["-p", parent])];
  const made = await tree.git(args, {
    input: withTrailers(message, trailers),
    env: { GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date },
  });
  remember(context, `${made.trim()}^{tree}`, content);
  return made.trim();
}

/** A commit message that ends in a block of trailers, one line each. */
function withTrailers(message: string, trailers: Readonly<Record<string, string>>): string {
  const block = Object.entries(trailers).map(([key, value]) => `${key}: ${value.replace(/\s+/g, " ").trim()}`);
  return [message.trim(), ...(block.length > 0 ? ["", ...block] : []), ""].join("\n");
}

async function refuseSecrets(
  tree: Tree,
  staged: Staged,
  at: { seen: string; onto: string; merging: readonly string[] },
): Promise<void> {
  const merged = at.onto === at.seen ? [] : await mergedInto(tree, `${at.seen}..${at.onto}`);
  const [first] = await stagedSecrets(staged, at.seen, [...at.merging, ...merged]);
  if (!first) return;
  throw fail(
    "workspace.secret",
    `${first.file}:${first.line} looks like it holds ${first.kind}; nothing was committed`,
    {
      remedy: "Take it out of the tree, or add the file to .gitignore; if it is real, revoke it.",
      data: { ...first },
    },
  );
}

/** What the merge commits of a range brought in: their parents after the first. */
async function mergedInto(tree: Tree, range: string): Promise<string[]> {
  const text = await tree.git(["rev-list", "--min-parents=2", "--parents", range]);
  return text.split("\n").flatMap((line) => line.split(" ").slice(2));
}
