import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import ts from "typescript";

/**
 * Makes the package's `./client` for whoever installs it, Node or browser: one module with all it needs, and its types. Node takes
 * no TypeScript from node_modules. `npm run build:client [-- FOLDER]`; packing does it.
 */

const at = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const OUT = process.argv[2] ?? at("dist/client");

/** Whose types stand beside ours, by what imports them: who installs the package need not have them. */
const FROM = {
  "openapi-fetch": at("node_modules/openapi-fetch/dist/index.d.mts"),
  "openapi-typescript-helpers": at("node_modules/openapi-typescript-helpers/dist/index.d.mts"),
};

const NOTICE = `openapi-fetch and openapi-typescript-helpers are part of this folder:\n\n${readFileSync(
  at("node_modules/openapi-fetch/LICENSE"),
  "utf8",
)}`;

rmSync(OUT, { recursive: true, force: true });
mkdirSync(OUT, { recursive: true });
await build({
  entryPoints: [at("client/index.ts")],
  outfile: join(OUT, "index.mjs"),
  bundle: true,
  platform: "neutral",
  mainFields: ["module", "main"],
  target: "es2022",
  format: "esm",
  logLevel: "warning",
});
for (const name of ["index", "address", "schema"])
  writeFileSync(join(OUT, `${name}.d.mts`), local(declaration(at(`client/${name}.ts`))));
for (const [name, path] of Object.entries(FROM))
  writeFileSync(join(OUT, `${name}.d.mts`), local(readFileSync(path, "utf8")));
writeFileSync(join(OUT, "NOTICE"), NOTICE);
console.log(OUT);

/** The types of one of our files; each says enough by itself. */
function declaration(path: string): string {
  const { outputText, diagnostics = [] } = ts.transpileDeclaration(readFileSync(path, "utf8"), {
    fileName: path,
    reportDiagnostics: true,
    compilerOptions: { module: ts.ModuleKind.NodeNext, target: ts.ScriptTarget.ES2022, verbatimModuleSyntax: true },
  });
  if (diagnostics.length > 0)
    throw new Error(
      ts.formatDiagnostics(diagnostics, {
        getCanonicalFileName: (f) => f,
        getCurrentDirectory: () => "",
        getNewLine: () => "\n",
      }),
    );
  return outputText;
}

/** Imports from the files beside it, under the names they have here. */
function local(text: string): string {
  return text
    .replace(/(from\s+["'])(\.\/\w+)\.ts(["'])/g, "$1$2.mjs$3")
    .replace(/(from\s+["'])(openapi-fetch|openapi-typescript-helpers)(["'])/g, "$1./$2.mjs$3");
}
