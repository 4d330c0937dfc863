import createFetchClient, { type Client as FetchClient } from "openapi-fetch";
import { address } from "./address.ts";
import type { components, paths } from "./schema.ts";

/**
 * The agent API for programs, typed by its OpenAPI document: `client.GET("/api/agent/tasks", { params: { query: { limit: 5 } } })`
 * gives `{ data }` or `{ error }`, each in the types of the document.
 */

export { address, type Address } from "./address.ts";
export type { operations, paths } from "./schema.ts";

/** What bodies and answers are made of, by the names of the document: `Shapes["Task"]`. */
export type Shapes = components["schemas"];

export type Client = FetchClient<paths>;

export type Options = {
  /** `http://127.0.0.1:8000`; a key may be its password. */
  baseUrl: string;
  /** Sent as a bearer token, before one in the address. */
  key?: string;
  /** Instead of the global one. */
  fetch?: (request: Request) => Promise<Response>;
};

/** A client of the API at `baseUrl`. Throws a TypeError when that is no http address. */
export function createClient({ baseUrl, key, fetch }: Options): Client {
  const { url, authorization: named } = address(baseUrl);
  const authorization = key === undefined ? named : `Bearer ${key}`;
  return createFetchClient<paths>({
    baseUrl: url,
    // A redirect would carry the key to somewhere else.
    redirect: "error",
    headers: { accept: "application/json", ...(authorization === undefined ? {} : { authorization }) },
    ...(fetch ? { fetch } : {}),
  });
}
