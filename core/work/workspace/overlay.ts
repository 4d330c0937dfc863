import { lstat, readFile, readlink, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Reader } from "./show.ts";
import { replaceFile, type Tree } from "./tree.ts";

/**
 * `npm test` takes its text from the tree's package.json, and the shell it is given to from .npmrc; an agent can edit both. So
 * while the suite runs, the base's scripts stand in package.json again: all of them, since one script calls another. New scripts
 * of the item stay, but none that npm would run before or after one of the base's. Of .npmrc the base's stands there, or none.
 * What the files were is kept beside the tree meanwhile, and put back after the run or, should the host be killed, at the next
 * opening.
 */
export async function withBaseManifest<T>(tree: Tree, atBase: Reader, run: () => Promise<T>): Promise<T> {
  try {
    await standInScripts(tree, await atBase("package.json"));
    await standInSettings(tree, await atBase(".npmrc"));
    return await run();
  } finally {
    await restoreManifest(tree);
  }
}

/** Puts back the files that a run of the suite, perhaps a killed one, left changed. */
export async function restoreManifest(tree: Tree): Promise<void> {
  const scripts = await readFile(tree.beside.manifest).catch(() => null);
  if (scripts !== null) await writeFile(join(tree.root, "package.json"), scripts);
  await rm(tree.beside.manifest, { force: true });
  const settings = await readFile(tree.beside.npmrc, "utf8").catch(() => null);
  if (settings !== null) await place(join(tree.root, ".npmrc"), JSON.parse(settings) as Standing);
  await rm(tree.beside.npmrc, { force: true });
}

async function standInScripts(tree: Tree, base: string | null): Promise<void> {
  const path = join(tree.root, "package.json");
  const own = await readFile(path, "utf8").catch(() => null);
  const stand = base !== null && own !== null ? withBaseScripts(own, base) : null;
  if (own === null || stand === null) return;
  await replaceFile(tree.beside.manifest, own);
  await writeFile(path, stand);
}

async function standInSettings(tree: Tree, base: string | null): Promise<void> {
  const path = join(tree.root, ".npmrc");
  const own = await standingAt(path);
  if (own === "directory" || (own === null && base === null) || (own && "text" in own && own.text === base)) return;
  await replaceFile(tree.beside.npmrc, JSON.stringify(own));
  await place(path, base === null ? null : { text: base });
}

/** What is at a path: a file's text, or where a link leads (never followed: it may lead out of the tree); null: nothing. */
type Standing = { text: string } | { link: string } | null;

async function standingAt(path: string): Promise<Standing | "directory"> {
  const found = await lstat(path).catch(() => null);
  if (found === null) return null;
  if (found.isDirectory()) return "directory"; // npm reads no settings from one
  return found.isSymbolicLink() ? { link: await readlink(path) } : { text: await readFile(path, "utf8") };
}

async function place(path: string, standing: Standing): Promise<void> {
  await rm(path, { force: true });
  if (standing === null) return;
  await ("link" in standing ? symlink(standing.link, path) : writeFile(path, standing.text));
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
