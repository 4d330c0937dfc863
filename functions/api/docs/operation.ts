import { html } from "hono/html";
import type { Document, Method, Operation, Response, Schema } from "../openapi/types.ts";
import { curl } from "./example.ts";
import { fieldsOf, nameOf, table, typeOf, type Html } from "./fields.ts";

/** One operation as a part of the page. */
export function section(document: Document, method: Method, path: string, operation: Operation, origin: string): Html {
  const { operationId, summary, parameters = [], requestBody, responses } = operation;
  const all = Object.entries(responses).map(([status, one]) => ({ status, response: resolved(document, one) }));
  const body = requestBody?.content["application/json"].schema;
  return html`<section class="operation" id="${operationId}">
    <h3>
      <span class="method ${method}">${method.toUpperCase()}</span>
      <a href="#${operationId}"><code>${path}</code></a>
    </h3>
    <p>
      ${summary}. <span class="quiet">${scopes(operation)} <code>${operationId}</code></span>
    </p>
    ${
      parameters.length > 0
        ? table(
            "Parameter",
            parameters.map((one) => ({
              path: one.name,
              required: one.required,
              schema: one.schema,
              note: [one.description, one.in === "query" ? undefined : `In the ${one.in}`].filter(Boolean).join(". "),
            })),
          )
        : ""
    }
    ${body ? html`<h4>Body ${requestBody.required ? "" : html`<span class="quiet">may be left out</span>`}</h4>` : ""}
    ${body ? table("Field", fieldsOf(shape(document, body))) : ""}
    ${all.filter(({ status }) => Number(status) < 400).map(({ status, response }) => answer(status, response))}
    <details>
      <summary>
        Errors:
        ${all
          .filter(({ status }) => Number(status) >= 400)
          .map(({ status }) => status)
          .join(", ")}
      </summary>
      <dl class="errors">
        ${all.filter(({ status }) => Number(status) >= 400).map(({ status, response }) => refusal(status, response))}
      </dl>
    </details>
    <pre class="curl" title="A click selects it"><code>${curl(document, method, path, operation, origin)}</code></pre>
  </section>`;
}

/** What a key needs, in words. */
function scopes({ security }: Operation): Html {
  const names = [...new Set(security.flatMap((way) => Object.values(way).flat()))];
  if (names.length === 0) return html`<span class="scope public">no key</span>`;
  return html`${names.map((name, i) => html`${i > 0 ? " or " : ""}<span class="scope">${name}</span>`)}`;
}

function answer(status: string, { content }: Response): Html {
  const { schema } = content["application/json"];
  const fields = fieldsOf(schema);
  return html`<h4>Answer <span class="quiet">${status}</span> ${schema.properties ? "" : typeOf(schema)}</h4>
    ${fields.length > 0 ? table("Field", fields) : ""}`;
}

function refusal(status: string, { description, content }: Response): Html {
  const { example } = content["application/json"];
  return html`<dt>${status}</dt>
    <dd>${description} ${example === undefined ? "" : html`<code>${JSON.stringify(example)}</code>`}</dd>`;
}

function resolved(document: Document, response: Operation["responses"][string]): Response {
  if (!("$ref" in response)) return response;
  const found = document.components.responses[nameOf(response.$ref)];
  if (!found) throw new Error(`The document has no ${response.$ref}`);
  return found;
}

/** A body is shown by its fields, even where it has a name. */
function shape(document: Document, schema: Schema): Schema {
  return schema.$ref === undefined ? schema : (document.components.schemas[nameOf(schema.$ref)] ?? {});
}
