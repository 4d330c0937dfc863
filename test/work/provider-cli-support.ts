import type { Ended, Parser } from "../../core/work/provider/cli/row.ts";
import type { Failure } from "../../core/work/task/index.ts";

/** Lines that are no event of anybody's. */
export const RUBBISH: readonly string[] = [
  "",
  "thinking …",
  "null",
  "[]",
  '"text"',
  "42",
  "{}",
  '{"type":7}',
  '{"type":null,"error":"429"}',
  '{"type":"result"', // cut
  "\u0000\u001b[31mred\u001b[0m",
];

/** Feeds a parser with events (objects go as JSON, text as it is), and gives back all that it made of them. */
export function read(
  parser: Parser,
  lines: readonly unknown[],
  exitCode = 0,
): { ended: Ended; kinds: string[]; log: string[]; busy: boolean[]; fatal: Failure | null } {
  const seen = lines.map((line) => parser.line(typeof line === "string" ? line : JSON.stringify(line)));
  return {
    ended: parser.end({ code: exitCode, signal: null }),
    kinds: seen.map(({ kind }) => kind),
    log: seen.flatMap((one) => (one.kind === "event" ? one.log : [])),
    busy: seen.flatMap((one) => (one.kind === "event" ? [one.busy] : [])),
    fatal: seen.flatMap((one) => (one.kind === "fatal" ? [one.failure] : []))[0] ?? null,
  };
}
