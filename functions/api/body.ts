import { fail } from "../../core/ground/errors.ts";
import { invalid, type Detail } from "./issues.ts";

/** Bytes of the largest body. */
export const MAX_BODY_BYTES = 1024 * 1024;
/** How deep a body may be nested: what is deeper overflows the stack of whoever writes it as JSON again. */
export const MAX_DEPTH = 100;

/** A body as it was sent; `none` when there were no bytes. */
export type Sent = { kind: "none" } | { kind: "text"; text: string };

/**
 * The bytes of a request, at most MAX_BODY_BYTES whether or not it says how many (413 `input.too_large`), of a JSON type
 * when there are any (415 `body.type`: a type that is missing is refused too, or validation would be skipped).
 */
export async function read(request: Request): Promise<Sent> {
  if (Number(request.headers.get("content-length") ?? 0) > MAX_BODY_BYTES) throw tooLarge();
  const bytes = request.body ? await bounded(request.body) : Buffer.alloc(0);
  if (bytes.length === 0) return { kind: "none" };
  if (!isJson(request.headers.get("content-type")))
    throw fail("body.type", "A body is JSON: send it with Content-Type application/json");
  try {
    return { kind: "text", text: new TextDecoder("utf-8", { fatal: true }).decode(bytes) };
  } catch {
    throw invalid([jsonInvalid(0, "Not UTF-8")]);
  }
}

/** The value of a text; throws 422 `json_invalid` with the position of what is wrong, in UTF-16 units. */
export function json(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const message = (error as Error).message;
    const at = /at position (\d+)/.exec(message)?.[1];
    const position = at !== undefined ? Number(at) : isBadToken(message) ? firstBadToken(text) : text.length;
    throw invalid([jsonInvalid(position, message.split(/[,:] (?:\.\.\.)?"/)[0] ?? "Invalid JSON")]);
  }
  const wrong = unstorable(value);
  if (wrong) throw invalid([wrong]);
  return value;
}

/** A top-level number as it was written (`50.0`), or undefined when the field is no number. */
export function numberAsWritten(text: string, field: string): string | undefined {
  const sources = new Map<unknown, string | undefined>();
  const root: unknown = JSON.parse(text, function (this: unknown, key, value, context?: { source?: string }) {
    if (key === field && typeof value === "number") sources.set(this, context?.source);
    return value as unknown;
  });
  return sources.get(root);
}

async function bounded(stream: ReadableStream<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of stream) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function tooLarge() {
  return fail("input.too_large", `The body is over ${MAX_BODY_BYTES / 1024} KiB`, { remedy: "Send less at a time" });
}

function isJson(type: string | null): boolean {
  return /^application\/(?:[a-z0-9.!#$&^_-]+\+)?json\s*(?:;|$)/i.test(type?.trim() ?? "");
}

const isBadToken = (message: string) => message.startsWith("Unexpected token");

/** V8 names no position for a bad token. A longer beginning has the same first error, so the shortest that has one ends with it. */
function firstBadToken(text: string): number {
  let low = 0;
  let high = text.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (hasBadToken(text.slice(0, middle + 1))) high = middle;
    else low = middle + 1;
  }
  return low;
}

function hasBadToken(text: string): boolean {
  try {
    JSON.parse(text);
    return false;
  } catch (error) {
    return isBadToken((error as Error).message);
  }
}

function jsonInvalid(position: number, error: string): Detail {
  return { type: "json_invalid", loc: ["body", position], msg: "JSON decode error", input: {}, ctx: { error } };
}

/** What the table or a later writer could not take: text that is no Unicode, nesting without end. Walks without recursion. */
function unstorable(root: unknown): Detail | undefined {
  const open: { value: unknown; loc: (string | number)[] }[] = [{ value: root, loc: ["body"] }];
  for (let next = open.pop(); next; next = open.pop()) {
    const { value, loc } = next;
    if (typeof value === "string" && !value.isWellFormed()) return notUnicode(loc);
    if (typeof value !== "object" || value === null) continue;
    if (loc.length > MAX_DEPTH)
      return {
        type: "value_error",
        loc: loc.slice(0, 2),
        msg: `Value error, nested deeper than ${MAX_DEPTH}`,
        input: null,
        ctx: { error: {} },
      };
    const entries: [string | number, unknown][] = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
    for (const [key, inner] of entries) {
      if (typeof key === "string" && !key.isWellFormed()) return notUnicode(loc);
      if (typeof inner === "string" || (typeof inner === "object" && inner !== null))
        open.push({ value: inner, loc: [...loc, key] });
    }
  }
  return undefined;
}

function notUnicode(loc: (string | number)[]): Detail {
  const msg = "Input should be a valid string, unable to parse raw data as a unicode string";
  return { type: "string_unicode", loc, msg, input: null };
}
