import type { Refused, Route } from "../route.ts";
import * as Shapes from "../shapes.ts";
import type { Schemas } from "./schemas.ts";
import type { Ref, Response, Schema } from "./types.ts";

/** What goes with every error beside its body. */
const HEADERS = {
  "x-request-id": { $ref: "#/components/headers/RequestId" },
  "x-error-code": { $ref: "#/components/headers/ErrorCode" },
};

type Common = { name: string; description: string; detail: unknown };

/** Errors that are the same wherever they occur. */
const COMMON = {
  401: { name: "Unauthorized", description: "No key, or none that is known.", detail: "This API needs a key" },
  403: {
    name: "Forbidden",
    description: "The key lacks the scope, or this Host or Origin may not call.",
    detail: "This key lacks the scope read. Use a key that has it.",
  },
  413: { name: "TooLarge", description: "More than is taken at a time.", detail: "The body is over 1024 KiB" },
  415: {
    name: "NotJson",
    description: "A body that does not say it is JSON.",
    detail: "A body is JSON: send it with Content-Type application/json",
  },
  422: {
    name: "NotValid",
    description: "All that is wrong with what was sent, and where.",
    detail: [{ type: "missing", loc: ["body", "decision"], msg: "Field required", input: {} }],
  },
  500: { name: "Internal", description: "A fault of the API's own.", detail: "Internal server error" },
  503: {
    name: "Unavailable",
    description: "The store is away or at its limit: try again.",
    detail: "The store does not answer",
  },
} satisfies Record<number, Common>;

/** What a status means where a row says itself when it answers so. */
const MEANING: Record<Refused, string> = {
  400: "Asked for in a way that cannot be.",
  403: "Not allowed.",
  404: "Not there.",
  409: "Not as things stand; nothing was changed.",
  422: "Not valid.",
  503: "Not now.",
};

/** The errors that operations refer to by their names. */
export function commonErrors(schemas: Schemas): Record<string, Response> {
  return Object.fromEntries(
    Object.entries(COMMON).map(([status, { name, description, detail }]) => [
      name,
      error(description, schemas.of(status === "422" ? Shapes.Invalid : Shapes.Refusal, "output"), { detail }),
    ]),
  );
}

/** The errors that a row may answer with, by status. */
export function errorsOf(row: Route, schemas: Schemas): Record<string, Response | Ref> {
  const sends = row.method !== "GET";
  const guarded = row.scope !== "public";
  const applies: Record<keyof typeof COMMON, boolean> = {
    401: guarded,
    403: true,
    413: sends,
    415: sends,
    422: sends || row.query !== undefined,
    500: true,
    503: guarded,
  };
  const common = Object.entries(COMMON)
    .filter(([status]) => applies[Number(status) as keyof typeof COMMON])
    .map(([status, { name }]) => [status, { $ref: `#/components/responses/${name}` }] as const);
  const own = Object.entries(row.refuses ?? {}).map(([status, said]) => {
    const means = MEANING[Number(status) as Refused];
    if (typeof said !== "string") return [status, error(means, schemas.of(said, "output"))] as const;
    return [status, error(means, schemas.of(Shapes.Refusal, "output"), { detail: said })] as const;
  });
  return Object.fromEntries<Response | Ref>([...common, ...own]);
}

function error(description: string, schema: Schema, example?: unknown): Response {
  const media = { schema, ...(example === undefined ? {} : { example }) };
  return { description, headers: HEADERS, content: { "application/json": media } };
}
