import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Validator } from "@seriousme/openapi-schema-validator";
import { beforeAll, describe, expect, it } from "vitest";
import { document } from "../../../functions/api/openapi/document.ts";
import type { Document, Operation } from "../../../functions/api/openapi/types.ts";
import { routes } from "../../../functions/api/routes/index.ts";
import { VERSION } from "../../../functions/api/version.ts";
import { generated } from "../../../scripts/build-openapi.ts";
import { breakingChanges } from "../../support/breaking-changes.ts";

const AGAIN = "It is not what the route table makes: run `npm run build:openapi` and commit what it writes";

const read = (path: string) => readFileSync(fileURLToPath(new URL(`../../../${path}`, import.meta.url)), "utf8");
const now = document(routes, VERSION);
const operations: Operation[] = Object.values(now.paths).flatMap((methods) => Object.values(methods));

describe("the files that are made from the route table", () => {
  let made: Record<string, string>;
  beforeAll(async () => {
    made = await generated();
  });

  it.each(["functions/api/openapi/openapi.json", "client/schema.ts"])("%s is what the table makes now", (path) => {
    expect(read(path) === made[path], `${path}: ${AGAIN}`).toBe(true);
  });
});

describe("the document", () => {
  it("is valid OpenAPI 3.1", async () => {
    const validator = new Validator();
    const { valid, errors } = await validator.validate(structuredClone(now));
    expect(errors).toBeUndefined();
    expect([valid, validator.version]).toEqual([true, "3.1"]);
    // A validator that lets anything through is valid too.
    const nameless = { ...structuredClone(now), info: { version: VERSION } };
    expect((await new Validator().validate(nameless)).valid).toBe(false);
  });

  it("is the same whenever it is made, whatever the order in which shapes are met", () => {
    expect(JSON.stringify(document(routes, VERSION))).toBe(JSON.stringify(now));
    expect(document([...routes].reverse(), VERSION).components).toEqual(now.components);
  });

  it("has an operation for each row, under a name that is its own", () => {
    expect(operations).toHaveLength(routes.length);
    const names = operations.map((one) => one.operationId);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^[a-z][A-Za-z]+$/);
    for (const { tags } of operations) expect(tags).not.toContain("Other");
  });

  it("asks for a key where the row does, with one of its scopes, by each of the three ways", () => {
    for (const row of routes) {
      const { security } = operations.find((one) => one.operationId === row.id) ?? expect.unreachable();
      const ways =
        row.scope === "public"
          ? []
          : row.scope.flatMap((scope) => ["bearer", "apiKey", "basic"].map((by) => ({ [by]: [scope] })));
      expect(security, row.id).toEqual(ways);
    }
  });

  it("refers to nothing that is not there, and shuts out nothing that may be added", () => {
    const shapes = new Set([
      ...Object.keys(now.components.schemas).map((name) => `#/components/schemas/${name}`),
      ...Object.keys(now.components.responses).map((name) => `#/components/responses/${name}`),
      ...Object.keys(now.components.headers).map((name) => `#/components/headers/${name}`),
    ]);
    const used = [...JSON.stringify(now).matchAll(/"\$ref":"([^"]+)"/g)].map(([, ref]) => ref);
    expect(used.length).toBeGreaterThan(100);
    for (const ref of used) expect(shapes).toContain(ref);
    expect(JSON.stringify(now)).not.toContain('"additionalProperties":false');
  });

  it("says what contract clients rely on: bounds, defaults, the sentences of errors", () => {
    const { get, post } = now.paths["/api/agent/tasks"] ?? {};
    expect(get?.parameters?.find((one) => one.name === "limit")?.schema).toEqual({
      type: "integer",
      minimum: 1,
      maximum: 100,
      default: 20,
    });
    expect(post?.requestBody?.required).toBe(true);
    expect(now.components.schemas.TaskCreate).toMatchObject({
      required: ["direction", "task_type"],
      properties: { direction: { minLength: 1, maxLength: 5000 } },
    });
    expect(now.paths["/api/agent/tasks/{id}"]?.patch?.responses["400"]).toMatchObject({
      content: { "application/json": { example: { detail: "At least one field required" } } },
    });
  });
});

describe("what clients know", () => {
  const baseline = JSON.parse(read("test/functions/api/openapi-baseline.json")) as Document;

  it("has not been broken", () => {
    expect(breakingChanges(baseline, now)).toEqual([]);
  });

  it("is all there is: what is new is kept from now on", () => {
    const known = Object.values(baseline.paths).flatMap((methods) =>
      Object.values(methods).map((one) => one.operationId),
    );
    for (const { operationId } of operations) expect(known, AGAIN).toContain(operationId);
  });
});
