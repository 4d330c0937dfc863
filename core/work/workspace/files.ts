import { constants, type Stats } from "node:fs";
import { lstat, open, realpath, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { fail } from "../../ground/errors.ts";
import { inside } from "./paths.ts";

/** A larger file is no source text. */
const READ_BYTES = 4 * 1024 * 1024;

/**
 * Reads a plain file of the tree of at most `most` bytes; `real` is its place with links followed, `path` how it is called. Throws
 * `workspace.path` for what is no such file: a pipe would be waited for, and a device has no end.
 */
export async function readPlain(real: string, path: string, most = READ_BYTES): Promise<Buffer> {
  const file = await openPlain(real, path, constants.O_RDONLY);
  try {
    // By what is read, not by what it says of itself: a file may grow meanwhile, and those of /proc say they have 0 bytes.
    const bytes = Buffer.alloc(Math.min((await file.stat()).size, most) + 1);
    let length = 0;
    for (let more = 1; more > 0 && length < bytes.length; length += more)
      more = (await file.read(bytes, length, bytes.length - length)).bytesRead;
    if (length > most) throw unusable(path, `it has more than ${most} bytes`);
    return bytes.subarray(0, length);
  } finally {
    await file.close();
  }
}

/** The text of a plain file of the tree, also behind a link that stays in the tree; null when there is none, or it is too large. */
export async function textIn(root: string, path: string, most = READ_BYTES): Promise<string | null> {
  try {
    return (await readPlain(inside(root, path).real, path, most)).toString("utf8");
  } catch {
    return null;
  }
}

/** Writes a plain file of the tree, a new one or over the old text. Throws as `readPlain` does. */
export async function writePlain(real: string, path: string, text: string): Promise<void> {
  const file = await openPlain(real, path, constants.O_WRONLY | constants.O_CREAT);
  try {
    // Emptied only now that it is known what it is.
    await file.truncate();
    await file.writeFile(text);
  } finally {
    await file.close();
  }
}

/**
 * Opens a file and looks at what was opened: between a look at a name and its use, a process in the tree can put something else
 * there. No link is followed at its end, and nothing is waited for.
 */
async function openPlain(real: string, path: string, flags: number): Promise<FileHandle> {
  // To open a device may be to use it: what is one already is not opened at all.
  const there = await lstat(real).catch(() => null);
  if (there === null && !(flags & constants.O_CREAT)) throw unusable(path, "there is no such file");
  if (there !== null && !there.isFile()) throw unusable(path, "it is no plain file");
  if (flags & constants.O_CREAT && (await realpath(dirname(real))) !== dirname(real))
    throw unusable(path, "its folder was moved meanwhile");
  const file = await open(real, flags | constants.O_NOFOLLOW | constants.O_NONBLOCK, 0o666).catch(
    (thrown: NodeJS.ErrnoException) => {
      if (thrown.code === "ELOOP" || thrown.code === "ENXIO") throw unusable(path, "it is no plain file");
      throw thrown;
    },
  );
  try {
    const opened = await file.stat();
    if (!opened.isFile()) throw unusable(path, "it is no plain file");
    if (!(await leadsTo(real, opened))) throw unusable(path, "it was moved meanwhile");
    return file;
  } catch (thrown) {
    await file.close();
    throw thrown;
  }
}

/** Whether this very file stands under that name, with no link on the way. */
async function leadsTo(real: string, opened: Stats): Promise<boolean> {
  const [place, found] = await Promise.all([realpath(real).catch(() => null), lstat(real).catch(() => null)]);
  return place === real && found?.ino === opened.ino && found.dev === opened.dev;
}

/** Why a file cannot be used, as the one who named it is told. */
function unusable(path: string, why: string) {
  return fail("workspace.path", `Cannot use ${path}: ${why}`, { remedy: "List the files first." });
}
