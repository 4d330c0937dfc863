import { existsSync, readFileSync, statSync } from "node:fs";
import { fail, messageOf } from "../../core/ground/errors.ts";
import * as Backlog from "../../core/work/backlog/index.ts";
import * as Pipeline from "../../core/flow/pipeline/index.ts";
import type { Target } from "./target.ts";
import { stampOf } from "./watch.ts";

/** A file over this many bytes is no backlog. */
const MAX_FILE_BYTES = 32 * 1024 * 1024;
/** Problems of a file that are shown. */
const MAX_SHOWN = 5;

/** The two backlog files that a target has, as far as it has them. */
export function filesOf(target: Target): { kind: "product" | "meta"; file: string }[] {
  if (target.backlogFile === undefined) return [];
  const meta = target.metaFile === undefined ? [] : [{ kind: "meta" as const, file: target.metaFile }];
  return [{ kind: "product", file: target.backlogFile }, ...meta];
}

/**
 * Reads a backlog file: its text and its items. Throws `backlog.invalid`, with the lines and the remedy, for one that may not be
 * pushed: missing, too large, binary, malformed.
 */
export function readBacklog(
  file: string,
  kind: "product" | "meta" = "product",
): { text: string; items: Backlog.Item[] } {
  const invalid = (message: string, remedy: string) => fail("backlog.invalid", message, { remedy });
  const another = kind === "product" ? "Name one: --backlog FILE." : "Correct PIPELINE_META_BACKLOG, or unset it.";
  if (!existsSync(file) || !statSync(file).isFile()) throw invalid(`There is no backlog file ${file}`, another);
  if (statSync(file).size > MAX_FILE_BYTES)
    throw invalid(
      `${file} has over ${MAX_FILE_BYTES / 1024 / 1024} MiB`,
      "A backlog is a text file of numbered lines: name another.",
    );
  const text = Backlog.decode(bytesOf(file));
  const { items, problems } = Backlog.parse(text);
  if (problems.length > 0) {
    const lines = problems
      .slice(0, MAX_SHOWN)
      .map((p) => `  ${p.line > 0 ? `line ${p.line}: ` : ""}${p.message}. ${p.remedy}`);
    const more = problems.length > MAX_SHOWN ? `\n  and ${problems.length - MAX_SHOWN} more` : "";
    throw invalid(
      `${file} is not a backlog:\n${lines.join("\n")}${more}`,
      "Correct it; coherence backlog check FILE shows all of it.",
    );
  }
  if (items.length > Backlog.MAX_ITEMS)
    throw invalid(
      `${file} has ${items.length} items; at most ${Backlog.MAX_ITEMS} are taken`,
      "Split the file; each file is a backlog of its own.",
    );
  return { text, items };
}

function bytesOf(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    throw fail("backlog.invalid", `${file} cannot be read: ${messageOf(error)}`, { remedy: "Make it readable." });
  }
}

/** Reads the backlog's files, so that a broken one is known before anything is made. */
export function checkFiles(target: Target): void {
  for (const { kind, file } of filesOf(target)) readBacklog(file, kind);
}

/** Pushes product and meta file; throws for a broken one, and then nothing is changed. */
export async function pushFiles(
  deps: Pipeline.PipelineDeps,
  target: Target,
  say: (line: string) => void,
): Promise<void> {
  const read = filesOf(target).map(({ kind, file }) => ({ kind, file, text: readBacklog(file, kind).text }));
  for (const { kind, file, text } of read) {
    const pushed = await Pipeline.push(deps, { id: target.backlog ?? "", text, kind });
    const changes = [
      `${pushed.created.length} new`,
      `${pushed.changed.length} changed`,
      `${pushed.retired.length} retired`,
      `${pushed.unchanged} as they were`,
    ];
    say(`pushed    ${file}: ${changes.join(", ")}`);
  }
}

/** What changes when one of the files does. */
export function stampOfFiles(target: Target): string {
  return [target.backlogFile, target.metaFile].map(stampOf).join("|");
}

/** The items of the backlog files in the order in which they would start, without a table; for a dry run. */
export function preview(target: Target, ratio: number): { text: string; kind: string; id: string }[] {
  const items = filesOf(target).flatMap(({ kind, file }) =>
    readBacklog(file, kind).items.map((item) => ({ ...item, kind, id: Backlog.itemId(kind, item.id) })),
  );
  const of = (kind: string) => items.filter((item) => item.kind === kind);
  return Backlog.order(of("product"), of("meta"), ratio);
}
