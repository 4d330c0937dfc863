import { createHash } from "node:crypto";
import { html, raw } from "hono/html";
import type { Document, Method, Operation } from "../openapi/types.ts";
import { fieldsOf, table, typeOf, type Html } from "./fields.ts";
import { section } from "./operation.ts";
import { STYLE } from "./style.ts";

/** What the page may load: nothing but its own style. There is no script in it. */
export const POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

type Row = { method: Method; path: string; operation: Operation };

/** The reference page of a document, for a reader who calls the API at `origin`. */
export function page(document: Document, origin: string): Html {
  const { info, tags, components } = document;
  const rows = rowsOf(document);
  const areas = tags.map((tag) => ({
    ...tag,
    rows: rows.filter(({ operation }) => operation.tags.includes(tag.name)),
  }));
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${info.title}: ${info.summary}</title>
        ${raw(`<style>${STYLE}</style>`)}
      </head>
      <body>
        <div class="page">
          <nav aria-label="Operations">
            <a href="#top"><b>${info.title}</b></a>
            ${areas.map(
              ({ name, rows }) =>
                html`<h2><a href="#area-${name}">${name}</a></h2>
                  <ul>
                    ${rows.map(entry)}
                  </ul>`,
            )}
            <h2><a href="#shapes">Shapes</a></h2>
          </nav>
          <main id="top">
            <header class="intro">
              <h1>${info.title}</h1>
              <p class="quiet">
                ${info.summary}, ${info.version} · ${rows.length} operations · <a href="/openapi.json">openapi.json</a>
              </p>
              ${intro(info.description)}
            </header>
            ${areas.map(
              ({ name, description, rows }) =>
                html`<h2 id="area-${name}">${name}</h2>
                  <p class="quiet">${description}</p>
                  ${rows.map(({ method, path, operation }) => section(document, method, path, operation, origin))}`,
            )}
            <h2 id="shapes">Shapes</h2>
            <p class="quiet">What bodies and answers are made of. A star marks what is always there.</p>
            ${Object.entries(components.schemas).map(
              ([name, schema]) =>
                html`<section class="shape" id="shape-${name}">
                  <h3><a href="#shape-${name}">${name}</a></h3>
                  ${schema.properties || schema.oneOf ? table("Field", fieldsOf(schema)) : html`<p>${typeOf(schema)}</p>`}
                </section>`,
            )}
          </main>
        </div>
      </body>
    </html>`;
}

function rowsOf({ paths }: Document): Row[] {
  // By path: the table's own order is the one in which patterns are tried.
  return Object.entries(paths)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ method: method as Method, path, operation })),
    );
}

function entry({ method, path, operation }: Row): Html {
  return html`<li>
    <a href="#${operation.operationId}" title="${operation.summary}"
      ><span class="method ${method}">${method.toUpperCase()}</span
      ><code>${path.replace(/^\/api\/(?:agent\/)?/, "")}</code></a
    >
  </li>`;
}

/** The document's own introduction: paragraphs, lists, bold words and code, and no more of Markdown. */
function intro(text: string): Html {
  const lines = text.split("\n");
  const items = lines.filter((line) => line.startsWith("- "));
  const prose = lines.filter((line) => line !== "" && !line.startsWith("- "));
  return html`${prose.map((line) => html`<p>${inline(line)}</p>`)}
    <ul>
      ${items.map((line) => html`<li>${inline(line.slice(2))}</li>`)}
    </ul>`;
}

function inline(text: string): Html[] {
  return text.split(/(`[^`]+`|\*\*[^*]+\*\*)/).map((part) => {
    if (part.startsWith("`")) return html`<code>${part.slice(1, -1)}</code>`;
    return part.startsWith("**") ? html`<b>${part.slice(2, -2)}</b>` : html`${part}`;
  });
}
