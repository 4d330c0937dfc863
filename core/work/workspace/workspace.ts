import { realpathSync } from "node:fs";
import { mkdir, unlink } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { fail } from "../../ground/errors.ts";
import { isAncestor } from "./branches.ts";
import { commitTree } from "./commit.ts";
import type { Context } from "./context.ts";
import { readPlain, writePlain } from "./files.ts";
import { entries } from "./git.ts";
import { pathspecs } from "./glob.ts";
import { mergeIntoTree } from "./merge.ts";
import { checkSha, inside, refused, type Inside } from "./paths.ts";
import type { Workspace } from "./port.ts";
import { ignoredAtBase } from "./rules.ts";
import { searchIn } from "./search.ts";
import { prepareTree } from "./setup.ts";
import { diffStaged, stage } from "./stage.ts";
import { runSuite } from "./suite.ts";
import { readNote, resetTree, type Tree } from "./tree.ts";

const PATCH_BYTES = 200_000;
/** Ms that git may take to match a pattern of a model's, or a path by rules that a model wrote: some keep it busy for ever. */
const MATCHED_MS = 5_000;

/** The open tree of one branch; `opened.note` writes down the branch's head after each move. */
export function workspaceOf(
  context: Context,
  tree: Tree,
  opened: { branch: string; openedAt: string; token: string; note: (head: string) => Promise<void> },
): Workspace {
  const { branch, openedAt, token } = opened;
  let seen = openedAt;

  const stillMine = async () => {
    if ((await readNote(tree.beside.note))?.token === token) return;
    throw fail("workspace.moved", `The tree of ${branch} was opened by somebody else since`, {
      remedy: "Nothing to do: the newer attempt goes on from there.",
      data: { branch },
    });
  };
  const top = realpathSync(tree.root);
  const isTracked = async (path: string) =>
    (await tree.git.attempt(["ls-files", "--error-unmatch", "--", `:(top,literal)${path}`])).code === 0;
  const place = async (path: string): Promise<Inside> => {
    const found = inside(top, path);
    // ./ so that a name is never a pattern. 0: ignored, 1: not, 128: git cannot tell, as of what is behind a linked folder.
    const code = async (name: string) =>
      (await tree.git.attempt(["check-ignore", "--quiet", "--", `./${name}`], { withinMs: MATCHED_MS })).code;
    // The file behind a link counts too: a link that is not ignored must not lead to a file that is.
    const [named, behind] = [relative(top, found.place), relative(top, found.real)];
    if ((await code(behind)) !== 1 || (behind !== named && (await code(named)) === 0)) throw refused(path);
    for (const one of await ignoredAtBase(context, tree, [behind, named]))
      if (!(await isTracked(one))) throw refused(path);
    return found;
  };
  const list = async (pattern?: string) => {
    const ask = async (...which: string[]) => {
      const args = ["ls-files", ...which, "-z", "--", ...pathspecs(pattern)];
      const { code, stdout } = await tree.git.attempt(args, pattern === undefined ? {} : { withinMs: MATCHED_MS });
      if (code === 0) return entries(stdout);
      const why = code === null ? "it takes too long to be matched" : "it leads out of the tree, or is none";
      throw fail("workspace.path", `No such pattern: ${JSON.stringify(pattern)}: ${why}`, {
        remedy: "Name a folder, or a plain glob such as src/**/*.ts.",
      });
    };
    const gone = new Set(await ask("--deleted"));
    const others = await ask("--others", "--exclude-standard");
    const ignored = await ignoredAtBase(context, tree, others);
    return [...(await ask("--cached", "--deduplicate")), ...others.filter((path) => !ignored.has(path))]
      .filter((path) => !gone.has(path))
      .toSorted();
  };
  const commit = async (message: string, trailers: Record<string, string>, trusted: boolean) => {
    await stillMine();
    const made = await commitTree(context, tree, { branch, seen }, message, trailers, { trusted });
    if (made) {
      seen = made;
      await opened.note(made);
    }
    return made;
  };

  return {
    root: tree.root,
    branch,
    openedAt,
    prepare: (log, signal) => prepareTree(context, tree, log, signal),
    async reset() {
      await stillMine();
      await resetTree(tree, seen);
    },
    list,
    async read(path) {
      const { real } = await place(path);
      return (await readPlain(real, path)).toString("utf8");
    },
    search: async (text, pattern) => searchIn(context.clock, top, await list(pattern), text),
    async write(path, text) {
      await stillMine();
      const { real } = await place(path);
      await mkdir(dirname(real), { recursive: true });
      await writePlain(real, path, text);
    },
    async remove(path) {
      await stillMine();
      const { place: named } = await place(path);
      // What is removed is the link, not what is behind it: so its folder has to be the tree's.
      const folder = dirname(named) === top ? top : inside(top, relative(top, dirname(named))).real;
      return unlink(join(folder, basename(named))).then(
        () => true,
        () => false,
      );
    },
    async diff(from) {
      checkSha(from);
      const staged = await stage(context, tree, seen);
      try {
        return await diffStaged(staged, from, PATCH_BYTES - 100); // room for the line that says what is left out
      } finally {
        await staged.drop();
      }
    },
    async committed(from) {
      checkSha(from);
      const args = ["diff", "--name-status", "--no-renames", "--no-ext-diff", "-z", from, seen];
      const words = entries(await tree.git(args));
      const files = words.filter((_, i) => i % 2 === 1);
      return { files, present: files.filter((_, i) => words[2 * i] !== "D") };
    },
    head: async () => seen,
    commit: (message, trailers) => commit(message, trailers, false),
    async merge(sha, trailers) {
      checkSha(sha);
      await stillMine();
      if (await isAncestor(context, sha, seen)) return { kind: "merged", head: seen };
      const files = await mergeIntoTree(tree, sha);
      if (files.length > 0) return { kind: "conflict", files };
      // Trusted: it is committed elsewhere already, and a key in it is not this item's doing.
      const made = await commit(`Merge ${sha.slice(0, 12)} into ${branch}`, trailers, true);
      return { kind: "merged", head: made ?? seen };
    },
    async markers() {
      const here = await withMarkers((args) => tree.git.attempt([...args, "--untracked"]), "");
      if (here.length === 0) return [];
      const known = new Set(await withMarkers((args) => context.git.attempt([...args, "HEAD"]), "HEAD:"));
      return here.filter((path) => !known.has(path));
    },
    test: (base, log, signal) => runSuite(context, tree, base, log, signal),
  };
}

/** Files that hold both the first and the last line of a conflict; those of the user's HEAD are examples, not conflicts. */
async function withMarkers(grep: (args: string[]) => Promise<{ stdout: string }>, prefix: string): Promise<string[]> {
  const both = ["--all-match", "-e", "^<<<<<<< ", "-e", "^>>>>>>> "];
  const { stdout } = await grep(["grep", "-I", "--files-with-matches", "-z", ...both]);
  return entries(stdout).map((path) => path.slice(prefix.length));
}
