import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { MAX_CONFIG_BYTES, parseConfig, type Seen, type Which } from "../../core/work/provider/index.ts";
import type { HeadFile } from "../../core/work/workspace/index.ts";

/** What was seen of a file, and its text where that is good. */
export type Look = { seen: Seen; text?: string };

/** How the file is called, in the home and in the repository. */
export const CONFIG_FILE = "coherence.config.json";

/** Reads one of the disk; whatever lies there, it is never waited for and never read without end. */
export function ofDisk(path: string, which: Which): Look {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  let file: number;
  try {
    file = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (thrown) {
    const code = (thrown as NodeJS.ErrnoException).code ?? "";
    if (code === "ENOENT") return { seen: { kind: "absent" } };
    if (code === "ELOOP") return bad("is a symbolic link", "Put the file itself there.");
    return bad(`cannot be read (${code})`, "Make it readable.");
  }
  try {
    if (!fstatSync(file).isFile()) return bad("is no file", "Put a file there, or remove it.");
    const bytes = Buffer.alloc(MAX_CONFIG_BYTES + 1);
    let length = 0;
    for (let more = -1; more !== 0 && length < bytes.length; length += more)
      more = readSync(file, bytes, length, bytes.length - length, null);
    return ofText(bytes.toString("utf8", 0, length), which);
  } catch (thrown) {
    return bad(`cannot be read (${(thrown as NodeJS.ErrnoException).code ?? ""})`, "Make it readable.");
  } finally {
    closeSync(file);
  }
}

/** What one of a commit says. */
export function ofHead(file: HeadFile): Look {
  switch (file.kind) {
    case "no_repository":
    case "absent":
      return { seen: { kind: "absent" } };
    case "text":
      return ofText(file.text, "repository");
    case "other":
      return bad(file.what === "too large" ? "is too large" : `is ${file.what}`, "Commit the file itself there.");
  }
}

/** What a text says. */
export function ofText(text: string, which: Which): Look {
  const seen = parseConfig(text, which);
  return seen.kind === "good" ? { seen, text } : { seen };
}

function bad(problem: string, remedy: string): Look {
  return { seen: { kind: "bad", problem, remedy } };
}
