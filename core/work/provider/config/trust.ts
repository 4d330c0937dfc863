import { serverOf, type Row } from "../row.ts";
import type { Overrides } from "./schema.ts";

/**
 * What only the home's file may say, since a repository is also written by others: where a key is sent, and that a provider which
 * has one costs nothing. Undefined: nothing of it is in these overrides. Pure.
 */
export function overstepped(
  overrides: Overrides,
  which: "home" | "repository",
  rows: readonly Row[],
): { problem: string; remedy: string } | undefined {
  for (const row of rows) {
    const override = overrides[row.name];
    if (!override) continue;
    const at = `providers.${row.name}`;
    const server = serverOf(row);
    if (override.base_url !== undefined && !server)
      return {
        problem: `${at}.base_url: ${row.name} has no model server`,
        remedy: "Take it out of the file.",
      };
    if (which === "home" || row.family === "simulated" || row.credentials.length === 0) continue;
    const home = "Put it into the coherence.config.json of the home";
    if (override.base_url !== undefined)
      return {
        problem: `${at}.base_url: a repository does not say where your key is sent`,
        remedy: `${home}, or set ${server?.setting}.`,
      };
    if (override.capabilities?.paid === false && row.capabilities.paid)
      return { problem: `${at}.capabilities.paid: a repository does not say that it is free`, remedy: `${home}.` };
    if (override.models !== undefined && !row.capabilities.paid && override.capabilities?.paid !== true)
      return { problem: `${at}.models: they may cost money, and ${row.name} counts as free`, remedy: `${home}.` };
  }
  return undefined;
}
