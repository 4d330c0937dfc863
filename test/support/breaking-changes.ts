import { isDeepStrictEqual } from "node:util";
import type { Document, Operation, Response, Schema } from "../../functions/api/openapi/types.ts";

/** Which way a schema goes: what clients send has to stay accepted, what they read has to stay there. */
type Side = "sent" | "read";

/**
 * What a client that was written for `before` trips over in `after`, one sentence each; none for what was only added: operations,
 * fields of answers, fields that may be left out, words of an answer, wider bounds.
 */
export function breakingChanges(before: Document, after: Document): string[] {
  const compare = comparing(before, after);
  return Object.entries(before.paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, old]) => {
      const at = `${method.toUpperCase()} ${path}`;
      const now = after.paths[path]?.[method as keyof typeof methods];
      return now ? operation(at, old, now) : [`${at} is gone`];
    }),
  );

  function operation(at: string, old: Operation, now: Operation): string[] {
    return [
      ...(old.operationId === now.operationId ? [] : [`${at}: ${old.operationId} is now called ${now.operationId}`]),
      ...security(at, old, now),
      ...parameters(at, old, now),
      ...body(at, old, now),
      ...answers(at, old, now),
    ];
  }

  function parameters(at: string, { parameters: old = [] }: Operation, { parameters: now = [] }: Operation): string[] {
    const same = (a: (typeof old)[number]) => (b: (typeof old)[number]) => a.name === b.name && a.in === b.in;
    const gone = old.filter((one) => !now.some(same(one))).map((one) => `${at}: the parameter ${one.name} is gone`);
    const others = now.flatMap((one) => {
      const was = old.find(same(one));
      const name = `${at} ${one.in} ${one.name}`;
      return [
        ...(one.required && !was?.required ? [`${name} is required now`] : []),
        ...(was ? compare(was.schema, one.schema, name, "sent") : []),
      ];
    });
    return [...gone, ...others];
  }

  function body(at: string, { requestBody: old }: Operation, { requestBody: now }: Operation): string[] {
    if (old && !now) return [`${at}: the body is gone`];
    if (!now) return [];
    const required = now.required && !old?.required ? [`${at}: a body is required now`] : [];
    return [...required, ...(old ? compare(schemaOf(old), schemaOf(now), `${at} body`, "sent") : [])];
  }

  function answers(at: string, old: Operation, now: Operation): string[] {
    return Object.entries(old.responses).flatMap(([status, response]) => {
      const other = now.responses[status];
      if (!other) return Number(status) < 400 ? [`${at}: the status ${status} is gone`] : [];
      return compare(schemaOf(resolved(before, response)), schemaOf(resolved(after, other)), `${at} ${status}`, "read");
    });
  }
}

/** Every key that was enough has to be enough still; no key where none was asked for. */
function security(at: string, { security: old }: Operation, { security: now }: Operation): string[] {
  if (old.length === 0) return now.length === 0 ? [] : [`${at}: a key is needed now`];
  if (now.length === 0) return [];
  const lost = old.filter((way) => !now.some((other) => isDeepStrictEqual(way, other)));
  return lost.map((way) => `${at}: ${JSON.stringify(way)} is not enough any more`);
}

/** Compares schemas of two documents, each with the shapes it names. */
function comparing(before: Document, after: Document) {
  return function compare(old: Schema, now: Schema, at: string, side: Side): string[] {
    const olds = alternatives(before, old);
    const nows = alternatives(after, now);
    return [
      ...(side === "sent" && !isDeepStrictEqual(old.default, now.default) && old.default !== undefined
        ? [`${at}: the default ${JSON.stringify(old.default)} is now ${JSON.stringify(now.default)}`]
        : []),
      ...olds.flatMap((one) => {
        const other = nows.find((two) => kindOf(two) === kindOf(one)) ?? nows.find((two) => takes(one, two, side));
        if (other) return alike(one, other, at, side);
        // An answer that is never null any more hurts nobody.
        return side === "read" && kindOf(one) === "null" ? [] : [`${at}: no ${kindOf(one)} any more`];
      }),
      ...(side === "read"
        ? nows.filter((one) => isNew(one, olds)).map((one) => `${at}: may be ${kindOf(one)} now`)
        : []),
    ];
  };

  function alike(old: Schema, now: Schema, at: string, side: Side): string[] {
    const compare = comparing(before, after);
    const { properties: fields = {}, required: always = [] } = old;
    const { properties: others = {}, required = [] } = now;
    return [
      ...(side === "sent" ? narrowed(old, now, at) : []),
      ...(side === "read" && old.format !== undefined && old.format !== now.format
        ? [`${at}: is no ${old.format} any more`]
        : []),
      ...Object.entries(fields).flatMap(([name, field]) => {
        const other = others[name];
        return other ? compare(field, other, `${at}.${name}`, side) : [`${at}.${name} is gone`];
      }),
      ...(side === "sent"
        ? required.filter((name) => !always.includes(name)).map((name) => `${at}.${name} is required now`)
        : always
            .filter((name) => others[name] && !required.includes(name))
            .map((name) => `${at}.${name} may be missing now`)),
      ...(old.items && now.items ? compare(old.items, now.items, `${at}[]`, side) : []),
      ...(typeof old.additionalProperties === "object" && typeof now.additionalProperties === "object"
        ? compare(old.additionalProperties, now.additionalProperties, `${at}{}`, side)
        : []),
    ];
  }
}

