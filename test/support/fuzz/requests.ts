import fc from "fast-check";
import type { Document, Operation, Parameter, Schema } from "../../../functions/api/openapi/types.ts";
import { someOf, valuesOf, type Known, type Values } from "./values.ts";

/** A request to an operation of the document. */
export type Made = Sent & {
  /** Of the operation. */
  id: string;
  method: string;
  /** `valid`: all is as the document says. `wrong`: one thing surely is not. `odd`: anything at all. */
  kind: "valid" | "wrong" | "odd";
};

type Sent = {
  /** With its query. */
  path: string;
  /** As text: it need not be JSON. */
  body: string | undefined;
  headers: Record<string, string>;
};

/** What a request is made of, one arbitrary each. */
type Parts = {
  places: fc.Arbitrary<Record<string, unknown>>;
  query: fc.Arbitrary<Record<string, unknown>>;
  body: fc.Arbitrary<string | undefined>;
  headers: fc.Arbitrary<Record<string, string>>;
};

/** Values that have broken stores, shells and parsers. */
const NASTY: readonly unknown[] = [
  ...[null, true, false, 0, -1, 1, 1.5, 1e308, -1e-320, 2 ** 53],
  ...["", " ", "\0", "\ud800", "__proto__", "constructor", "x".repeat(5001), "🙂".repeat(300), "x".repeat(100_000)],
  ...["'; rm -rf /", "$(id)", "../../etc/passwd", "<script>", "1", "60", "NaN", "2026-01-31T00:00:00Z"],
  ...[[], {}, [[]], { __proto__: null }],
];
const nasty = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...NASTY) }, { weight: 1, arbitrary: fc.jsonValue() });

/** Ids that are none, as they stand in a path. */
const BAD_PLACES = [
  "..%2F..%2Fetc",
  "%00",
  "task_%00",
  "task_XYZ",
  "x".repeat(10_000),
  "%ff",
  "%2e%2e",
  "T%23x",
  "a/b",
];

/** Bodies that are no JSON object, and none at all. */
const NO_OBJECTS: readonly (string | undefined)[] = [
  ...[undefined, "", "{", "[]", "null", '"x"', "5", '{"context":{"a":1e999}}', "\ufeff{}", '{"a":1,"a":2}'],
  `${"[".repeat(10_000)}${"]".repeat(10_000)}`,
  `{"pad":"${"x".repeat(1024 * 1024)}"}`,
];

const ODD_HEADERS: readonly Record<string, string>[] = [
  { "content-type": "text/plain" },
  { "content-type": "application/json; charset=utf-16" },
  { "idempotency-key": "é" },
  { "x-request-id": "<>" },
  { origin: "null" },
  { host: "evil" },
  { "content-length": "banana" },
  { accept: "text/html" },
];

/**
 * Requests to all operations of a document, made from it alone. `known`: values by the names of fields and
 * parameters, and by what stands before a place in a path (`tasks/{id}`).
 */
export function requests(document: Document, known: Known): fc.Arbitrary<Made> {
  const values = valuesOf(document, known);
  const all = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => request(path, method.toUpperCase(), operation, values, known)),
  );
  return fc.oneof(...all);
}

