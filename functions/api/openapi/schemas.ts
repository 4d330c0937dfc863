import { isDeepStrictEqual } from "node:util";
import * as z from "zod";
import type { Schema } from "./types.ts";

/** Turns zod schemas into JSON Schema; shapes that have an id are gathered in `shapes`, and referred to. */
export type Schemas = {
  shapes: Record<string, Schema>;
  /**
   * Of what is sent (`input`: before defaults and trimming) or of what comes back (`output`). Throws for a shape whose two sides
   * differ, because one name cannot stand for both.
   */
  of(schema: z.ZodType, side: "input" | "output"): Schema;
};

/** Schemas for one document. */
export function schemas(): Schemas {
  const shapes: Record<string, Schema> = {};
  return {
    shapes,
    of(schema, side) {
      const { $schema: _, $defs = {}, ...root } = z.toJSONSchema(schema, { io: side });
      for (const [id, raw] of Object.entries($defs)) {
        const shape = tidy(raw, side) as Schema;
        if (shapes[id] !== undefined && !isDeepStrictEqual(shapes[id], shape))
          throw new Error(`The shape ${id} is not the same everywhere: give what is sent another id`);
        shapes[id] = shape;
      }
      return tidy(root, side) as Schema;
    },
  };
}

/** Keywords whose value is data, and those whose value is a schema by name. */
const DATA = new Set(["enum", "const", "default", "examples", "required"]);
const BY_NAME = new Set(["properties", "patternProperties"]);

/**
 * Without what zod says for itself alone: that unknown fields are none (a client has to bear new ones), how large a number
 * JavaScript can count, a date's format twice, the default of what is always sent.
 */
function tidy(value: unknown, side: "input" | "output"): unknown {
  if (Array.isArray(value)) return value.map((inner) => tidy(inner, side));
  if (typeof value !== "object" || value === null) return value;
  const kept = Object.entries(value).filter(([key, inner]) => says(key, inner, value, side));
  return Object.fromEntries(
    kept.map(([key, inner]: [string, unknown]) => {
      if (DATA.has(key)) return [key, inner];
      if (key === "$ref") return [key, String(inner).replace("#/$defs/", "#/components/schemas/")];
      if (!BY_NAME.has(key)) return [key, tidy(inner, side)];
      return [key, Object.fromEntries(Object.entries(inner as object).map(([name, one]) => [name, tidy(one, side)]))];
    }),
  );
}

function says(key: string, value: unknown, beside: Schema, side: "input" | "output"): boolean {
  if (key === "additionalProperties") return value !== false;
  if (key === "minimum" || key === "maximum") return Math.abs(Number(value)) !== Number.MAX_SAFE_INTEGER;
  if (key === "pattern") return beside.format === undefined;
  if (key === "propertyNames") return !isDeepStrictEqual(value, { type: "string" });
  if (key === "default") return side === "input";
  return true;
}
