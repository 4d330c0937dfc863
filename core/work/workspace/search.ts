import { join } from "node:path";
import type { Clock } from "../../ground/clock.ts";
import { fail } from "../../ground/errors.ts";
import { readPlain } from "./files.ts";

const MOST_HITS = 200;
/** Files that are read at once. */
const TOGETHER = 16;
/** Ms of one search. */
const WITHIN_MS = 20_000;
/** Bytes in which a file that is no text has a NUL, as git takes it. */
const LOOK_BYTES = 8000;

export type Hit = { path: string; line: number; text: string };

/**
 * Finds a fixed text in files of a tree. Not by `git grep`, which reads a file of any size whole and goes through a folder that has
 * become a link; what is no plain file, and what is too large for a text, is passed over. Throws `workspace.path` when it takes too long.
 */
export async function searchIn(clock: Clock, root: string, files: readonly string[], text: string): Promise<Hit[]> {
  const until = clock.now() + WITHIN_MS;
  const wanted = Buffer.from(text);
  const hits: Hit[] = [];
  for (let i = 0; i < files.length && hits.length < MOST_HITS; i += TOGETHER) {
    if (clock.now() > until)
      throw fail("workspace.path", `The search took more than ${WITHIN_MS / 1000} s`, {
        remedy: "Search in a folder, or by a narrower pattern.",
      });
    const found = await Promise.all(files.slice(i, i + TOGETHER).map((path) => hitsOf(root, path, wanted)));
    hits.push(...found.flat());
  }
  return hits.slice(0, MOST_HITS);
}

async function hitsOf(root: string, path: string, wanted: Buffer): Promise<Hit[]> {
  const bytes = await readPlain(join(root, path), path).catch(() => null);
  if (bytes === null || bytes.subarray(0, LOOK_BYTES).includes(0)) return [];
  const hits: Hit[] = [];
  let line = 1;
  let counted = 0;
  for (let at = bytes.indexOf(wanted); at !== -1 && hits.length < MOST_HITS;) {
    const begin = at === 0 ? 0 : bytes.lastIndexOf("\n", at - 1) + 1;
    for (let next = bytes.indexOf("\n", counted); next !== -1 && next < begin; next = bytes.indexOf("\n", counted)) {
      line++;
      counted = next + 1;
    }
    const end = bytes.indexOf("\n", at);
    const text = bytes.subarray(begin, end === -1 ? bytes.length : end).toString("utf8");
    hits.push({ path, line, text: text.replace(/\r$/, "").slice(0, 500) });
    at = end === -1 ? -1 : bytes.indexOf(wanted, end + 1);
  }
  return hits;
}
