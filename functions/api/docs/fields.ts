import { html } from "hono/html";
import type { Schema } from "../openapi/types.ts";

/** A piece of a page; whatever is put into one is escaped. */
export type Html = ReturnType<typeof html>;

/** A field as a line of a table: its path within what it is part of (`workers[].id`, `by_status{}`). */
export type Field = { path: string; required: boolean; schema: Schema };

/** The fields of a schema, those of nested objects behind their parents; what has a name of its own is not gone into. */
export function fieldsOf(schema: Schema, path = ""): Field[] {
  const { properties = {}, required = [], items, additionalProperties: values, anyOf = [], oneOf = [] } = schema;
  return [
    ...Object.entries(properties).flatMap(([name, inner]) => {
      const own = path === "" ? name : `${path}.${name}`;
      return [{ path: own, required: required.includes(name), schema: inner }, ...fieldsOf(inner, own)];
    }),
    ...(items ? fieldsOf(items, `${path}[]`) : []),
    ...(typeof values === "object" ? fieldsOf(values, `${path}{}`) : []),
    ...[...anyOf, ...oneOf].flatMap((one) => fieldsOf(one, path)),
  ];
}

/** A type in a few words, with links to the shapes it names. */
export function typeOf(schema: Schema): Html {
  const {
    $ref,
    enum: words,
    const: only,
    anyOf,
    oneOf,
    items,
    additionalProperties: values,
    type = "anything",
  } = schema;
  if ($ref !== undefined) return link($ref);
  if (words) return joined(words.map(literal));
  if (only !== undefined) return literal(only);
  const either = anyOf ?? oneOf;
  if (either) return joined(either.map(typeOf));
  if (items) return html`list of ${typeOf(items)}`;
  if (typeof values === "object" && Object.keys(values).length > 0) return html`map of ${typeOf(values)}`;
  const name = schema.format ?? (typeof type === "string" ? type : type.join(" | "));
  return html`${name}`;
}

/** What a value has to keep to, in words: `1 to 100`, `at most 5000 characters`. */
export function bounds(schema: Schema): string {
  const { minimum, maximum, exclusiveMinimum, minLength, maxLength, minItems, maxItems, pattern } = schema;
  return [
    range(minimum, maximum, ""),
    exclusiveMinimum === undefined ? "" : `over ${exclusiveMinimum}`,
    range(minLength, maxLength, " characters"),
    range(minItems, maxItems, " entries"),
    pattern === undefined ? "" : `matches ${pattern}`,
    ...[...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].map(bounds),
    schema.default === undefined ? "" : `default ${JSON.stringify(schema.default)}`,
  ]
    .filter((said) => said !== "")
    .join(", ");
}

/** A table of fields or parameters; `column` says what the first one holds. */
export function table(column: string, rows: readonly (Field & { note?: string | undefined })[]): Html {
  return html`<div class="scroll">
    <table>
      <thead>
        <tr>
          <th scope="col">${column}</th>
          <th scope="col">Type</th>
          <th scope="col">Bounds and meaning</th>
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          ({ path, required, schema, note }) =>
            html`<tr>
              <td><code>${path}</code>${required ? html`<b title="required">*</b>` : ""}</td>
              <td>${typeOf(schema)}</td>
              <td>${[bounds(schema), note ?? schema.description ?? ""].filter((said) => said !== "").join(". ")}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

function range(min: number | undefined, max: number | undefined, of: string): string {
  if (min !== undefined && max !== undefined) return `${min} to ${max}${of}`;
  return max !== undefined ? `at most ${max}${of}` : min !== undefined ? `at least ${min}${of}` : "";
}

/** The name of a shape that is referred to. */
export function nameOf($ref: string): string {
  return $ref.slice($ref.lastIndexOf("/") + 1);
}

function link($ref: string): Html {
  const name = nameOf($ref);
  return html`<a href="#shape-${name}">${name}</a>`;
}

function literal(value: unknown): Html {
  return html`<code>${JSON.stringify(value)}</code>`;
}

function joined(types: readonly Html[]): Html {
  return html`${types.map((type, i) => (i === 0 ? type : html` | ${type}`))}`;
}
