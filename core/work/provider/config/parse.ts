import type * as z from "zod";
import type { Row } from "../row.ts";
import { pathOf } from "./path.ts";
import { CapabilitiesOverride, fileOf, ModelOverride, Override, PriceOverride, type Overrides } from "./schema.ts";
import { overstepped } from "./trust.ts";
import { forbidden } from "./forbidden.ts";

/** Whose file it is: that of the home belongs to this machine, that of the repository to whoever commits to it. */
export type Which = "home" | "repository";

export type Parsed =
  | { kind: "good"; overrides: Overrides }
  /** `problem` says where and what is wrong, `remedy` what to do; neither holds a value of the file's. */
  | { kind: "bad"; problem: string; remedy: string };

/** A file over this many bytes is not read. */
export const MAX_BYTES = 256 * 1024;
/** Mistakes that are said at once. */
const MAX_SAID = 3;
const CORRECT = "Correct it; docs/PROVIDERS.md says what may stand there.";

/** Reads the text of a `coherence.config.json`: all of it is good, or none of it is used. Pure; never throws. */
export function parse(text: string, which: Which, rows: readonly Row[]): Parsed {
  const read = json(text);
  if ("problem" in read) return { kind: "bad", ...read };
  const found = forbidden(read.value, rows);
  if (found) return { kind: "bad", ...found };
  const file = fileOf(rows.map((row) => row.name)).safeParse(read.value, { reportInput: true });
  if (!file.success) {
    const mistakes = file.error.issues.flatMap((issue) => sentences(issue, rows));
    const more = mistakes.length > MAX_SAID ? `; and ${mistakes.length - MAX_SAID} more` : "";
    return { kind: "bad", problem: mistakes.slice(0, MAX_SAID).join("; ") + more, remedy: CORRECT };
  }
  const overrides: Overrides = Object.fromEntries(
    Object.entries(file.data.providers ?? {}).flatMap(([name, one]) => (one === undefined ? [] : [[name, one]])),
  );
  const refused = overstepped(overrides, which, rows);
  return refused ? { kind: "bad", ...refused } : { kind: "good", overrides };
}

function json(text: string): { value: unknown } | { problem: string; remedy: string } {
  if (new TextEncoder().encode(text).length > MAX_BYTES)
    return { problem: `has over ${MAX_BYTES / 1024} KiB`, remedy: "Keep to what differs from the built-in table." };
  if (/[\0\uFFFD]/.test(text)) return { problem: "is not UTF-8 text", remedy: "Save it as UTF-8." };
  const plain = text.replace(/^\uFEFF/, "");
  if (plain.trim() === "") return { problem: "is empty", remedy: "Write {} into it, or remove it." };
  try {
    return { value: JSON.parse(plain) };
  } catch (thrown) {
    // What V8 quotes of the text may be what somebody must not see.
    const said = (thrown as Error).message.replace(/, (?:\.\.\.)?".*$/s, "").replace(/ in JSON at position \d+/, "");
    return { problem: `is not JSON: ${said}`, remedy: "Correct it; comments and trailing commas are no JSON." };
  }
}

function sentences(issue: z.core.$ZodIssue, rows: readonly Row[]): string[] {
  const path = issue.path as (string | number)[];
  if (issue.code !== "unrecognized_keys") return [`${pathOf(path)}: ${missing(issue) ? "is missing" : issue.message}`];
  const { what, known } = keysAt(path, rows);
  return issue.keys.map((key) => `${pathOf([...path, key])}: there is no such ${what}; there is ${known.join(", ")}`);
}

function missing(issue: z.core.$ZodIssue): boolean {
  return "input" in issue ? issue.input === undefined : false;
}

/** What may stand at a place of the file. */
function keysAt(path: readonly (string | number)[], rows: readonly Row[]): { what: string; known: string[] } {
  if (path.length === 0) return { what: "setting", known: ["providers"] };
  if (path.length === 1) return { what: "provider", known: rows.map((row) => row.name) };
  const shape =
    path.length === 2
      ? Override
      : path.at(-1) === "price"
        ? PriceOverride
        : path.at(-1) === "capabilities"
          ? CapabilitiesOverride
          : ModelOverride;
  return { what: "setting", known: Object.keys(shape.shape) };
}
