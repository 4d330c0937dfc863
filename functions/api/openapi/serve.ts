import type { Context } from "hono";
import type { Document } from "./types.ts";

/**
 * The API's description: the document, and a page to read it. Both are public, for they say what the API can do and nothing of
 * what it holds. Neither is loaded before it is asked for: the document is larger than the API.
 */
export const description: Readonly<Record<string, (c: Context) => Promise<Response>>> = {
  "/openapi.json": async (c) => c.json(await load()),
  "/docs": async (c) => {
    const { page, POLICY } = await import("../docs/page.ts");
    c.header("content-security-policy", POLICY);
    c.header("referrer-policy", "no-referrer");
    c.header("x-content-type-options", "nosniff");
    return c.html(await page(await load(), new URL(c.req.url).origin));
  },
};

/** The document as the build wrote it. */
async function load(): Promise<Document> {
  const { default: document } = await import("./openapi.json", { with: { type: "json" } });
  return document as unknown as Document;
}
