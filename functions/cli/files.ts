import { readFileSync } from "node:fs";
import { messageOf } from "../../core/ground/errors.ts";
import { Failure } from "./failure.ts";
import { oneLine } from "./text.ts";

/** The bytes of a file that was named; `-` is standard input. Throws a Failure `usage` when it cannot be read. */
export function readNamed(path: string): Buffer {
  try {
    return readFileSync(path === "-" ? 0 : path);
  } catch (error) {
    // "ENOENT: no such file or directory, open 'x'": the file's name is said anyway.
    const why = oneLine(messageOf(error))
      .replace(/, (open|read|stat).*$/, "")
      .replace(/^[A-Z]+: /, "");
    throw new Failure("usage", `Cannot read ${oneLine(path)}: ${why}`, "Name a text file that is there.");
  }
}
