import type { Context } from "./context.ts";
import { checkSha } from "./paths.ts";

/** Reads a file of one commit, or of the tree; null when it is not there. */
export type Reader = (path: string) => Promise<string | null>;

/** Files that are remembered; each suite asks for the same few of its base. */
const REMEMBERED = 50;

/** A file's text at a commit, or null when there is no such file. */
export async function fileAt(context: Context, sha: string, path: string): Promise<string | null> {
  checkSha(sha);
  const name = `${sha}:${path}`;
  const known = context.shown.get(name);
  if (known !== undefined) return known;
  const { code, stdout } = await context.git.attempt(["cat-file", "blob", name]);
  const text = code === 0 ? stdout : null;
  for (const [oldest] of context.shown) if (context.shown.size >= REMEMBERED) context.shown.delete(oldest);
  context.shown.set(name, text);
  return text;
}
