import fc from "fast-check";
import type { Document, Schema } from "../../../functions/api/openapi/types.ts";

/** Values for JSON schemas of a document: those that are valid, and those that are surely not. */

/** What a field of a name may hold so that more than the first check of it is reached. */
export type Known = Readonly<Record<string, readonly unknown[]>>;

/** Characters of a text that is made up; the bounds are reached by `x` alone. */
const MOST = 60;

export type Values = {
  /** What the schema takes; a field whose name is known mostly has one of those values. */
  valid(schema: Schema): fc.Arbitrary<unknown>;
  /** What it takes as little as it may be coerced: each arbitrary one way to be wrong. In a query all is text. */
  wrong(schema: Schema, place: "query" | "body"): fc.Arbitrary<unknown>[];
  /** A valid object with one field that is wrong or, where it has to be there, missing: each arbitrary one way. */
  wrongObject(schema: Schema): fc.Arbitrary<unknown>[];
  /** Names of the fields of an object. */
  names(schema: Schema): string[];
};

export function valuesOf(document: Document, known: Known): Values {
  return { valid, wrong, wrongObject, names: (schema) => Object.keys(resolved(schema).properties ?? {}) };

  function resolved(schema: Schema): Schema {
    if (schema.$ref === undefined) return schema;
    return resolved(document.components.schemas[schema.$ref.slice(schema.$ref.lastIndexOf("/") + 1)] ?? {});
  }

  function valid(given: Schema): fc.Arbitrary<unknown> {
    const schema = resolved(given);
    const words = wordsOf(schema);
    if (words) return fc.constantFrom(...words);
    const either = alternatives(schema);
    if (either.length > 1) return fc.oneof(...either.map(valid));
    switch (typeOf(schema)) {
      case "string":
        return text(schema);
      case "integer":
      case "number":
        return number(schema);
      case "boolean":
        return fc.boolean();
      case "null":
        return fc.constant(null);
      case "array":
        return fc.array(valid(schema.items ?? {}), {
          minLength: schema.minItems ?? 0,
          maxLength: Math.min(schema.maxItems ?? 4, (schema.minItems ?? 0) + 4),
        });
      case "object":
        return object(schema);
      case undefined:
      default:
        return fc.jsonValue({ maxDepth: 2 });
    }
  }

  function object(schema: Schema): fc.Arbitrary<Record<string, unknown>> {
    const { properties = {}, required = [] } = schema;
    const fields = Object.entries(properties).map(([name, field]) => {
      const usual = valid(field);
      const value = known[name]
        ? fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...known[name]) }, { weight: 1, arbitrary: usual })
        : usual;
      return [name, value] as const;
    });
    const said = someOf(Object.fromEntries(fields), required);
    // A map, or fields that nobody knows: both are taken.
    const values = typeof schema.additionalProperties === "object" ? schema.additionalProperties : undefined;
    const others = fc.dictionary(fc.string({ maxLength: 8 }).map(printable), values ? valid(values) : fc.jsonValue(), {
      maxKeys: 3,
      noNullPrototype: true,
    });
    if (fields.length === 0) return others;
    return fc
      .tuple(said, fc.oneof({ weight: 4, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: others }))
      .map(([one, more]) => ({ ...more, ...one }));
  }

  function wrong(given: Schema, place: "query" | "body"): fc.Arbitrary<unknown>[] {
    const schema = resolved(given);
    if (wordsOf(schema)) return [fc.constantFrom("nonsense", "", "PENDING")];
    // One that fails one way may pass another.
    if (alternatives(schema).length > 1) return [];
    const { minimum, maximum, exclusiveMinimum, minLength, maxLength, minItems, maxItems, items = {} } = schema;
    const out: unknown[][] = [];
    switch (typeOf(schema)) {
      case "integer":
      case "number":
        if (schema.type === "integer") out.push([1.5, "1.5", "1e1"]);
        out.push(["ten", "", "0x10"], place === "body" ? [[], {}, [5]] : ["null", "true"]);
        if (minimum !== undefined) out.push([minimum - 1, -1e308]);
        if (exclusiveMinimum !== undefined) out.push([exclusiveMinimum]);
        if (maximum !== undefined) out.push([maximum + 1, 2 ** 53, 1e308]);
        break;
      case "string":
        if (place === "body") out.push([5, true, [], {}]);
        if (minLength !== undefined && minLength > 0) out.push(["x".repeat(minLength - 1)]);
        if (maxLength !== undefined) out.push(["x".repeat(maxLength + 1), "🙂".repeat(maxLength + 1)]);
        break;
      case "boolean":
        out.push(["perhaps", 2, ""]);
        break;
      case "array":
        out.push([5, "x", {}]);
        if (minItems !== undefined && minItems > 0) out.push([[]]);
        if (maxItems !== undefined) out.push([Array.from({ length: maxItems + 1 }, () => sampleOf(items))]);
        break;
      case "object":
        out.push([5, "x", [], true]);
        break;
      case undefined:
      default:
        break;
    }
    return out.filter((values) => values.length > 0).map((values) => fc.constantFrom(...values));
  }

  function wrongObject(given: Schema): fc.Arbitrary<unknown>[] {
    const schema = resolved(given);
    const { properties = {}, required = [] } = schema;
    const whole = object(schema);
    return [
      ...required.map((name) => whole.map(({ [name]: _, ...rest }) => rest)),
      ...Object.entries(properties).flatMap(([name, field]) =>
        wrong(field, "body").map((value) => fc.tuple(whole, value).map(([all, one]) => ({ ...all, [name]: one }))),
      ),
    ];
  }

  function sampleOf(schema: Schema): unknown {
    return fc.sample(valid(schema), { numRuns: 1, seed: 1 })[0];
  }
}

