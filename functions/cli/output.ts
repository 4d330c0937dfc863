import Table from "cli-table3";
import { oneLine } from "./text.ts";

/** Cells between two columns. */
const GAP = 2;
/** Cells of the column that takes what the others leave, while there is one: below it, columns are left out. */
const LEAST = 12;
/** Cells of the widest other column, but ids. */
const MOST = 28;

export type Column<Row> = {
  head: string;
  of(row: Row): string | number | null | undefined;
  /** `whole` is never cut (an id has to be copied), `rest` takes what the others leave, else it has its own width. */
  width?: "whole" | "rest";
  /** Left out where the terminal is narrow; the higher goes first. Absent: always there. */
  drop?: number;
};

/** A table without borders that fits `width` cells; each row is one line. No rows: `none`. */
export function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[], width: number, none: string): string {
  if (rows.length === 0) return none;
  const cells = columns.map((column) => ({ column, texts: rows.map((row) => cell(column.of(row))) }));
  // A column that says nothing in any row is not worth its place.
  const kept = cells.filter(({ column, texts }) => column.drop === undefined || texts.some((text) => text !== "—"));
  while (taken(kept) > width) {
    const next = kept.reduce((worst, { column }) => Math.max(worst, column.drop ?? -1), -1);
    if (next < 0) break;
    kept.splice(
      kept.findLastIndex(({ column }) => column.drop === next),
      1,
    );
  }
  const rest = LEAST + Math.max(0, width - taken(kept));
  const printed = new Table({
    head: kept.map(({ column }) => column.head),
    colWidths: kept.map((one) => (one.column.width === "rest" ? rest : own(one) + GAP)),
    chars: NO_BORDERS,
    style: { head: [], border: [], "padding-left": 0, "padding-right": GAP },
    truncate: "…",
  });
  rows.forEach((_, i) => printed.push(kept.map(({ texts }) => texts[i] ?? "")));
  return trimmed(printed.toString());
}

/** `name  value` lines; what has no value is left out. Values may have several lines. */
export function fields(entries: readonly (readonly [string, string | number | null | undefined])[]): string {
  const given = entries.filter(([, value]) => value !== null && value !== undefined && value !== "");
  const widest = Math.max(0, ...given.map(([name]) => name.length));
  return given
    .map(([name, value]) => `${name.padEnd(widest)}  ${String(value).replaceAll("\n", `\n${" ".repeat(widest + 2)}`)}`)
    .join("\n");
}

/** A part under its heading; nothing when it is empty. */
export function section(heading: string, body: string): string {
  return body === "" ? "" : `${heading}\n${body.replace(/^(?=.)/gm, "  ")}`;
}

/** The parts that are not empty, an empty line between. */
export function page(parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join("\n\n");
}

/** Dollars; null is unknown, not zero. */
export function money(usd: number | null | undefined): string {
  return usd === null || usd === undefined ? "unknown" : `$${usd.toFixed(usd !== 0 && usd < 0.01 ? 4 : 2)}`;
}

type Cells = { column: { width?: "whole" | "rest"; head: string }; texts: string[] };

function own({ column, texts }: Cells): number {
  const widest = Math.max(column.head.length, ...texts.map((text) => text.length));
  return column.width === "whole" ? widest : Math.min(widest, MOST);
}

/** Cells that the columns take at the least; the last one's gap is not printed. */
function taken(columns: readonly Cells[]): number {
  const cells = columns.reduce((sum, one) => sum + (one.column.width === "rest" ? LEAST : own(one) + GAP), 0);
  return columns.at(-1)?.column.width === "rest" ? cells : cells - GAP;
}

function cell(value: string | number | null | undefined): string {
  const text = oneLine(String(value ?? ""));
  return text === "" ? "—" : text;
}

function trimmed(text: string): string {
  return text
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
}

const NO_BORDERS = Object.fromEntries(
  ["top", "top-mid", "top-left", "top-right", "bottom", "bottom-mid", "bottom-left", "bottom-right"]
    .concat(["left", "left-mid", "mid", "mid-mid", "right", "right-mid", "middle"])
    .map((name) => [name, ""]),
);
