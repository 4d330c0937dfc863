import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { replaceFile, type Tree } from "./tree.ts";

/**
 * `npm test` takes its text from the tree's package.json, which an agent can edit. So while the suite runs, the base's scripts
 * stand in that file again: all of them, since one script calls another. New scripts of the item stay, but none that npm would
 * run before or after one of the base's. The file's own bytes are kept beside the tree meanwhile, and put back after the run or,
 * should the host be killed, at the next opening.
 */
export async function withBaseManifest<T>(tree: Tree, base: string | null, run: () => Promise<T>): Promise<T> {
  const path = join(tree.root, "package.json");
  const own = await readFile(path, "utf8").catch(() => null);
  const stand = base !== null && own !== null ? withBaseScripts(own, base) : null;
  if (own === null || stand === null) return run();
  await replaceFile(tree.beside.manifest, own);
  try {
    await writeFile(path, stand);
    return await run();
  } finally {
    await restoreManifest(tree);
  }
}

/** Puts back a package.json that a killed run of the suite left changed. */
export async function restoreManifest(tree: Tree): Promise<void> {
  const own = await readFile(tree.beside.manifest).catch(() => null);
  if (own === null) return;
  await writeFile(join(tree.root, "package.json"), own);
  await rm(tree.beside.manifest, { force: true });
}

/** `own` with the scripts of `base` in place of its own; null when they are the same already, or `own` is no JSON. */
export function withBaseScripts(own: string, base: string): string | null {
  const manifest = parse(own);
  const theirs = scriptsOf(parse(base));
  if (!manifest) return null;
  const mine = scriptsOf(manifest);
  const isHook = (name: string) =>
    Object.keys(theirs).some((each) => name === `pre${each}` || name === `post${each}`) && !(name in theirs);
  const kept = Object.entries(mine).filter(([name]) => !isHook(name));
  const scripts = { ...Object.fromEntries(kept), ...theirs };
  const names = new Set([...Object.keys(mine), ...Object.keys(scripts)]);
  if ([...names].every((name) => mine[name] === scripts[name])) return null;
  return `${JSON.stringify({ ...manifest, scripts }, null, 2)}\n`;
}

/** The scripts of a parsed package.json; those that are no text are left out. */
export function scriptsOf(manifest: Record<string, unknown> | null): Record<string, string> {
  const scripts = manifest?.["scripts"];
  if (typeof scripts !== "object" || scripts === null) return {};
  return Object.fromEntries(
    Object.entries(scripts).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}

/** A JSON object, or null. */
export function parse(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}
