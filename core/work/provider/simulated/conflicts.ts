import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Bytes of the largest file that is looked into. */
const LARGEST = 1024 * 1024;

/** Resolves every conflict in a tree by keeping both sides; returns the files it changed, relative to the tree. */
export async function resolveConflicts(root: string): Promise<string[]> {
  const resolved: string[] = [];
  for (const path of await filesIn(root)) {
    const file = join(root, path);
    if ((await stat(file)).size > LARGEST) continue;
    const text = await readFile(file, "utf8");
    const both = keepBoth(text);
    if (both === text) continue;
    await writeFile(file, both);
    resolved.push(path);
  }
  return resolved;
}

/** A text without conflict markers: ours, then theirs; the base of a three-way marker is dropped. */
export function keepBoth(text: string): string {
  if (!/^<{7} /m.test(text) || !/^>{7} /m.test(text)) return text;
  let side: "outside" | "ours" | "base" | "theirs" = "outside";
  const kept = text.split("\n").filter((line) => {
    const before = side;
    if (side === "outside" && line.startsWith("<<<<<<< ")) side = "ours";
    else if (side === "ours" && line.startsWith("||||||| ")) side = "base";
    else if ((side === "ours" || side === "base") && line === "=======") side = "theirs";
    else if (side === "theirs" && line.startsWith(">>>>>>> ")) side = "outside";
    return side === before && side !== "base";
  });
  return kept.join("\n");
}

async function filesIn(root: string, under = ""): Promise<string[]> {
  const entries = await readdir(join(root, under), { withFileTypes: true });
  const found: string[] = [];
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name === ".git" || entry.name === "node_modules") continue;
    const path = under === "" ? entry.name : `${under}/${entry.name}`;
    if (entry.isDirectory()) found.push(...(await filesIn(root, path)));
    else if (entry.isFile()) found.push(path);
  }
  return found;
}
