import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";

/** Directories of indexes of our own, in git's directory of a tree, begin so. */
export const STAGES = "coherence-index";

/** Removes what killed stagings left in git's directory of a tree. */
export async function dropStages(gitDir: string): Promise<void> {
  for (const name of await readdir(gitDir).catch(() => []))
    if (name.startsWith(STAGES)) await rm(join(gitDir, name), { recursive: true, force: true });
}
