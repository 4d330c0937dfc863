import * as z from "zod";
import { describe, expect, it } from "vitest";
import { document } from "../../functions/api/openapi/document.ts";
import { route, type Route } from "../../functions/api/route.ts";
import { breakingChanges } from "./breaking-changes.ts";

/** A row with everything a client may rely on, or another in its place. */
function row(other: Partial<Route> = {}): Route {
  const made = route({
    id: "setThing",
    method: "POST",
    path: "/api/things/:id",
    scope: ["read", "write"],
    summary: "Set a thing",
    query: z.object({ limit: z.number().int().min(1).max(100).default(20), kind: z.enum(["a", "b"]).optional() }),
    body: Sent,
    bodyOptional: true,
    answer: Read,
    handle: () => expect.unreachable(),
  });
  return { ...made, ...other };
}

const Sent = z.object({
  name: z.string().min(1).max(10),
  size: z.number().min(0).max(10).optional(),
  kind: z.enum(["a", "b"]),
  tags: z.array(z.string()).min(1).max(5),
  either: z.union([z.string(), z.array(z.string())]),
  deep: z.object({ field: z.string() }).optional(),
});
const Read = z.object({
  name: z.string(),
  at: z.iso.datetime(),
  maybe: z.string().nullable(),
  kind: z.enum(["a", "b"]),
  list: z.array(z.object({ id: z.string(), n: z.number().int() })),
  map: z.record(z.string(), z.object({ n: z.number() })),
  union: z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("x"), x: z.string() }),
    z.object({ kind: z.literal("y"), y: z.string() }),
  ]),
});

const changes = (after: Route[]) => breakingChanges(document([row()], "1"), document(after, "1"));
const query = (shape: z.ZodRawShape) => row({ query: z.object({ ...row().query?.shape, ...shape }) });

describe("a change that breaks clients is reported", () => {
  const planted: [string, Route[], RegExp][] = [
    ["a path that is gone", [row({ path: "/api/others/:id" })], /^POST \/api\/things\/\{id\} is gone$/],
    ["a method that is gone", [row({ method: "PATCH" })], /is gone$/],
    ["a name that changed", [row({ id: "putThing" })], /setThing is now called putThing/],
    ["a status that changed", [row({ status: 201 })], /the status 200 is gone/],
    ["a scope that is not enough any more", [row({ scope: ["write"] })], /"bearer":\["read"\]\} is not enough/],
    [
      "a parameter that is gone",
      [row({ query: z.object({ kind: z.string().optional() }) })],
      /parameter limit is gone/,
    ],
    ["a parameter that is required now", [query({ fresh: z.string() })], /query fresh is required now/],
    [
      "a bound of a parameter",
      [query({ limit: z.number().int().min(1).max(50).default(20) })],
      /maximum was 100, is 50/,
    ],
    [
      "a default of a parameter",
      [query({ limit: z.number().int().min(1).max(100).default(10) })],
      /default 20 is now 10/,
    ],
    ["a word of a parameter", [query({ kind: z.enum(["a"]).optional() })], /"b" is not taken any more/],
    ["a body that has to be sent", [without("bodyOptional")], /a body is required now/],
    ["no body any more", [without("body")], /the body is gone/],
    ["a field of a body that is gone", [row({ body: Sent.omit({ size: true }) })], /body\.size is gone/],
    ["a field that has to be sent", [row({ body: Sent.extend({ size: z.number() }) })], /body\.size is required now/],
    [
      "a new field that has to be sent",
      [row({ body: Sent.extend({ fresh: z.number() }) })],
      /body\.fresh is required now/,
    ],
    [
      "a nested one",
      [row({ body: Sent.extend({ deep: z.object({ field: z.string(), more: z.string() }).optional() }) })],
      /body\.deep\.more is required now/,
    ],
    [
      "a shorter text",
      [row({ body: Sent.extend({ name: z.string().min(1).max(9) }) })],
      /name: maxLength was 10, is 9/,
    ],
    [
      "a longer least",
      [row({ body: Sent.extend({ name: z.string().min(2).max(10) }) })],
      /name: minLength was 1, is 2/,
    ],
    [
      "a pattern",
      [row({ body: Sent.extend({ name: z.string().min(1).max(10).regex(/x/) }) })],
      /match the pattern x now/,
    ],
    [
      "a whole number",
      [row({ body: Sent.extend({ size: z.number().int().min(0).max(10).optional() }) })],
      /no number any more/,
    ],
    [
      "a number's bound",
      [row({ body: Sent.extend({ size: z.number().min(1).max(10).optional() }) })],
      /minimum was 0, is 1/,
    ],
    [
      "an open bound",
      [row({ body: Sent.extend({ size: z.number().gt(0).max(10).optional() }) })],
      /exclusiveMinimum was open, is 0/,
    ],
    ["a word that is not taken", [row({ body: Sent.extend({ kind: z.enum(["a"]) }) })], /"b" is not taken any more/],
    [
      "words where any text was",
      [row({ body: Sent.extend({ name: z.enum(["a"]) }) })],
      /only some words are taken now/,
    ],
    [
      "fewer entries",
      [row({ body: Sent.extend({ tags: z.array(z.string()).min(1).max(4) }) })],
      /maxItems was 5, is 4/,
    ],
    [
      "entries of another type",
      [row({ body: Sent.extend({ tags: z.array(z.number()).min(1).max(5) }) })],
      /tags\[\]: no string any more/,
    ],
    ["one way less", [row({ body: Sent.extend({ either: z.string() }) })], /either: no array any more/],
    ["another type", [row({ body: Sent.extend({ name: z.number() }) })], /name: no string any more/],
    ["a field of an answer that is gone", [row({ answer: Read.omit({ name: true }) })], /200\.name is gone/],
    ["one that may be missing", [row({ answer: Read.partial({ name: true }) })], /200\.name may be missing now/],
    ["one that may be null", [row({ answer: Read.extend({ name: z.string().nullable() }) })], /name: may be null now/],
    ["one of another type", [row({ answer: Read.extend({ name: z.number() }) })], /name: no string any more/],
    ["a time that is none", [row({ answer: Read.extend({ at: z.string() }) })], /at: is no date-time any more/],
    [
      "a field within a list",
      [row({ answer: Read.extend({ list: z.array(z.object({ id: z.string() })) }) })],
      /list\[\]\.n is gone/,
    ],
    [
      "a whole number that is none",
      [row({ answer: Read.extend({ list: z.array(z.object({ id: z.string(), n: z.number() })) }) })],
      /n: (may be|no)/,
    ],
    [
      "a field within a map",
      [row({ answer: Read.extend({ map: z.record(z.string(), z.object({})) }) })],
      /map\{\}\.n is gone/,
    ],
    [
      "a field of one of a union",
      [row({ answer: Read.extend({ union: union(z.object({ kind: z.literal("y") })) }) })],
      /union\.y is gone/,
    ],
    [
      "one of a union that is gone",
      [row({ answer: Read.extend({ union: z.object({ kind: z.literal("x"), x: z.string() }) }) })],
      /no object kind="y" any more/,
    ],
    ["an answer that is a list now", [row({ answer: z.array(Read) })], /may be array now/],
  ];
  it.each(planted)("%s", (_name, after, said) => {
    expect(
      changes(after).some((change) => said.test(change)),
      changes(after).join("\n"),
    ).toBe(true);
  });

  it("a key where none was asked for", () => {
    const open = document([row({ scope: "public" })], "1");
    expect(breakingChanges(open, document([row()], "1"))).toContain("POST /api/things/{id}: a key is needed now");
  });
});

