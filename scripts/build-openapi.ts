import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import openapiTS, { astToString } from "openapi-typescript";
import * as prettier from "prettier";
import { document } from "../functions/api/openapi/document.ts";
import { routes } from "../functions/api/routes/index.ts";
import { VERSION } from "../functions/api/version.ts";

/** Writes what is made from the route table: `npm run build:openapi`. Its files are committed, and a test compares them. */

const HEAD = `/* Made from functions/api/openapi/openapi.json by \`npm run build:openapi\`: do not change it by hand. */\n`;

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

if (import.meta.main)
  for (const [path, text] of Object.entries(await generated())) {
    const file = fileURLToPath(new URL(`../${path}`, import.meta.url));
    const before = await readFile(file, "utf8").catch(() => "");
    if (before !== text) await writeFile(file, text);
    console.log(`${path}: ${before === text ? "as it was" : "written"}, ${Math.round(text.length / 1024)} KiB`);
  }
