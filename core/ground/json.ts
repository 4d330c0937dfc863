import { fail } from "./errors.ts";

/**
 * A free-form object as the one JSON string that lies in the table: as a map it breaks at depth 32, at 2^53 and at 400 kB.
 * Throws `input.too_large` (413) over `maxBytes`, `input.invalid` (422) for one nested too deeply to be written.
 */
export function bounded(value: unknown, what: string, maxBytes: number): string {
  let json: string;
  try {
    json = JSON.stringify(value);
  } catch (cause) {
    // Thousands of levels overflow the stack of whoever writes it.
    throw fail("input.invalid", `The ${what} is nested too deeply`, { remedy: "Send it flatter.", cause });
  }
  if (Buffer.byteLength(json) > maxBytes)
    throw fail("input.too_large", `The ${what} is over ${maxBytes / 1024} KiB`, {
      remedy: "Send less, or remove keys that nobody reads.",
    });
  return json;
}
