import fc from "fast-check";
import { expect } from "vitest";
import { sha256 } from "../../core/ground/id.ts";

/** A string that contains `part`, in a shape that is matched. */
export const holding = (part: string): unknown => expect.stringContaining(part);
export const short = (text: string) => sha256(text).slice(0, 8);

/** Text of an item as a person may write it: one line, not blank, no id mark, not cut by trimming. */
export const words = fc
  .string({ minLength: 1, maxLength: 60, unit: "grapheme" })
  .map((text) => text.replace(/[\r\n\0\uFEFF\uFFFD{}]/g, "").trim())
  .filter((text) => text !== "");
const explicitId = fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,63}$/).filter((id) => !id.startsWith("meta-"));
export const line = fc.record({ text: words, id: fc.option(explicitId, { nil: undefined }), number: fc.nat(999) });