/** What may not be sent any more. */
function narrowed(old: Schema, now: Schema, at: string): string[] {
  const least = ["minimum", "exclusiveMinimum", "minLength", "minItems"] as const;
  const most = ["maximum", "exclusiveMaximum", "maxLength", "maxItems"] as const;
  const words = wordsOf(now);
  return [
    ...least
      .filter((key) => (now[key] ?? -Infinity) > (old[key] ?? -Infinity))
      .map((key) => `${at}: ${key} was ${old[key] ?? "open"}, is ${now[key]}`),
    ...most
      .filter((key) => (now[key] ?? Infinity) < (old[key] ?? Infinity))
      .map((key) => `${at}: ${key} was ${old[key] ?? "open"}, is ${now[key]}`),
    ...(["pattern", "format"] as const)
      .filter((key) => now[key] !== undefined && now[key] !== old[key])
      .map((key) => `${at}: has to match the ${key} ${now[key]} now`),
    ...(words && !wordsOf(old) ? [`${at}: only some words are taken now`] : []),
    ...(words && wordsOf(old) ? (wordsOf(old) ?? []) : [])
      .filter((word) => !words?.includes(word))
      .map((word) => `${at}: ${JSON.stringify(word)} is not taken any more`),
    ...(now.additionalProperties === false && old.additionalProperties !== false
      ? [`${at}: unknown fields are refused now`]
      : []),
  ];
}

/** What a schema may be, one type each; shapes by their names are looked up. */
function alternatives(document: Document, schema: Schema): Schema[] {
  const { $ref, anyOf, oneOf, type } = schema;
  if ($ref !== undefined) {
    const found = document.components.schemas[$ref.slice($ref.lastIndexOf("/") + 1)];
    if (!found) throw new Error(`The document has no ${$ref}`);
    return alternatives(document, found);
  }
  const either = anyOf ?? oneOf;
  if (either) return either.flatMap((one) => alternatives(document, one));
  return Array.isArray(type) ? type.map((one) => ({ ...schema, type: one })) : [schema];
}

/** The type, and of an object the words, always there, by which it is told from the others of its union. */
function kindOf({ type, properties = {}, required = [], const: only }: Schema): string {
  const marks = Object.entries(properties).flatMap(([name, { const: word }]) =>
    word === undefined || !required.includes(name) ? [] : [`${name}=${JSON.stringify(word)}`],
  );
  const name = typeof type === "string" ? type : only === undefined ? "anything" : typeof only;
  return [name, ...marks].join(" ");
}

function takes(old: Schema, now: Schema, side: Side): boolean {
  const [from, to] = side === "sent" ? [kindOf(old), kindOf(now)] : [kindOf(now), kindOf(old)];
  return to === "anything" || (from === "integer" && to === "number");
}

/** Whether an answer may be what no client expects; another object of a union that is told by its word is an addition. */
function isNew(now: Schema, olds: readonly Schema[]): boolean {
  if (olds.some((old) => kindOf(old) === kindOf(now) || takes(old, now, "read"))) return false;
  return !kindOf(now).includes("=");
}

function wordsOf(schema: Schema): unknown[] | undefined {
  return schema.enum ?? (schema.const === undefined ? undefined : [schema.const]);
}

function schemaOf({ content }: Pick<Response, "content">): Schema {
  return content["application/json"].schema;
}

function resolved(document: Document, response: Operation["responses"][string]): Response {
  if (!("$ref" in response)) return response;
  const found = document.components.responses[response.$ref.slice(response.$ref.lastIndexOf("/") + 1)];
  if (!found) throw new Error(`The document has no ${response.$ref}`);
  return found;
}
