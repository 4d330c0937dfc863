import { stripVTControlCharacters } from "node:util";

/**
 * What may go to a terminal. Titles and logs are written by agents and by whatever they ran: an escape sequence in one could
 * move the cursor, rename the window or hide text, and a bidirectional mark could make a line read as another.
 */

const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;
/** Marks that reorder or hide what follows them, and the two line separators no terminal agrees on. */
const INVISIBLE = /[\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** Text of several lines that is safe to print: no escape sequences, no control characters but newline and tab. */
export function safe(text: string): string {
  return stripVTControlCharacters(text).replace(/\r\n?/g, "\n").replace(CONTROL, "").replace(INVISIBLE, "");
}

/** The same on one line: every run of white space is one space. Nothing is nothing: an older host may leave it out. */
export function oneLine(text: string | null | undefined): string {
  return safe((text ?? "").replace(/[\r\n\u2028\u2029]/g, " "))
    .replace(/\s+/g, " ")
    .trim();
}

/** Makes pieces of a log printable; a piece may end inside a line or an escape sequence, so only whole lines come out. */
export function lines(): { take(piece: string): string; rest(): string } {
  let held = "";
  return {
    take(piece) {
      held += piece;
      const end = held.lastIndexOf("\n") + 1;
      const whole = held.slice(0, end);
      held = held.slice(end);
      return safe(whole);
    },
    rest() {
      const last = safe(held);
      held = "";
      return last === "" ? "" : `${last}\n`;
    },
  };
}
