import { createHash } from "node:crypto";
import * as z from "zod";
import { beforeAll, describe, expect, it } from "vitest";
import { createApp } from "../../../functions/api/app.ts";
import { page } from "../../../functions/api/docs/page.ts";
import { document } from "../../../functions/api/openapi/document.ts";
import { route } from "../../../functions/api/route.ts";
import { routes } from "../../../functions/api/routes/index.ts";
import { VERSION } from "../../../functions/api/version.ts";
import { testDeps } from "../../support/deps.ts";
import { ORIGIN } from "./support.ts";

let get: (path: string, headers?: Record<string, string>, method?: string) => Promise<Response>;
beforeAll(async () => {
  // Nobody is known: both are public.
  const app = createApp({ deps: await testDeps(), authenticate: () => expect.unreachable("asked for a key") });
  get = async (path, headers = {}, method = "GET") => app.request(`${ORIGIN}${path}`, { method, headers });
});

describe("/openapi.json", () => {
  it("is the document, for anyone who may call", async () => {
    const answer = await get("/openapi.json");
    expect(answer.headers.get("content-type")).toMatch(/^application\/json/);
    expect(answer.headers.get("x-request-id")).not.toBeNull();
    expect(await answer.json()).toEqual(document(routes, VERSION));
  });
});

describe("both", () => {
  it.each(["/openapi.json", "/docs"])("%s stands behind the guards and is only read", async (path) => {
    expect((await get(path)).status).toBe(200);
    expect((await get(path, { host: "evil.example" })).status).toBe(403);
    expect((await get(path, { origin: "https://evil.example" })).status).toBe(403);
    const posted = await get(path, {}, "POST");
    expect([posted.status, posted.headers.get("allow")]).toEqual([405, "GET"]);
  });
});

describe("/docs", () => {
  let html: string;
  let headers: Headers;
  beforeAll(async () => {
    const answer = await get("/docs");
    headers = answer.headers;
    html = await answer.text();
  });

  it("shows every operation: name, path, scopes, a command line, and what its schemas are made of", () => {
    for (const row of routes) {
      const path = row.path.replace(/:(\w+)/g, "{$1}");
      expect(html, row.id).toContain(`id="${row.id}"`);
      expect(html, row.id).toContain(`href="#${row.id}"`);
      expect(html, row.id).toContain(`<code>${path}</code>`);
      for (const field of Object.keys({ ...row.query?.shape, ...row.body?.shape, ...row.headers }))
        expect(html, row.id).toContain(`<code>${field}</code>`);
    }
    expect(html.match(/<pre class="curl"/g)).toHaveLength(routes.length);
    expect(html).toContain(`curl &#39;${ORIGIN}/api/agent/tasks&#39;`);
    expect(html).toContain("1 to 100, default 20");
  });

  it("has every link go somewhere, once", () => {
    const ids = [...html.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [, to] of html.matchAll(/href="#([^"]+)"/g)) expect(ids).toContain(to);
  });

  it("may load nothing but the style that it brings, and brings no script", () => {
    const style = /<style>(.*?)<\/style>/s.exec(html)?.[1] ?? "";
    const hash = createHash("sha256").update(style).digest("base64");
    expect(headers.get("content-security-policy")).toBe(
      `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    );
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(html).not.toMatch(
      /<script|<link|<img|<iframe|style="|\son\w+=|javascript:|https?:\/\/(?!127\.0\.0\.1:8000|any:KEY@host)/,
    );
  });

  it("puts a key into the command line where it is reached from elsewhere, and none for what needs none", async () => {
    const text = String(await page(document(routes, VERSION), "https://api.example.com"));
    expect(text).toContain(
      "curl &#39;https://api.example.com/api/agent/tasks&#39; \\\n  -H &quot;Authorization: Bearer $KEY&quot;",
    );
    expect(text).toContain("curl &#39;https://api.example.com/api/health&#39;</code>");
  });

  it("escapes whatever is in the data", async () => {
    const evil = `</code></pre></style><script>alert(1)</script>"'&lt;<img src=x onerror=alert(1)> javascript:`;
    const row = route({
      id: evil,
      method: "POST",
      path: `/api/${evil}/:id` as string,
      scope: [evil as "read"],
      summary: evil,
      headers: { [evil]: z.string().optional().describe(evil) },
      query: z.object({ [evil]: z.enum([evil]).default(evil).describe(evil) }),
      body: z.object({
        [evil]: z
          .string()
          .regex(/<script>/)
          .describe(evil),
        deep: z.object({ [evil]: z.literal(evil) }),
      }),
      example: { [evil]: evil, deep: { [evil]: evil } },
      answer: z.union([z.object({ [evil]: z.string().describe(evil) }).meta({ id: evil }), z.literal(evil)]),
      refuses: { 409: evil },
      handle: () => expect.unreachable(),
    });
    const made = document([row], evil);
    made.info = { ...made.info, title: evil, summary: evil, description: `${evil}\n- **${evil}** \`${evil}\`` };
    made.tags = [{ name: "Service", description: evil }];
    const text = String(await page(made, `http://${evil}`));
    expect(text).not.toMatch(/<script|<img|onerror=alert\(1\)>/);
    expect(text.match(/&lt;script&gt;alert\(1\)/g)?.length).toBeGreaterThan(20);
    // Nothing got out of an attribute or closed an element of ours.
    expect(text.match(/<\/style>/g)).toHaveLength(1);
    expect(text.match(/<pre/g)).toHaveLength(text.match(/<\/pre>/g)?.length ?? 0);
    for (const [tag] of text.matchAll(/<[a-z][^>]*>/g))
      expect(tag).toMatch(/^<[a-z][a-z0-9]*(?: [a-z-]+="[^"<>]*")*\s*\/?>$/);
  });
});
