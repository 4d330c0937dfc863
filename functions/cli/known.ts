import type { Document, Method, Response, Schema } from "../api/openapi/types.ts";
import openapi from "../api/openapi/openapi.json" with { type: "json" };

const document = openapi as unknown as Document;

/**
 * Whether an answer is one of this operation's, as far as a command reads it: the fields it `reads` have to be there and of their
 * types, and so has what is in them. Hosts may be newer (more words, more fields) or older (fewer single values).
 */
export function isKnown(method: string, path: string, answer: unknown, reads: readonly PropertyKey[]): boolean {
  const responses = document.paths[path]?.[method.toLowerCase() as Method]?.responses ?? {};
  const success = Object.entries(responses).find(([status]) => Number(status) < 400)?.[1] as Response | undefined;
  const schema = success && resolved(success.content["application/json"].schema);
  if (!schema || typeof answer !== "object" || answer === null) return false;
  return reads.every((name) => {
    const field = schema.properties?.[String(name)];
    if (field === undefined) return false;
    return Object.hasOwn(answer, name)
      ? fits(field, (answer as Record<PropertyKey, unknown>)[name])
      : fits(field, null);
  });
}

function fits(schema: Schema, value: unknown): boolean {
  if (schema.$ref !== undefined) return fits(resolved(schema), value);
  const either = schema.anyOf ?? schema.oneOf;
  if (either) return either.some((one) => fits(one, value));
  if (Array.isArray(schema.type)) return schema.type.some((type) => fits({ ...schema, type }, value));
  switch (schema.type) {
    case "array":
      return Array.isArray(value) && value.every((one) => fits(schema.items ?? {}, one));
    case "object":
      return typeof value === "object" && value !== null && !Array.isArray(value) && fieldsFit(schema, value);
    case "integer":
      return typeof value === "number";
    case undefined:
      return true;
    default:
      return schema.type === (value === null ? "null" : typeof value);
  }
}

function fieldsFit({ properties = {}, required = [], additionalProperties: values }: Schema, value: object): boolean {
  const known = Object.entries(properties).every(([name, field]) =>
    Object.hasOwn(value, name)
      ? fits(field, (value as Record<string, unknown>)[name])
      : !required.includes(name) || !isGroup(field),
  );
  return known && (typeof values !== "object" || Object.values(value).every((one) => fits(values, one)));
}

/** A list or an object that is never null: whoever reads it looks into it at once. */
function isGroup(schema: Schema): boolean {
  const { type } = resolved(schema);
  return type === "array" || type === "object";
}

function resolved(schema: Schema): Schema {
  if (schema.$ref === undefined) return schema;
  return document.components.schemas[schema.$ref.slice(schema.$ref.lastIndexOf("/") + 1)] ?? {};
}
