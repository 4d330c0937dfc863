import { fail } from "../errors.ts";
import { sha256 } from "../id.ts";

/** An opaque cursor bound to the query it came from. */
export function encode(query: string, key: Record<string, unknown>): string {
  return Buffer.from(JSON.stringify({ q: sha256(query).slice(0, 16), k: key })).toString("base64url");
}

/** The key inside a cursor; throws `input.cursor` for one that is damaged or belongs to another query. */
export function decode(query: string, cursor: string): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(cursor, "base64url").toString("utf8"));
  } catch {
    parsed = undefined;
  }
  const { q, k } = (parsed ?? {}) as { q?: unknown; k?: unknown };
  if (q !== sha256(query).slice(0, 16) || typeof k !== "object" || k === null)
    throw fail("input.cursor", "The cursor does not belong to this query", { remedy: "Start again without a cursor." });
  return k as Record<string, unknown>;
}
