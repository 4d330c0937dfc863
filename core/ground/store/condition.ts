import { toAttribute, type Attributes } from "./attributes.ts";

/**
 * Named conditions as data: compiled to DynamoDB for the write, evaluated on the returned item when it failed, so that a
 * refused write says which of its sub-conditions was false.
 */

export type Test =
  | { op: "eq" | "ne" | "lt" | "le" | "gt" | "ge"; attr: string; value: string | number | boolean }
  | { op: "in"; attr: string; values: readonly (string | number)[] }
  | { op: "exists" | "absent"; attr: string }
  | { op: "any"; of: readonly Test[] };

/** Sub-conditions by name; all must hold. */
export type Conditions = Readonly<Record<string, Test>>;

type Value = string | number | boolean;

export const eq = (attr: string, value: Value): Test => ({ op: "eq", attr, value });
export const ne = (attr: string, value: Value): Test => ({ op: "ne", attr, value });
export const lt = (attr: string, value: Value): Test => ({ op: "lt", attr, value });
export const le = (attr: string, value: Value): Test => ({ op: "le", attr, value });
export const gt = (attr: string, value: Value): Test => ({ op: "gt", attr, value });
export const ge = (attr: string, value: Value): Test => ({ op: "ge", attr, value });
export const oneOf = (attr: string, values: readonly (string | number)[]): Test => ({ op: "in", attr, values });
export const exists = (attr: string): Test => ({ op: "exists", attr });
export const absent = (attr: string): Test => ({ op: "absent", attr });
export const any = (...of: Test[]): Test => ({ op: "any", of });

/** There is no such item yet. */
export const isNew: Conditions = { new: absent("pk") };
/** The item is there. */
export const isThere: Conditions = { there: exists("pk") };

const SIGN = { eq: "=", ne: "<>", lt: "<", le: "<=", gt: ">", ge: ">=" } as const;

/** Collects attribute names and values of one request under short placeholders. */
export class Placeholders {
  readonly names: Record<string, string> = {};
  readonly values: Attributes = {};
  private count = 0;

  name(attr: string): string {
    const key = `#${attr}`;
    this.names[key] = attr;
    return key;
  }

  value(value: unknown): string {
    const key = `:v${this.count++}`;
    this.values[key] = toAttribute(value);
    return key;
  }
}

/** The DynamoDB expression of a test. */
export function compile(test: Test, into: Placeholders): string {
  switch (test.op) {
    case "eq":
    case "ne":
    case "lt":
    case "le":
    case "gt":
    case "ge":
      return `${into.name(test.attr)} ${SIGN[test.op]} ${into.value(test.value)}`;
    case "in":
      return `${into.name(test.attr)} IN (${test.values.map((v) => into.value(v)).join(", ")})`;
    case "exists":
      return `attribute_exists(${into.name(test.attr)})`;
    case "absent":
      return `attribute_not_exists(${into.name(test.attr)})`;
    case "any":
      return `(${test.of.map((t) => compile(t, into)).join(" OR ")})`;
  }
}

/** The expression of all sub-conditions, or undefined when there are none. */
export function compileAll(conditions: Conditions | undefined, into: Placeholders): string | undefined {
  const parts = Object.values(conditions ?? {}).map((test) => compile(test, into));
  return parts.length > 0 ? parts.join(" AND ") : undefined;
}

/** Whether a test holds for an item, as DynamoDB would decide it (an absent attribute fails every comparison but `ne`). */
export function holds(test: Test, item: Readonly<Record<string, unknown>> | undefined): boolean {
  if (test.op === "any") return test.of.some((t) => holds(t, item));
  const value = item?.[test.attr];
  switch (test.op) {
    case "exists":
      return value !== undefined;
    case "absent":
      return value === undefined;
    case "in":
      return test.values.includes(value as string | number);
    case "eq":
      return value === test.value;
    case "ne":
      return value !== test.value;
    case "lt":
    case "le":
    case "gt":
    case "ge":
      return (
        typeof value === typeof test.value && ordered(test.op, value as string | number, test.value as string | number)
      );
  }
}

/** Names of the sub-conditions that are false for an item. */
export function failing(
  conditions: Conditions | undefined,
  item: Readonly<Record<string, unknown>> | undefined,
): string[] {
  return Object.entries(conditions ?? {})
    .filter(([, test]) => !holds(test, item))
    .map(([name]) => name);
}

function ordered(op: "lt" | "le" | "gt" | "ge", a: string | number, b: string | number): boolean {
  switch (op) {
    case "lt":
      return a < b;
    case "le":
      return a <= b;
    case "gt":
      return a > b;
    case "ge":
      return a >= b;
  }
}
