import type { Context } from "./context.ts";
import { checkSha } from "./paths.ts";
import { remembered } from "./remembered.ts";

/** Reads a file of one commit, or of the tree; null when it is not there. */
export type Reader = (path: string) => Promise<string | null>;

/** A file's text at a commit, or null when there is no such file. */
export async function fileAt(context: Context, sha: string, path: string): Promise<string | null> {
  checkSha(sha);
  const name = `${sha}:${path}`;
  return remembered(context, name, async () => {
    const { code, stdout } = await context.git.attempt(["cat-file", "blob", name]);
    return code === 0 ? stdout : null;
  });
}
