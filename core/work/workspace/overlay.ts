import { lstat, readFile, readlink, realpath, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { textIn, writePlain } from "./files.ts";
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
  for (const [name, kept] of [
    ["package.json", tree.beside.manifest],
    [".npmrc", tree.beside.npmrc],
  ] as const) {
    const was = await readFile(kept, "utf8").catch(() => null);
    if (was !== null) await place(tree.root, name, JSON.parse(was) as Standing);
    await rm(kept, { force: true });
  }
}

async function standInScripts(tree: Tree, base: string | null): Promise<void> {
  if (base === null || (await standingAt(tree.root, "package.json")) === "directory") return;
  const own = await textIn(tree.root, "package.json");
  // What npm would find there and we may not read, such as a link out of the tree, is no manifest of the item's.
  const stand = own === null ? ((await isThere(tree.root, "package.json")) ? base : null) : withBaseScripts(own, base);
  if (stand !== null) await standIn(tree.root, "package.json", tree.beside.manifest, { text: stand });
}

async function isThere(root: string, name: string): Promise<boolean> {
  return (await lstat(join(root, name)).catch(() => null)) !== null;
}

async function standInSettings(tree: Tree, base: string | null): Promise<void> {
  const own = await standingAt(tree.root, ".npmrc");
  if (own === "directory" || (own === null && base === null) || (own && "text" in own && own.text === base)) return;
  await standIn(tree.root, ".npmrc", tree.beside.npmrc, base === null ? null : { text: base });
}

/** Puts something in the place of a file, and notes in `kept` what that was. */
async function standIn(root: string, name: string, kept: string, standing: Standing): Promise<void> {
  await replaceFile(kept, JSON.stringify(await standingAt(root, name)));
  await place(root, name, standing);
}

/**
 * What is at a path: a file's text, or where a link leads (never followed to write: it may lead out of the tree). Null: nothing, or
 * what npm could not read either, as a pipe.
 */
type Standing = { text: string } | { link: string } | null;

async function standingAt(root: string, name: string): Promise<Standing | "directory"> {
  const path = join(root, name);
  const found = await lstat(path).catch(() => null);
  if (found?.isDirectory()) return "directory"; // npm reads no settings from one
  if (found?.isSymbolicLink()) return { link: await readlink(path) };
  const text = await textIn(root, name);
  return text === null ? null : { text };
}

async function place(root: string, name: string, standing: Standing): Promise<void> {
  const path = join(root, name);
  // A plain file keeps its rights; a link would be written through, and a pipe waited for.
  const plain = (await lstat(path).catch(() => null))?.isFile() === true;
  if (standing === null || "link" in standing || !plain) await rm(path, { force: true });
  if (standing === null) return;
  await ("link" in standing
    ? symlink(standing.link, path)
    : writePlain(join(await realpath(root), name), name, standing.text));
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