function request(path: string, method: string, operation: Operation, values: Values, known: Known): fc.Arbitrary<Made> {
  const { parameters = [], requestBody } = operation;
  const schema = requestBody?.content["application/json"].schema;
  const queries = parameters.filter((one) => one.in === "query");
  const sane: Parts = {
    places: placed(path, (key) => known[key] ?? ["x"]),
    query: given(queries, values, known),
    body: schema ? values.valid(schema).map((body) => JSON.stringify(body)) : fc.constant(undefined),
    headers: headersOf(parameters, values, known),
  };
  const wrong: Parts[] = [
    ...queries.flatMap(({ name, schema: field }) =>
      values.wrong(field, "query").map((value) => ({
        ...sane,
        query: fc.tuple(sane.query, value).map(([rest, one]) => ({ ...rest, [name]: one })),
      })),
    ),
    ...(schema ? values.wrongObject(schema) : []).map((body) => ({
      ...sane,
      body: body.map((one) => JSON.stringify(one)),
    })),
    ...(schema ? [{ ...sane, body: fc.constantFrom("{", "[]", "null", "5", '"x"') }] : []),
  ];
  const odd: Parts = {
    places: fc.oneof({ weight: 3, arbitrary: sane.places }, { weight: 1, arbitrary: placed(path, () => BAD_PLACES) }),
    query: fc.dictionary(fc.constantFrom(...queries.map((one) => one.name), "nonsense"), nasty, { maxKeys: 3 }),
    body: method === "GET" ? fc.constant(undefined) : anyBody(schema, values),
    headers: fc.oneof(
      { weight: 2, arbitrary: sane.headers },
      { weight: 1, arbitrary: fc.constantFrom(...ODD_HEADERS) },
    ),
  };
  const made = (kind: Made["kind"], parts: Parts): fc.Arbitrary<Made> =>
    fc.record(parts).map(({ places, query, body, headers }) => ({
      id: operation.operationId,
      method,
      kind,
      path: `${path.replace(/\{(\w+)\}/g, (_, name: string) => String(places[name]))}${search(query)}`,
      body,
      headers,
    }));
  return fc.oneof(
    { weight: 4, arbitrary: made("valid", sane) },
    ...(wrong.length > 0 ? [{ weight: 3, arbitrary: fc.oneof(...wrong.map((parts) => made("wrong", parts))) }] : []),
    { weight: 3, arbitrary: made("odd", odd) },
  );
}

/** What a path has places for, by what stands before each: `tasks/{id}`. */
function placesOf(path: string): { name: string; key: string }[] {
  return [...path.matchAll(/[\w-]+\/\{(\w+)\}/g)].map(([key, name = ""]) => ({ name, key }));
}

function placed(path: string, values: (key: string) => readonly unknown[]): Parts["places"] {
  return fc.record(Object.fromEntries(placesOf(path).map(({ name, key }) => [name, fc.constantFrom(...values(key))])));
}

/** Those parameters that have to be given, and some of the others. */
function given(parameters: readonly Parameter[], values: Values, known: Known): fc.Arbitrary<Record<string, unknown>> {
  const fields = parameters.map(({ name, schema }) => [
    name,
    known[name] ? fc.oneof(fc.constantFrom(...known[name]), values.valid(schema)) : values.valid(schema),
  ]);
  const required = parameters.filter((one) => one.required).map((one) => one.name);
  return someOf(Object.fromEntries(fields) as Record<string, fc.Arbitrary<unknown>>, required);
}

/** Of the header no more than ASCII can be sent. */
function headersOf(parameters: readonly Parameter[], values: Values, known: Known): Parts["headers"] {
  const fields = parameters.filter((one) => one.in === "header");
  return given(fields, values, known).map((all) =>
    Object.fromEntries(Object.entries(all).map(([name, value]) => [name, String(value).replace(/[^\x20-\x7e]/g, "?")])),
  );
}

/** A valid body with up to three fields of any kind; now and then something else altogether. */
function anyBody(schema: Schema | undefined, values: Values): Parts["body"] {
  const names = schema ? values.names(schema) : [];
  const spoilt = fc.array(fc.tuple(fc.constantFrom(...names, "nonsense", "__proto__"), nasty), { maxLength: 3 });
  const whole = schema ? values.valid(schema) : fc.constant({});
  return fc.oneof(
    {
      weight: 4,
      arbitrary: fc
        .tuple(whole, spoilt)
        .map(([body, pairs]) => JSON.stringify({ ...(body as object), ...Object.fromEntries(pairs) })),
    },
    { weight: 1, arbitrary: fc.constantFrom(...NO_OBJECTS) },
    { weight: 1, arbitrary: fc.string({ maxLength: 40 }) },
  );
}

/** Parameters as they stand in an address; text that is no Unicode cannot. */
function search(query: Readonly<Record<string, unknown>>): string {
  const pairs = Object.entries(query).map(([name, value]) => {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    return `${encodeURIComponent(name)}=${encodeURIComponent(text.toWellFormed())}`;
  });
  return pairs.length === 0 ? "" : `?${pairs.join("&")}`;
}
