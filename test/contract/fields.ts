import { describe, expect, it } from "vitest";
import { expectShape, Unprocessable } from "./shapes.ts";
import type { Answer, Body } from "./support.ts";

/** What the contract says of one field of a body or a query. */
export type Field = {
  name: string;
  kind: "text" | "int" | "float" | "flag" | "object" | "word" | "texts";
  required?: true;
  /** Characters of a text, size of a number. */
  min?: number;
  max?: number;
  /** Stored without the blanks around it; `first`: and measured so. */
  trimmed?: "first" | "stored";
  words?: readonly string[];
  /** How a wrong word is reported where it is not as `enum`. */
  wrongWord?: RegExp;
  /** An integer that takes neither numeric strings nor `50.0` (1.0). */
  strict?: true;
  /** It has a default, so that null is not one of its values: what becomes of it is nobody's promise. */
  defaulted?: true;
  /** Whether the answer to an accepted request shows the value under its name, and how it was changed on the way. */
  shown?: false | ((stored: unknown) => unknown);
};

type Case = { title: string; value: unknown };
type Accepted = Case & { stored?: unknown };
type Refused = Case & { type: RegExp; ctx?: Body };

const ABSENT = Symbol("absent");
const x = (n: number) => "x".repeat(n);

/** What a field takes: each bound from inside, what is coerced, what may be left out. */
function accepted(field: Field, place: "body" | "query"): Accepted[] {
  const { kind, min, max } = field;
  const out: Accepted[] = [];
  const takes = (title: string, value: unknown, stored = value) => out.push({ title, value, stored });
  switch (kind) {
    case "text":
      takes(`${min ?? 1} long`, x(Math.max(1, min ?? 1)));
      if (max !== undefined) takes(`${max} long`, x(max));
      if (field.trimmed === "first") takes(`${max ?? 3} long between blanks`, ` \n${x(max ?? 3)}\t `, x(max ?? 3));
      if (field.trimmed === "stored") takes("with blanks around", " \nx\t ", "x");
      if (min === undefined) takes("empty", "");
      break;
    case "int":
      if (min !== undefined) takes(`${min}`, min);
      if (max !== undefined) takes(`${max}`, max);
      // 1.0: numeric strings, and `true` for the strict one.
      if (field.strict) takes("true, as 1", true, 1);
      else if (min !== undefined) takes(`"${min}"`, String(min), min);
      break;
    case "float":
      if (min !== undefined) takes(`${min}`, min);
      if (max !== undefined) takes(`${max}`, max);
      takes("2.5", 2.5);
      break;
    case "flag":
      if (place === "body") for (const value of [true, false]) takes(String(value), value);
      else for (const word of ["true", "false", "1", "0", "yes", "no", "on", "off", "TRUE", "Off"]) takes(word, word);
      break;
    case "word":
      for (const word of field.words ?? []) takes(word, word);
      break;
    case "object":
      takes("an empty object", {});
      takes("nested", { a: { b: [1, "two", null] } });
      break;
    case "texts":
      takes("a list", ["a", "b"]);
      takes("an empty list", []);
      takes("a bare string, as a list of one", "a", ["a"]);
      takes("items with blanks around", [" a ", "", " \n"], ["a"]);
      takes("items that repeat in another case", ["Done", "done", "DONE", "other"], ["Done", "other"]);
      takes("an item of 700, cut to 600", [x(700)], [x(600)]);
      break;
  }
  if (!field.required) {
    out.push({ title: "absent", value: ABSENT });
    if (place === "body" && !field.defaulted) out.push({ title: "null", value: null });
  }
  return out;
}

/** What a field refuses: each bound from outside, every other type. */
function refused(field: Field, place: "body" | "query"): Refused[] {
  const { kind, min, max } = field;
  const out: Refused[] = [];
  const refuses = (title: string, value: unknown, type: RegExp | string, ctx?: Body) =>
    out.push({
      title,
      value,
      type: typeof type === "string" ? new RegExp(`^${type}$`) : type,
      ...(ctx ? { ctx } : {}),
    });
  const others = (type: RegExp | string, ...values: unknown[]) => {
    for (const value of values) refuses(JSON.stringify(value), value, type);
  };
  switch (kind) {
    case "text":
      if (min !== undefined && min > 0) {
        const short = ["string_too_short", { min_length: min }] as const;
        refuses(`${min - 1} long`, x(min - 1), ...short);
        if (field.trimmed === "first") refuses("blanks alone", " \n\t ", ...short);
        if (field.trimmed === "stored") refuses("blanks alone", " \n\t ", /^(string_too_short|value_error)$/);
      }
      if (max !== undefined) refuses(`${max + 1} long`, x(max + 1), "string_too_long", { max_length: max });
      if (place === "body") others("string_type", 5, true, [], ["x"], {});
      break;
    case "int":
    case "float":
      if (min !== undefined) refuses(`${min - 1}`, min - 1, "greater_than_equal", { ge: min });
      if (max !== undefined) refuses(`${max + 1}`, max + 1, "less_than_equal", { le: max });
      others(/^(int|float)_/, "x", "");
      if (kind === "int") others(/^int_/, 1.5);
      if (place === "body") others(/^int_/, [], {}, [60]);
      if (field.strict) {
        others(/^int_/, "50");
        refuses("50.0", RAW_50, /^int_/);
      }
      break;
    case "flag":
      if (place === "body") others(/^bool_/, "maybe", 2, [], {});
      else others("bool_parsing", "2", "maybe", "", "yess");
      break;
    case "word": {
      const type = field.wrongWord ?? /^enum$/;
      others(type, "other", (field.words?.[0] ?? "").toUpperCase(), "");
      if (place === "body") others(type, 1, [], {});
      break;
    }
    case "object":
      others("dict_type", [], "x", 5, true, [{}]);
      break;
    case "texts":
      others("value_error", 5, true, {}, ["a", 1], [["a"]], [null]);
      break;
  }
  if (field.required) {
    refuses("absent", ABSENT, "missing");
    if (place === "body") refuses("null", null, field.wrongWord ?? /^(string|dict|int)_type$|^enum$/);
  }
  return out;
}

