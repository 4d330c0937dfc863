import fc from "fast-check";
import { expect, it } from "vitest";
import type { Route } from "../../../functions/api/route.ts";
import { routes } from "../../../functions/api/routes/index.ts";
import { api, BAD_IDS, NOBODY } from "./support.ts";

/** Values that have broken stores, shells and parsers. */
const nasty = fc.constantFrom<unknown>(
  null,
  true,
  false,
  0,
  -1,
  1,
  1.5,
  1e308,
  -1e-320,
  2 ** 53,
  "",
  " ",
  "\0",
  "\ud800",
  "__proto__",
  "constructor",
  "x".repeat(5001),
  "🙂".repeat(300),
  "'; rm -rf /",
  "$(id)",
  "../../etc/passwd",
  [],
  {},
  [[]],
  { __proto__: null },
  "1",
  "60",
  "NaN",
);
const value = fc.oneof({ weight: 4, arbitrary: nasty }, { weight: 1, arbitrary: fc.jsonValue() });

/** A sane value for each field there is. */
const GOOD: Record<string, unknown> = {
  direction: "do it",
  task_type: "impl",
  status: "running",
  worker_id: "w",
  text: "1. one\n",
  decision: "yes",
  context: { a: 1 },
  progress_pct: 5,
  kind: "product",
  output: "out",
  priority: 5,
};

/** Bodies that a route takes, with up to three fields spoilt; now and then something else altogether. */
function bodyOf(row: Route): fc.Arbitrary<string | undefined> {
  if (row.method === "GET") return fc.constant(undefined);
  const fields = Object.keys(row.body?.shape ?? {});
  const some = fc.subarray(fields).map((names) => names.map((name) => [name, GOOD[name]] as const));
  const spoilt = fc.array(fc.tuple(fc.constantFrom(...fields, "nonsense", "__proto__"), value), { maxLength: 3 });
  const all = fields.map((name) => [name, GOOD[name]] as const);
  const text = (...pairs: (readonly (readonly [string, unknown])[])[]) =>
    JSON.stringify(Object.fromEntries(pairs.flat()));
  return fc.oneof(
    { weight: 3, arbitrary: fc.constant(text(all)) },
    { weight: 3, arbitrary: some.map((pairs) => text(pairs)) },
    { weight: 4, arbitrary: spoilt.map((pairs) => text(all, pairs)) },
    { weight: 1, arbitrary: value.map((v) => JSON.stringify(v)) },
    { weight: 1, arbitrary: fc.string({ maxLength: 40 }) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        undefined,
        "{",
        `${"[".repeat(10_000)}${"]".repeat(10_000)}`,
        '{"context":{"a":1e999}}',
      ),
    },
  );
}

const names = [...new Set(routes.flatMap((row) => Object.keys(row.query?.shape ?? {})))];
const asText = (v: unknown) => (typeof v === "string" ? v : JSON.stringify(v)).toWellFormed();
const query = fc
  .array(
    fc.tuple(fc.constantFrom(...names, "nonsense"), fc.oneof(nasty, fc.constantFrom("pending", "impl", "10", "done"))),
    { maxLength: 3 },
  )
  .map((pairs) => pairs.map(([name, v]) => `${name}=${encodeURIComponent(asText(v))}`).join("&"));
const headers = fc.constantFrom<Record<string, string>>(
  {},
  {},
  {},
  { "content-type": "text/plain" },
  { "idempotency-key": "k" },
  { "idempotency-key": "é" },
  { "x-request-id": "<>" },
  { origin: "null" },
  { host: "evil" },
  { "content-length": "banana" },
  { accept: "text/html" },
);

it("500 generated requests over the route table: no 5xx, every answer JSON with a request id", async () => {
  const app = await api({ config: { autoExecute: false } });
  const ids = [...(await Promise.all(Array.from({ length: 8 }, () => app.create()))), "b", NOBODY];
  const id = fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom(...ids) },
    { weight: 1, arbitrary: fc.constantFrom(...BAD_IDS) },
  );
  const request = fc
    .constantFrom(...routes)
    .chain((row) => fc.record({ row: fc.constant(row), id, query, body: bodyOf(row), headers }));
  const seen = new Map<number, number>();
  await fc.assert(
    fc.asyncProperty(request, async (one) => {
      const path = `${one.row.path.replace(":id", one.id).replace(":item", one.id)}?${one.query}`;
      const answer = await app.call(one.row.method, path, one.body, one.headers);
      seen.set(answer.status, (seen.get(answer.status) ?? 0) + 1);
      expect(answer.status, `${one.row.method} ${path} ${answer.text}`).toBeLessThan(500);
      expect(answer.headers.get("content-type")).toMatch(/^application\/json/);
      if (answer.status < 400) return;
      expect(Object.keys(answer.body)).toEqual(["detail"]);
      expect(answer.headers.get("x-error-code")).toMatch(/^[a-z_.]+$/);
      expect(Array.isArray(answer.body.detail)).toBe(answer.status === 422);
    }),
    { numRuns: 500 },
  );
  // The generator is of no use when everything is refused at the door.
  for (const status of [200, 201, 403, 404, 409, 415, 422])
    expect(seen.get(status) ?? 0, `${status}`).toBeGreaterThan(0);
});
