import { nameOf } from "./fields.ts";
import type { Document, Operation, Schema } from "../openapi/types.ts";

/** A command line that calls an operation at `origin`; with a key unless that is loopback. */
export function curl(document: Document, method: string, path: string, operation: Operation, origin: string): string {
  const { parameters = [], requestBody } = operation;
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => PLACES[name] ?? name.toUpperCase());
  const query = parameters
    .filter((one) => one.in === "query" && one.required)
    .map(({ name, schema }) => `${name}=${encodeURIComponent(String(sample(document, schema, name)))}`);
  const url = `${origin}${filled}${query.length > 0 ? `?${query.join("&")}` : ""}`;
  const keyed = operation.security.length > 0 && !/^https?:\/\/(?:127\.0\.0\.1|localhost|\[::1\])(?::|$)/.test(origin);
  const media = requestBody?.content["application/json"];
  const body = media && (media.example ?? sample(document, media.schema, ""));
  return [
    `curl ${method === "get" ? "" : `-X ${method.toUpperCase()} `}${quoted(url)}`,
    ...(keyed ? [`-H "Authorization: Bearer $KEY"`] : []),
    ...(body === undefined ? [] : [`-H 'Content-Type: application/json'`, `-d ${quoted(JSON.stringify(body))}`]),
  ].join(" \\\n  ");
}

const PLACES: Record<string, string> = { id: "ID", task_id: "ID" };

/** A value that a schema allows: its default, its first word, or the least there is. */
export function sample(document: Document, schema: Schema, name: string): unknown {
  const { $ref, enum: words, properties = {}, required = [] } = schema;
  if ($ref !== undefined) return sample(document, document.components.schemas[nameOf($ref)] ?? {}, name);
  const given = schema.default ?? schema.const ?? words?.[0];
  if (given !== undefined) return given;
  const [first] = schema.anyOf ?? schema.oneOf ?? [];
  if (first) return sample(document, first, name);
  const type = typeof schema.type === "string" ? schema.type : schema.type?.[0];
  if (type === "object")
    return Object.fromEntries(required.map((key) => [key, sample(document, properties[key] ?? {}, key)]));
  if (type === "array") return schema.items ? [sample(document, schema.items, name)] : [];
  if (type === "integer" || type === "number") return schema.minimum ?? 1;
  if (type === "boolean") return true;
  return type === "null" ? null : name;
}

/** A word of a POSIX command line, whatever is in it. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
