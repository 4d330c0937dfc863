import * as z from "zod";
import * as Body from "./body.ts";
import { detailOf, invalid, type Detail } from "./issues.ts";

/** The schema of a query or a body that a route does not look at. */
export const Empty = z.object({});

type Rules = {
  bodyOptional?: true;
  strictInts?: readonly string[];
  valueErrors?: readonly string[];
};

/**
 * Query and body in the types of their schemas. Unknown fields are passed over, a null stands for an absent field, numeric
 * strings for integers (contract 1.0). Throws one 422 with everything that is wrong.
 */
export function parse<Q extends z.ZodObject, B extends z.ZodObject>(
  rules: Rules & { query?: Q; body?: B },
  sent: { query: Readonly<Record<string, string>>; body: Body.Sent },
): { query: z.output<Q>; body: z.output<B> } {
  const details: Detail[] = [];
  const query = check(rules.query, "query", sent.query, rules, sent.query, details);
  const given = rules.body === undefined ? {} : bodyOf(sent.body, rules, details);
  const body = given && check(rules.body, "body", strict(given, sent.body, rules), rules, given, details);
  if (details.length > 0) throw invalid(details);
  return { query: query as z.output<Q>, body: body as z.output<B> };
}

function bodyOf(sent: Body.Sent, rules: Rules, details: Detail[]): Record<string, unknown> | undefined {
  if (sent.kind === "none" && rules.bodyOptional) return {};
  const value = sent.kind === "none" ? undefined : Body.json(sent.text);
  if (value === undefined) details.push({ type: "missing", loc: ["body"], msg: "Field required", input: null });
  else if (typeof value !== "object" || value === null || Array.isArray(value))
    details.push({ type: "dict_type", loc: ["body"], msg: "Input should be a valid dictionary", input: value });
  else return value as Record<string, unknown>;
  return undefined;
}

/** A strict integer stays one only when it was written as one. */
function strict(given: Record<string, unknown>, sent: Body.Sent, rules: Rules): Record<string, unknown> {
  const out = { ...given };
  for (const field of rules.strictInts ?? []) {
    if (typeof given[field] === "string") out[field] = Number.NaN;
    if (typeof given[field] !== "number" || sent.kind === "none") continue;
    if (!/^-?\d+$/.test(Body.numberAsWritten(sent.text, field) ?? "")) out[field] = Number.NaN;
  }
  return out;
}

function check(
  schema: z.ZodObject | undefined,
  place: "body" | "query",
  value: Readonly<Record<string, unknown>>,
  rules: Rules,
  given: Readonly<Record<string, unknown>>,
  details: Detail[],
): Record<string, unknown> {
  if (!schema) return {};
  const parsed = schema.safeParse(lax(schema, value));
  if (parsed.success) return parsed.data;
  for (const issue of parsed.error.issues) details.push(detailOf(issue, place, given, rules.valueErrors));
  return {};
}

/** The known fields, each turned into what its schema wants where the contract's clients may send it otherwise. */
function lax(schema: z.ZodObject, given: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  const fields: Record<string, z.core.$ZodType> = schema.shape;
  for (const [key, field] of Object.entries(fields)) {
    if (!Object.hasOwn(given, key)) continue;
    const value = given[key];
    if (value === null && z.safeParse(field, undefined).success) continue;
    out[key] = coerced(kindOf(field), value);
  }
  return out;
}

const TRUE = new Set(["true", "1", "yes", "on", "t", "y"]);
const FALSE = new Set(["false", "0", "no", "off", "f", "n"]);

function coerced(kind: string, value: unknown): unknown {
  if (kind === "integer") {
    if (typeof value === "number") return value;
    if (typeof value === "boolean") return Number(value);
    // Not a number: a schema that coerces by itself would take [60], "" and "0x10".
    return typeof value === "string" && /^\s*[+-]?\d+(?:\.\d+)?\s*$/.test(value) ? Number(value) : Number.NaN;
  }
  if (kind === "number") {
    const isNumber = typeof value === "string" && /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?\s*$/i.test(value);
    return isNumber || typeof value === "boolean" ? Number(value) : value;
  }
  if (kind === "boolean") {
    const word = typeof value === "string" || typeof value === "number" ? String(value).toLowerCase() : "";
    return TRUE.has(word) ? true : FALSE.has(word) ? false : value;
  }
  return value;
}

type Def = {
  type: string;
  innerType?: z.core.$ZodType;
  in?: z.core.$ZodType;
  checks?: readonly z.core.$ZodCheck[];
};

/** The kind of value that a field's schema begins with: `string`, `integer`, `number`, `boolean`, … */
function kindOf(field: z.core.$ZodType): string {
  const def = field._zod.def as Def;
  const inner = def.innerType ?? def.in;
  if (inner) return kindOf(inner);
  const whole = def.checks?.some((check) => check._zod.def.check === "number_format");
  return def.type === "number" && whole ? "integer" : def.type;
}
