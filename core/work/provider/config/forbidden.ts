import type { Row } from "../row.ts";
import { pathOf } from "./path.ts";

/** Deeper than this nothing of ours lies. */
const MAX_DEPTH = 8;
const KEY_LIKE = /key|token|secret|passw|credential|authoriz|bearer/i;

type Refused = { problem: string; remedy: string };

/**
 * What is refused wherever it stands, before the file is looked at as ours: names that would carry a secret, names that mean
 * something to the language itself, and nesting without end. Undefined: nothing of it. Pure.
 */
export function forbidden(value: unknown, rows: readonly Row[]): Refused | undefined {
  return look(value, [], rows);
}

function look(value: unknown, path: (string | number)[], rows: readonly Row[]): Refused | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  if (path.length > MAX_DEPTH)
    return { problem: `${pathOf(path.slice(0, 3))}: is nested too deep`, remedy: "Correct it; nothing lies so deep." };
  const inside: Iterable<[string | number, unknown]> = Array.isArray(value) ? value.entries() : Object.entries(value);
  for (const [step, inner] of inside) {
    const here = [...path, step];
    if (step === "__proto__")
      return { problem: `${pathOf(here)}: there is no such setting`, remedy: "Take it out of the file." };
    if (typeof step === "string" && KEY_LIKE.test(step) && !rows.some((row) => row.name === step))
      return { problem: `${pathOf(here)}: a key never stands in this file`, remedy: remedyFor(path[1], rows) };
    const found = look(inner, here, rows);
    if (found) return found;
  }
  return undefined;
}

function remedyFor(provider: string | number | undefined, rows: readonly Row[]): string {
  const row = rows.find((one) => one.name === provider);
  const names = row && "credentials" in row ? row.credentials.join(" or ") : "";
  const where = names === "" ? "an environment variable (docs/PROVIDERS.md names them)" : `the environment: ${names}`;
  return `Take it out of the file and set it in ${where}. If it was committed, have a new one made.`;
}
