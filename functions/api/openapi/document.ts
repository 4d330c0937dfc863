import type * as z from "zod";
import type { Route } from "../route.ts";
import { areaOf, areas } from "./areas.ts";
import { commonErrors, errorsOf } from "./refusals.ts";
import { schemas as newSchemas, type Schemas } from "./schemas.ts";
import type { Document, Method, Operation, Parameter } from "./types.ts";

const DESCRIPTION = [
  "What a pipeline of coding agents does, and how to steer it.",
  "",
  "- **Keys**: on loopback no key is needed. Elsewhere a key is sent as `Authorization: Bearer KEY`, as `x-api-key: KEY`, or as the password of Basic (so that `https://any:KEY@host` works where only an address can be set). An operation names the scope it asks for; a key with the scope `admin` may do all.",
  "- **Bodies** are JSON, sent as `application/json`, at most 1 MiB. Unknown fields are passed over; a null stands for a field that is left out; a whole number may be sent as a string of digits.",
  "- **Answers** may gain fields: do not refuse what you do not know. Times are UTC.",
  '- **Errors** are `{"detail": "a sentence"}`; what is not valid (422) is `{"detail": [...]}`, an entry for each fault. The header `x-error-code` has a code to act on; `x-request-id` is on every answer.',
].join("\n");

/** The ways to send a key. */
const SCHEMES = {
  bearer: { type: "http", scheme: "bearer", description: "A key as a bearer token." },
  apiKey: { type: "apiKey", in: "header", name: "x-api-key", description: "A key in a header of its own." },
  basic: { type: "http", scheme: "basic", description: "A key as the password; the name counts for nothing." },
};

/** The OpenAPI 3.1 document of a route table. Pure: the same table is the same document, to the letter. */
export function document(routes: readonly Route[], version: string): Document {
  const schemas = newSchemas();
  const paths: Document["paths"] = {};
  for (const row of routes) {
    const path = row.path.replace(/:(\w+)/g, "{$1}");
    paths[path] = { ...paths[path], [row.method.toLowerCase() as Method]: operation(row, schemas) };
  }
  const responses = commonErrors(schemas);
  return {
    openapi: "3.1.1",
    info: {
      title: "Coherence Pipeline",
      version,
      summary: "The agent API",
      description: DESCRIPTION,
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/", description: "Where this document came from." }],
    tags: areas(routes.map((row) => row.path)),
    paths,
    components: {
      schemas: Object.fromEntries(Object.entries(schemas.shapes).sort(([a], [b]) => (a < b ? -1 : 1))),
      responses,
      headers: {
        RequestId: { description: "Names this request in the log.", schema: { type: "string" } },
        ErrorCode: { description: "What went wrong, for programs: `task.claimed`.", schema: { type: "string" } },
      },
      securitySchemes: SCHEMES,
    },
  };
}

function operation(row: Route, schemas: Schemas): Operation {
  const parameters = [...pathParameters(row.path), ...queryParameters(row, schemas), ...headerParameters(row, schemas)];
  return {
    operationId: row.id,
    summary: row.summary,
    tags: [areaOf(row.path)],
    security:
      row.scope === "public" ? [] : row.scope.flatMap((scope) => Object.keys(SCHEMES).map((by) => ({ [by]: [scope] }))),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(row.body
      ? {
          requestBody: {
            required: row.bodyOptional !== true,
            content: {
              "application/json": {
                schema: schemas.of(row.body, "input"),
                ...(row.example === undefined ? {} : { example: row.example }),
              },
            },
          },
        }
      : {}),
    responses: {
      [row.status ?? 200]: {
        description: row.status === 201 ? "Made." : "Done.",
        headers: { "x-request-id": { $ref: "#/components/headers/RequestId" } },
        content: { "application/json": { schema: schemas.of(row.answer, "output") } },
      },
      ...errorsOf(row, schemas),
    },
  };
}

function pathParameters(path: string): Parameter[] {
  return [...path.matchAll(/:(\w+)/g)].map(([, name = ""]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
}

function queryParameters(row: Route, schemas: Schemas): Parameter[] {
  if (!row.query) return [];
  const { properties = {}, required = [] } = schemas.of(row.query, "input");
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: "query",
    required: required.includes(name),
    ...(description === undefined ? {} : { description }),
    schema,
  }));
}

function headerParameters(row: Route, schemas: Schemas): Parameter[] {
  return Object.entries(row.headers ?? {}).map(([name, field]: [string, z.ZodType]) => {
    const { description, ...schema } = schemas.of(field, "input");
    return {
      name,
      in: "header",
      required: false,
      ...(description === undefined ? {} : { description }),
      schema,
    };
  });
}
