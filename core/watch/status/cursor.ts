import * as z from "zod";
import { fail } from "../../ground/errors.ts";
import { sha256 } from "../../ground/id.ts";

/** Where a list goes on: behind which entry, and how many of each source lie before it. */
export type Position = { after: string; seen: Record<string, number> };

const Position = z.object({ q: z.string(), after: z.string().min(1).max(200), seen: z.record(z.string(), z.number()) });

/** An opaque cursor, bound to the list it came from. */
export function encode(list: string, position: Position): string {
  return Buffer.from(JSON.stringify({ q: sha256(list).slice(0, 16), ...position })).toString("base64url");
}

/** The position in a cursor; throws `input.cursor` for one that is damaged or of another list. */
export function decode(list: string, cursor: string): Position {
  let raw: unknown;
  try {
    raw = JSON.parse(Buffer.from(cursor, "base64url").toString("utf8"));
  } catch {
    raw = undefined;
  }
  const parsed = Position.safeParse(raw);
  if (!parsed.success || parsed.data.q !== sha256(list).slice(0, 16))
    throw fail("input.cursor", "The cursor does not belong to this list", { remedy: "Start again without a cursor." });
  return { after: parsed.data.after, seen: parsed.data.seen };
}