describe("an addition is not reported", () => {
  const added: [string, Route[]][] = [
    ["nothing at all", [row()]],
    ["another operation", [row(), row({ id: "other", path: "/api/others" })]],
    ["another scope that is enough", [row({ scope: ["read", "write", "run"] })]],
    ["no key any more", [row({ scope: "public" })]],
    ["a parameter that may be left out", [query({ fresh: z.string().optional() })]],
    ["wider bounds", [query({ limit: z.number().int().min(0).max(1000).default(20) })]],
    ["another word to send", [row({ body: Sent.extend({ kind: z.enum(["a", "b", "c"]) }) })]],
    ["any text where words were", [row({ body: Sent.extend({ kind: z.string() }) })]],
    ["a field that may be left out", [row({ body: Sent.extend({ fresh: z.string().optional() }) })]],
    ["a field that may be left out now", [row({ body: Sent.partial({ name: true }) })]],
    ["a null that may be sent", [row({ body: Sent.extend({ name: z.string().min(1).max(10).nullable() }) })]],
    ["any number where a whole one was", [query({ limit: z.number().min(1).max(100).default(20) })]],
    ["a field of an answer", [row({ answer: Read.extend({ fresh: z.string() }) })]],
    ["a word of an answer that may be missing", [row({ answer: Read.extend({ fresh: z.literal(true).optional() }) })]],
    ["another word of an answer", [row({ answer: Read.extend({ kind: z.enum(["a", "b", "c"]) }) })]],
    ["an answer that is never null", [row({ answer: Read.extend({ maybe: z.string() }) })]],
    [
      "another one of a union",
      [
        row({
          answer: Read.extend({
            union: union(z.object({ kind: z.literal("y"), y: z.string() }), z.object({ kind: z.literal("z") })),
          }),
        }),
      ],
    ],
    ["another error", [row({ refuses: { 409: "no" } })]],
    ["other words about it", [row({ summary: "Put a thing", example: {} })]],
  ];
  it.each(added)("%s", (_name, after) => {
    expect(changes(after)).toEqual([]);
  });
});

function union(...others: z.ZodObject[]) {
  return z.union([z.object({ kind: z.literal("x"), x: z.string() }), ...others]);
}

function without(key: "body" | "bodyOptional"): Route {
  const { [key]: _, ...rest } = row();
  return rest;
}