/** Those fields that have to be there, and of the others any or, as people do, one or two. */
export function someOf(
  fields: Readonly<Record<string, fc.Arbitrary<unknown>>>,
  required: readonly string[],
): fc.Arbitrary<Record<string, unknown>> {
  const others = Object.keys(fields).filter((name) => !required.includes(name));
  const record = (names: readonly string[], requiredKeys: readonly string[]) =>
    fc.record(Object.fromEntries(Object.entries(fields).filter(([name]) => names.includes(name))), {
      requiredKeys: requiredKeys as string[],
      noNullPrototype: true,
    });
  const few = fc.subarray(others, { maxLength: Math.min(2, others.length) }).chain((names) => {
    const all = [...required.filter((name) => name in fields), ...names];
    return record(all, all);
  });
  return fc.oneof(few, record(Object.keys(fields), required));
}

/** The words a schema takes, where it takes no others. */
function wordsOf(schema: Schema): unknown[] | undefined {
  return schema.enum ?? (schema.const === undefined ? undefined : [schema.const]);
}

function alternatives(schema: Schema): Schema[] {
  const either = schema.anyOf ?? schema.oneOf;
  if (either) return either;
  return Array.isArray(schema.type) ? schema.type.map((type) => ({ ...schema, type })) : [schema];
}

function typeOf({ type }: Schema): string | undefined {
  return typeof type === "string" ? type : undefined;
}

/** Text is trimmed before it is measured, and a NUL is refused where a process or a key would get it. */
function text({ format, pattern, minLength = 0, maxLength }: Schema): fc.Arbitrary<string> {
  if (format === "date-time")
    return fc
      .date({ min: new Date("2000-01-01"), max: new Date("2100-01-01"), noInvalidDate: true })
      .map((date) => date.toISOString());
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern));
  const most = maxLength ?? 100_000;
  const made = fc
    .string({ unit: "grapheme", minLength, maxLength: Math.min(most, MOST) })
    .map((made) => printable(minLength > 0 ? `x${made.slice(1)}` : made).trim())
    .filter((made) => made.length >= minLength && made.length <= most);
  return fc.oneof(
    { weight: 4, arbitrary: made },
    { weight: 1, arbitrary: fc.constantFrom("x".repeat(minLength), "x".repeat(most)) },
  );
}

function printable(text: string): string {
  return text.replaceAll("\0", "0").toWellFormed();
}

function number({ type, minimum, maximum, exclusiveMinimum }: Schema): fc.Arbitrary<number> {
  const max = maximum ?? 2 ** 31;
  if (type === "integer")
    return fc.oneof(fc.integer({ min: minimum ?? -(2 ** 31), max }), fc.constantFrom(minimum ?? 0, max));
  const min = minimum ?? exclusiveMinimum ?? -1e6;
  return fc.double({ min, max, noNaN: true, noDefaultInfinity: true, minExcluded: exclusiveMinimum !== undefined });
}
