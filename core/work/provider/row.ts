import type { ApiRow } from "./api/row.ts";
import type { CliRow } from "./cli/row.ts";
import type { SimulatedRow } from "./simulated/row.ts";

/** One provider as data. */
export type Row = CliRow | ApiRow | SimulatedRow;

/** The setting of a row's model server and its default; null: it has none, or knows its own. */
export function serverOf(row: Row): { setting: string; fallback: string | null } | null {
  switch (row.family) {
    case "api":
      return row.baseUrl;
    case "cli":
      return row.server;
    case "simulated":
      return null;
  }
}

/** Why a provider is switched off, and what switches it on. */
export type Off = { detail: string; remedy: string };

/** A provider's row as the host goes by it: with what the files say about it. */
export type Placed = { row: Row; off?: Off };
