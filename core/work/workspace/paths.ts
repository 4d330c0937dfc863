import { lstatSync, realpathSync } from "node:fs";
import { basename, dirname, isAbsolute, join, sep } from "node:path";
import { fail } from "../../ground/errors.ts";
import { sha256 } from "../../ground/id.ts";

/** The pipeline's own branches begin so; it moves no other. */
const OURS = /^coherence(?:-[a-z]+)?\//;

/** A part of a branch name from any text: what git or a file system could mind becomes `-`, made unique by a hash. */
export function refPart(text: string): string {
  const safe = text.replace(/[^A-Za-z0-9_-]+/g, "-").replace(/^-+|-+$/g, "");
  return safe === text && text !== "" ? text : `${safe.slice(0, 60) || "x"}-${sha256(text).slice(0, 8)}`;
}

/** Throws `input.invalid` unless `branch` is one of the pipeline's own and a name that git, a file system and an argument list take. */
export function checkBranch(branch: string): void {
  const parts = branch.split("/");
  const good = parts.every((part) => /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(part) && !/\.\.|\.$|\.lock$/.test(part));
  if (!OURS.test(branch) || !good || branch.length > 200) {
    throw fail("input.invalid", `Not a branch of the pipeline: ${JSON.stringify(branch.slice(0, 200))}`, {
      remedy:
        "Its branches are coherence/<name> and coherence-<kind>/<name>, of letters, digits, dot, dash, underscore.",
    });
  }
}

/** Throws `input.invalid` unless `sha` is a full or shortened object name. */
export function checkSha(sha: string): void {
  if (!/^[0-9a-f]{7,64}$/.test(sha)) {
    throw fail("input.invalid", `Not a commit: ${JSON.stringify(sha.slice(0, 80))}`, {
      remedy: "Give the commit's hexadecimal name.",
    });
  }
}

/** A directory name for a tree, unique for a repository and a label. */
export function treeName(repository: string, label: string): string {
  return `${label.replace(/[^A-Za-z0-9_-]+/g, "-").slice(0, 80)}-${sha256(`${repository}\0${label}`).slice(0, 10)}`;
}

/** Where a relative path leads: by its name, and once links are followed. Absolute. */
export type Inside = { place: string; real: string };

/**
 * Finds a relative path inside `root`. Throws `workspace.path` for one that is absolute, leads out of the tree (by `..` or by a
 * link), or into `.git`.
 */
export function inside(root: string, path: string): Inside {
  const parts = path.split(/[\\/]/);
  if (path === "" || path.includes("\0") || isAbsolute(path) || parts.includes("..") || parts.some(isGit))
    throw refused(path);
  const top = realpathSync(root);
  const place = join(top, path);
  const target = real(place);
  if (target !== top && !target.startsWith(top + sep)) throw refused(path);
  if (target.slice(top.length).split(sep).some(isGit)) throw refused(path);
  return { place, real: target };
}

/** Whether some file system takes a name for `.git`: by its case, its short name, what it drops at the end or leaves out. */
function isGit(name: string): boolean {
  const plain = name.replace(/[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g, "").replace(/[. ]+$/, "");
  return /^(?:\.git|git~\d)(?::.*)?$/i.test(plain);
}

/** Where a place is once links are followed; of a place that is not there, its nearest ancestor that is. */
function real(place: string): string {
  try {
    return realpathSync(place);
  } catch {
    // A link to nowhere: writing to it would make the file where it points to, wherever that is.
    if (lstatSync(place, { throwIfNoEntry: false })?.isSymbolicLink()) return sep;
    return join(real(dirname(place)), basename(place));
  }
}

/** The refusal of a path. */
export function refused(path: string) {
  return fail("workspace.path", `Not a file of this tree: ${JSON.stringify(path.slice(0, 200))}`, {
    remedy: "Use a path relative to the root of the tree, of a file that is not ignored.",
    data: { refused: true },
  });
}
