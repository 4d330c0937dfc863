import type * as z from "zod";
import { fail, type CoherenceError } from "../../core/ground/errors.ts";

/** One entry of a 422's `detail`, in the contract's words (1.0). */
export type Detail = {
  type: string;
  loc: (string | number)[];
  msg: string;
  input: unknown;
  ctx?: Record<string, unknown>;
};

/** The 422 of these details. */
export function invalid(details: Detail[]): CoherenceError {
  return fail("input.invalid", details[0]?.msg ?? "Invalid input", { data: { details } });
}

/** A detail for a rule of ours. */
export function valueError(loc: (string | number)[], message: string, input: unknown): Detail {
  return { type: "value_error", loc, msg: `Value error, ${message}`, input, ctx: { error: {} } };
}

/**
 * A zod issue as the contract words it. `given` is what was sent, before any coercion; `asValueError`: fields whose wrong word is
 * a `value_error`.
 */
export function detailOf(
  issue: z.core.$ZodIssue,
  place: "body" | "query",
  given: unknown,
  asValueError: readonly string[] = [],
): Detail {
  const path = issue.path.filter((step) => typeof step !== "symbol");
  const loc = [place, ...path];
  const input = at(given, path);
  switch (issue.code) {
    case "invalid_type":
      return input === undefined
        ? { type: "missing", loc, msg: "Field required", input: at(given, path.slice(0, -1)) ?? null }
        : { ...wrongType(isNoInteger(issue) ? "int" : issue.expected, input), loc, input };
    case "invalid_value": {
      if (input === undefined) return { type: "missing", loc, msg: "Field required", input: given };
      const words = listed(issue.values.map((value) => `'${String(value)}'`));
      if (path.some((step) => asValueError.includes(String(step)))) return valueError(loc, `must be ${words}`, input);
      const one = issue.values.length === 1;
      return {
        type: one ? "literal_error" : "enum",
        loc,
        msg: `Input should be ${words}`,
        input,
        ctx: { expected: words },
      };
    }
    case "too_small":
      return issue.origin === "string"
        ? length("short", Number(issue.minimum), loc, input)
        : bound(issue.inclusive === false ? "gt" : "ge", Number(issue.minimum), loc, input);
    case "too_big":
      if (issue.origin === "array") return tooMany(issue, loc, input);
      return issue.origin === "string"
        ? length("long", Number(issue.maximum), loc, input)
        : bound(issue.inclusive === false ? "lt" : "le", Number(issue.maximum), loc, input);
    case "invalid_union": {
      // A list that has only too much in it is one all the same.
      const long = issue.errors.flat().find((one) => one.code === "too_big" && one.origin === "array");
      if (long?.code === "too_big") return tooMany(long, loc, input);
      return valueError(loc, "must be a string or a list of strings", input ?? null);
    }
    case "custom":
    case "invalid_format":
    case "invalid_key":
    case "invalid_element":
    case "not_multiple_of":
    case "unrecognized_keys":
      return valueError(loc, issue.message, input ?? null);
  }
}

/** What is no integer was made NaN before it was checked; what is no other number was left as it was. */
function isNoInteger(issue: z.core.$ZodIssueInvalidType & { received?: unknown }): boolean {
  return issue.received === "NaN";
}

function wrongType(expected: string, input: unknown): Pick<Detail, "type" | "msg"> {
  switch (expected) {
    case "string":
      return { type: "string_type", msg: "Input should be a valid string" };
    case "number":
      return typeof input === "string"
        ? { type: "float_parsing", msg: "Input should be a valid number, unable to parse string as a number" }
        : { type: "float_type", msg: "Input should be a valid number" };
    case "int":
    case "nan":
      if (typeof input === "string")
        return {
          type: "int_parsing",
          msg: "Input should be a valid integer, unable to parse string as an integer",
        };
      return typeof input === "number"
        ? { type: "int_from_float", msg: "Input should be a valid integer, got a number with a fractional part" }
        : { type: "int_type", msg: "Input should be a valid integer" };
    case "boolean":
      return typeof input === "string"
        ? { type: "bool_parsing", msg: "Input should be a valid boolean, unable to interpret input" }
        : { type: "bool_type", msg: "Input should be a valid boolean" };
    case "array":
      return { type: "list_type", msg: "Input should be a valid list" };
    default:
      return { type: "dict_type", msg: "Input should be a valid dictionary" };
  }
}

function tooMany({ maximum }: z.core.$ZodIssueTooBig, loc: Detail["loc"], input: unknown): Detail {
  return valueError(loc, `must have at most ${maximum} entries`, input ?? null);
}

function length(which: "short" | "long", n: number, loc: Detail["loc"], input: unknown): Detail {
  const [least, key] = which === "short" ? (["least", "min_length"] as const) : (["most", "max_length"] as const);
  const msg = `String should have at ${least} ${n} character${n === 1 ? "" : "s"}`;
  return { type: `string_too_${which}`, loc, msg, input, ctx: { [key]: n } };
}

const BOUNDS = {
  ge: ["greater_than_equal", "greater than or equal to"],
  gt: ["greater_than", "greater than"],
  le: ["less_than_equal", "less than or equal to"],
  lt: ["less_than", "less than"],
} as const;

function bound(kind: keyof typeof BOUNDS, n: number, loc: Detail["loc"], input: unknown): Detail {
  const [type, words] = BOUNDS[kind];
  return { type, loc, msg: `Input should be ${words} ${n}`, input, ctx: { [kind]: n } };
}

/** `'a', 'b' or 'c'`. */
function listed(words: string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1) ?? ""}`;
}

function at(value: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>(
    (inner, step) =>
      typeof inner === "object" && inner !== null && Object.hasOwn(inner, step)
        ? (inner as Record<string | number, unknown>)[step]
        : undefined,
    value,
  );
}
