import type { Context } from "./context.ts";
import { checkSha } from "./paths.ts";

/** Reads a file of one commit, or of the tree; null when it is not there. */
export type Reader = (path: string) => Promise<string | null>;

/** A file's text at a commit, or null when there is no such file. */
export async function fileAt(context: Context, sha: string, path: string): Promise<string | null> {
  checkSha(sha);
  const { code, stdout } = await context.git.attempt(["cat-file", "blob", `${sha}:${path}`]);
  return code === 0 ? stdout : null;
}
