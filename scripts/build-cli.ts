import { chmodSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build, type Plugin } from "esbuild";

/** Bundles the `coherence` command into one file that runs by itself on Node ≥ 22: `npm run build:cli [-- FILE]`. */

const at = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const OUT = process.argv[2] ?? at("dist/coherence.mjs");

/**
 * The host is a program of many files (its child processes are started by their paths) and stays outside; `coherence run` finds
 * it from the bundle where it lies in the checkout's dist/, else says so.
 */
const hostStaysOutside: Plugin = {
  name: "host-stays-outside",
  setup(build) {
    build.onResolve({ filter: /\/local\/main\.ts$/ }, () => ({ path: "../functions/local/main.ts", external: true }));
  },
};

const { metafile } = await build({
  entryPoints: [at("functions/cli/main.ts")],
  outfile: OUT,
  bundle: true,
  platform: "node",
  target: "node22.12",
  format: "esm",
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: "none",
  metafile: true,
  logLevel: "warning",
  plugins: [hostStaysOutside],
  // Libraries that are CommonJS ask for Node's own modules by require, which a module does not have. The one that cli-table3
  // would like for colours is optional, and unused here.
  banner: {
    js: 'import { createRequire as __coherenceRequire } from "node:module";const require = __coherenceRequire(import.meta.url);',
  },
  external: ["@colors/colors/safe"],
});
chmodSync(OUT, 0o755);
const [bytes = 0] = Object.values(metafile.outputs).map((output) => output.bytes);
console.log(`${OUT}: ${Math.round(bytes / 1024)} KiB`);
