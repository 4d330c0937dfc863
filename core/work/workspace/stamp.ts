import { readFile } from "node:fs/promises";
import * as z from "zod";

/** What we note about a tree's set-up. */
const Stamp = z.object({
  /** Of the commands and the lockfile of the last set-up that succeeded; null: none has, or one is under way. */
  hash: z.string().nullable(),
  /** Paths that set-ups made and nobody ignores. */
  created: z.array(z.string()),
});
export type Stamp = z.infer<typeof Stamp>;

/** The stamp at `path`; an empty one when it is missing or unreadable. */
export async function readStamp(path: string): Promise<Stamp> {
  try {
    return Stamp.parse(JSON.parse(await readFile(path, "utf8")));
  } catch {
    return { hash: null, created: [] };
  }
}
