import { mkdir, readFile, stat, unlink, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fail, messageOf } from "../../ground/errors.ts";
import { isAncestor } from "./branches.ts";
import { commitTree } from "./commit.ts";
import type { Context } from "./context.ts";
import { entries } from "./git.ts";
import { mergeIntoTree } from "./merge.ts";
import { behindLinks, checkSha, inside, refused } from "./paths.ts";
import type { Workspace } from "./port.ts";
import { prepareTree } from "./setup.ts";
import { diffStaged, stage } from "./stage.ts";
import { runSuite } from "./suite.ts";
import { readNote, resetTree, type Tree } from "./tree.ts";

const PATCH_BYTES = 200_000;
const MOST_HITS = 200;
/** A larger file is no source text. */
const READ_BYTES = 4 * 1024 * 1024;

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
  const place = async (path: string) => {
    const absolute = inside(tree.root, path);
    // By the file behind a link too: a link that is not ignored must not lead to a file that is.
    const names = new Set([path, behindLinks(tree.root, absolute)]);
    for (const name of names) {
      // ./ so that a name is never a pattern. 1 is the one code that says "not ignored".
      const { code } = await tree.git.attempt(["check-ignore", "--quiet", "--", `./${name}`]);
      if (code !== 1) throw refused(path);
    }
    return absolute;
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
    async list() {
      const gone = new Set(entries(await tree.git(["ls-files", "--deleted", "-z"])));
      const all = ["ls-files", "--cached", "--others", "--exclude-standard", "--deduplicate", "-z"];
      return entries(await tree.git(all)).filter((path) => !gone.has(path));
    },
    async read(path) {
      const absolute = await place(path);
      const found = await stat(absolute).catch(() => null);
      // A pipe would be waited for, and a device has no end.
      if (!found?.isFile()) throw unreadable(path, "there is no such file");
      if (found.size > READ_BYTES) throw unreadable(path, `it has ${found.size} bytes, more than ${READ_BYTES}`);
      return readFile(absolute, "utf8").catch((thrown: unknown) => {
        throw unreadable(path, messageOf(thrown), thrown);
      });
    },
    async search(text) {
      const args = [
        "grep",
        "-I",
        "--untracked",
        "--fixed-strings",
        "--line-number",
        "-z",
        "--no-color",
        "-e",
        text,
        "--",
      ];
      const { stdout } = await tree.git.attempt(args, { keepBytes: 2_000_000 });
      const hits = stdout.split("\n").flatMap((line) => {
        const [path, number, ...rest] = line.split("\0");
        return path && number && rest.length > 0
          ? [{ path, line: Number(number), text: rest.join("\0").slice(0, 500) }]
          : [];
      });
      return hits.slice(0, MOST_HITS);
    },
    async write(path, text) {
      await stillMine();
      const absolute = await place(path);
      await mkdir(dirname(absolute), { recursive: true });
      await writeFile(absolute, text);
    },
    async remove(path) {
      await stillMine();
      return unlink(await place(path)).then(
        () => true,
        () => false,
      );
    },
    async diff(from) {
      checkSha(from);
      const staged = await stage(tree, seen);
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

function unreadable(path: string, why: string, cause?: unknown) {
  return fail("workspace.path", `Cannot read ${path}: ${why}`, { remedy: "List the files first.", cause });
}

/** Files that hold both the first and the last line of a conflict; those of the user's HEAD are examples, not conflicts. */
async function withMarkers(grep: (args: string[]) => Promise<{ stdout: string }>, prefix: string): Promise<string[]> {
  const both = ["--all-match", "-e", "^<<<<<<< ", "-e", "^>>>>>>> "];
  const { stdout } = await grep(["grep", "-I", "--files-with-matches", "-z", ...both]);
  return entries(stdout).map((path) => path.slice(prefix.length));
}