/** Written into the text of the body as `50.0`, which JSON.stringify cannot say. */
const RAW_50 = "@@50.0@@";

/** A request that is taken, ready to be sent with one field changed. */
export type Ready = {
  good: Body;
  /** Sends a body (a string goes as it is) or, in a query, what follows the question mark. */
  send(sent: unknown): Promise<Answer>;
  /** All that a refused request must leave as it was. */
  state(): Promise<unknown>;
};

export type Endpoint = {
  place: "body" | "query";
  fields: readonly Field[];
  status?: 200 | 201;
  /** Where in the answer the fields are shown; default: at its top. Null: nowhere. */
  shows?: ((body: Body) => Body) | null;
  /** Called once a test. */
  begin(): Promise<Ready>;
};

/** One test a value: each field of an endpoint at its bounds, beyond them, of another type, null and absent. */
export function describeFields(name: string, endpoint: Endpoint): void {
  const { place, fields, status = 200, shows = (body: Body) => body } = endpoint;
  describe(`${name}, field by field`, () => {
    for (const field of fields) {
      it.each(accepted(field, place))(`takes ${field.name}: $title`, async ({ value, stored }) => {
        const { good, send } = await endpoint.begin();
        const answer = await send(render(place, good, field, value));
        expect(answer.status, answer.text.slice(0, 500)).toBe(status);
        if (stored === undefined || field.shown === false || shows === null) return;
        const wanted = typeof field.shown === "function" ? field.shown(stored) : stored;
        expect(shows(answer.body)[field.name], answer.text.slice(0, 500)).toEqual(wanted);
      });
      it.each(refused(field, place))(`refuses ${field.name}: $title`, async ({ value, type, ctx }) => {
        const { good, send, state } = await endpoint.begin();
        const before = await state();
        const answer = await send(render(place, good, field, value));
        expect(answer.status, answer.text.slice(0, 500)).toBe(422);
        expectShape(Unprocessable, answer.body);
        const details = answer.body.detail as { type: string; loc: unknown[]; ctx?: Body }[];
        const mine = details.find(({ loc }) => loc[0] === place && loc[1] === field.name);
        expect(mine, answer.text.slice(0, 500)).toBeDefined();
        expect(mine?.type).toMatch(type);
        if (ctx) expect(mine?.ctx).toMatchObject(ctx);
        expect(await state()).toEqual(before);
      });
    }
  });
}

function render(place: "body" | "query", good: Body, field: Field, value: unknown): unknown {
  const sent: Body = { ...good };
  if (value === ABSENT) delete sent[field.name];
  else sent[field.name] = value;
  if (place === "body") return JSON.stringify(sent).replace(`"${RAW_50}"`, "50.0");
  return new URLSearchParams(Object.entries(sent).map(([key, one]): [string, string] => [key, String(one)])).toString();
}

/** What is true of every body: it is one JSON object, and fields that nobody knows are passed over. */
export function describeBody(name: string, endpoint: Pick<Endpoint, "begin" | "status">): void {
  describe(`${name}, the body as a whole`, () => {
    it.each([
      ["malformed", (good: Body) => JSON.stringify(good).slice(0, -1), "json_invalid"],
      ["a list", (good: Body) => JSON.stringify([good]), "dict_type"],
      ["a string", () => '"x"', "dict_type"],
      ["a number", () => "5", "dict_type"],
    ] as const)("refuses one that is %s", async (_name, text, type) => {
      const { good, send, state } = await endpoint.begin();
      const before = await state();
      const answer = await send(text(good));
      expect(answer.status, answer.text).toBe(422);
      const [detail] = answer.body.detail as { type: string; loc: unknown[] }[];
      expect(detail?.type).toBe(type);
      expect(detail?.loc[0]).toBe("body");
      // Where in the text it breaks.
      if (type === "json_invalid") expect(detail?.loc[1]).toEqual(expect.any(Number));
      expect(await state()).toEqual(before);
    });

    it("refuses none at all, naming the body", async () => {
      const { send, state } = await endpoint.begin();
      const before = await state();
      const answer = await send(undefined);
      expect(answer.status, answer.text).toBe(422);
      expect(answer.body.detail).toMatchObject([{ type: "missing", loc: ["body"] }]);
      expect(await state()).toEqual(before);
    });

    it("passes over fields that nobody knows", async () => {
      const { good, send } = await endpoint.begin();
      const answer = await send(JSON.stringify({ ...good, nonsense: { deep: [1] } }));
      expect(answer.status, answer.text).toBe(endpoint.status ?? 200);
    });
  });
}
