import { realpathSync } from "node:fs";
import { gitIn, userSettings } from "./git.ts";

/** A file at the user's HEAD, in the root of the checkout. */
export type HeadFile =
  /** `dir` is not the root of a checkout. */
  | { kind: "no_repository" }
  | { kind: "absent" }
  | { kind: "text"; text: string }
  /** Something else of that name, or a file over `maxBytes`. */
  | { kind: "other"; what: "a symbolic link" | "a folder" | "too large" };

/**
 * Reads a small file as it is at HEAD: what only lies in the tree may be anybody's. `gitDir` is where its moves are seen. Throws
 * `process.failed` where there is no git, `workspace.git` where it says no.
 */
export async function fileOfHead(
  dir: string,
  env: Readonly<Record<string, string>>,
  path: string,
  maxBytes: number,
): Promise<{ file: HeadFile; gitDir: string | null }> {
  const { trusted } = await userSettings(env);
  const git = gitIn(
    dir,
    env,
    trusted.map((value) => `safe.directory=${value}`),
  );
  const found = await git.attempt(["rev-parse", "--path-format=absolute", "--show-toplevel", "--git-dir"]);
  const [top = "", gitDir = ""] = found.stdout.split("\n");
  if (found.code !== 0 || top === "" || realpathSync(top) !== realpathSync(dir))
    return { file: { kind: "no_repository" }, gitDir: null };
  if ((await git.attempt(["rev-parse", "--verify", "--quiet", "HEAD^{commit}"])).code !== 0)
    return { file: { kind: "absent" }, gitDir };
  const entry = await git(["ls-tree", "-l", "-z", "--full-tree", "HEAD", "--", path]);
  const [, mode, , sha, size] = /^(\d+) (\w+) ([0-9a-f]+) +(\d+|-)\t/.exec(entry) ?? [];
  if (mode === undefined || sha === undefined) return { file: { kind: "absent" }, gitDir };
  if (mode === "120000") return { file: { kind: "other", what: "a symbolic link" }, gitDir };
  if (!mode.startsWith("100")) return { file: { kind: "other", what: "a folder" }, gitDir };
  if (Number(size) > maxBytes) return { file: { kind: "other", what: "too large" }, gitDir };
  return { file: { kind: "text", text: await git(["cat-file", "blob", sha]) }, gitDir };
}
