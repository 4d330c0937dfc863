import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import openapiTS, { astToString } from "openapi-typescript";
import * as prettier from "prettier";
import { document } from "../functions/api/openapi/document.ts";
import type { Document } from "../functions/api/openapi/types.ts";
import { routes } from "../functions/api/routes/index.ts";
import { VERSION } from "../functions/api/version.ts";
import { breakingChanges } from "../test/support/breaking-changes.ts";

/**
 * Writes what is made from the route table: `npm run build:openapi`. Its files are committed, and a test compares them. What
 * clients rely on is kept in the baseline, which takes in what is new and nothing that breaks it.
 */

/** The document as clients know it. */
const BASELINE = "test/functions/api/openapi-baseline.json";
const HEAD =
  "/* Made from functions/api/openapi/openapi.json by `npm run build:openapi`: do not change it by hand. */\n";

/** The generated files, by their paths in the repository. */
export async function generated(): Promise<Record<string, string>> {
  const made = document(routes, VERSION);
  // A default in a body is the API's: whoever sends may leave the field out.
  const types = astToString(await openapiTS(JSON.stringify(made), { defaultNonNullable: false }));
  return {
    "functions/api/openapi/openapi.json": await pretty(JSON.stringify(made), "json"),
    "client/schema.ts": await pretty(HEAD + types, "typescript"),
  };
}

function pretty(text: string, parser: "json" | "typescript"): Promise<string> {
  return prettier.format(text, { parser, printWidth: 120 });
}

async function main(): Promise<void> {
  const files = await generated();
  const made = files["functions/api/openapi/openapi.json"] ?? "";
  const known = JSON.parse(await text(BASELINE)) as Document;
  const broken = breakingChanges(known, JSON.parse(made) as Document);
  for (const change of broken) console.error(`Breaks clients: ${change}`);
  if (broken.length > 0) process.exitCode = 1;
  for (const [path, now] of Object.entries(broken.length > 0 ? files : { ...files, [BASELINE]: made })) {
    const same = (await text(path)) === now;
    if (!same) await writeFile(at(path), now);
    console.log(`${path}: ${same ? "as it was" : "written"}`);
  }
}

function at(path: string): string {
  return fileURLToPath(new URL(`../${path}`, import.meta.url));
}

async function text(path: string): Promise<string> {
  return readFile(at(path), "utf8").catch(() => "");
}

if (import.meta.main) await main();
