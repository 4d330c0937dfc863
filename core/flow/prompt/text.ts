import { stripVTControlCharacters } from "node:util";

/** Longest run of back-ticks that a bounded text keeps, so that its fence stays short too. */
const LONGEST_RUN = 12;

/** The text verbatim between two fences longer than any run of back-ticks in it, so that nothing inside can close them. */
export function fenced(text: string, info = "text"): string {
  const longest = Array.from(text.matchAll(/`+/g)).reduce((most, run) => Math.max(most, run[0].length), 0);
  const fence = "`".repeat(Math.max(3, longest + 1));
  return `${fence}${info}\n${text}\n${fence}`;
}

/** A value on one line, for use inside a sentence: control characters and line ends become spaces. */
export function inline(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ")
    .replace(/ {2,}/g, " ")
    .trim();
}

/** Printed text made readable: no terminal sequences, LF line ends, no endless back-ticks. */
export function plain(text: string): string {
  return stripVTControlCharacters(text)
    .replace(/\r\n?/g, "\n")
    .replace(/`{13,}/g, "`".repeat(LONGEST_RUN))
    .toWellFormed();
}

/** The end of a text, at most `max` characters with the note that says what is missing. */
export function keepEnd(text: string, max: number): string {
  if (text.length <= max) return text;
  const note = "[… the beginning is cut]\n";
  return note + text.slice(text.length - (max - note.length)).toWellFormed();
}

/** Beginning and end of a text, at most `max` characters with the note between them. */
export function keepEnds(text: string, max: number): string {
  if (text.length <= max) return text;
  const note = " [… cut …] ";
  const head = Math.floor((max - note.length) / 2);
  const tail = max - note.length - head;
  return text.slice(0, head).toWellFormed() + note + text.slice(text.length - tail).toWellFormed();
}

/**
 * One line an entry, at most `max` characters (at least 200); entries share the room, each keeps its beginning and end,
 * and what does not fit is counted.
 */
export function bullets(entries: readonly string[], max: number): string {
  const more = "- (and 00000 more)".length;
  const each = Math.max(120, Math.floor((max - more) / Math.max(1, entries.length)) - 3);
  const lines: string[] = [];
  let room = max - more;
  for (const entry of entries) {
    const line = `- ${keepEnds(inline(plain(entry)), Math.min(each, max - more - 3))}`;
    if (line.length + 1 > room) break;
    room -= line.length + 1;
    lines.push(line);
  }
  const left = entries.length - lines.length;
  return [...lines, ...(left > 0 ? [`- (and ${left} more)`] : [])].join("\n");
}
