import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ESLint } from "eslint";
import { execa } from "execa";
import tseslint from "typescript-eslint";
import * as z from "zod";
import { beforeAll, describe, expect, it } from "vitest";

/**
 * The guards of the house are guarded: a boundary check that sees nothing, or a lint rule that is off, is green too. With
 * TypeScript 7, or without tsPreCompilationDeps, dependency-cruiser sees no dependency at all and says nothing (measured).
 */

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const CRUISE = join(
  dirname(fileURLToPath(import.meta.resolve("dependency-cruiser"))),
  "../../bin/dependency-cruiser.mjs",
);

const Report = z.object({
  summary: z.object({
    violations: z.array(z.object({ from: z.string(), to: z.string(), rule: z.object({ name: z.string() }) })),
    totalCruised: z.number(),
    totalDependenciesCruised: z.number(),
  }),
});

/** The real check, with the real settings, in `folder`. */
async function cruise(folder: string) {
  const parts = ["core", "functions", "client"].filter((part) => existsSync(join(folder, part)));
  const { stdout } = await execa(process.execPath, [CRUISE, "--output-type", "json", ...parts], {
    cwd: folder,
    reject: false,
  });
  return Report.parse(JSON.parse(stdout)).summary;
}

/** A small house in a temporary folder, under the real settings. */
function house(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), "boundaries-"));
  for (const name of [".dependency-cruiser.cjs", "tsconfig.json", "package.json"])
    cpSync(join(ROOT, name), join(folder, name));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

describe("the boundary check", () => {
  it("runs on TypeScript 6: with 7 it checks nothing and says so to nobody", () => {
    const { version } = createRequire(import.meta.url)("typescript/package.json") as { version: string };
    expect(version.split(".")[0]).toBe("6");
  });

  it("reports an upward import, a sideways one, a circle, a way round the index, a door and an unknown room", async () => {
    const folder = house({
      "functions/api/app.ts": 'import "../../core/flow/pipeline/index.ts";\n',
      "core/flow/pipeline/index.ts": 'import type { Row } from "../../work/task/row.ts";\nexport type { Row };\n',
      "core/work/task/index.ts": 'export type { Row } from "./row.ts";\nimport "../../watch/status/index.ts";\n',
      "core/work/task/row.ts": 'import type { Code } from "../../ground/errors.ts";\nexport type Row = Code;\n',
      "core/work/workspace/index.ts":
        'import type { Attempt } from "../attempt/index.ts";\nexport type Tree = Attempt;\n',
      "core/work/attempt/index.ts": 'import type { A } from "./a.ts";\nexport type Attempt = A;\n',
      "core/work/attempt/a.ts": 'import type { B } from "./b.ts";\nexport type A = B | 1;\n',
      "core/work/attempt/b.ts": 'import type { A } from "./a.ts";\nexport type B = A | 2;\n',
      "core/work/cellar/index.ts": 'import type { Code } from "../../ground/errors.ts";\nexport type Wine = Code;\n',
      "core/watch/status/index.ts": 'import "../../../functions/api/routes.ts";\n',
      "core/ground/errors.ts": "export type Code = string;\n",
      "functions/api/routes.ts": "export const routes = [];\n",
      "client/index.ts": 'export type { Code } from "../core/ground/errors.ts";\n',
    });
    const { violations } = await cruise(folder);
    const found = violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`);
    expect(found).toEqual(
      expect.arrayContaining([
        "upward-from-work: core/work/task/index.ts → core/watch/status/index.ts",
        "sideways-from-work-workspace: core/work/workspace/index.ts → core/work/attempt/index.ts",
        expect.stringMatching(/^no-circles: core\/work\/attempt\/[ab]\.ts → core\/work\/attempt\/[ab]\.ts$/),
        "through-the-index: core/flow/pipeline/index.ts → core/work/task/row.ts",
        "core-knows-no-doors: core/watch/status/index.ts → functions/api/routes.ts",
        "client-stands-alone: client/index.ts → core/ground/errors.ts",
        expect.stringMatching(/^no-unknown-room: core\/work\/cellar\/index\.ts/),
      ]),
    );
  });

  it("reports nothing where all is well", async () => {
    const folder = house({
      "functions/api/app.ts": 'import "../../core/work/attempt/index.ts";\n',
      "core/work/attempt/index.ts": 'import type { Row } from "../task/index.ts";\nexport type Attempt = Row;\n',
      "core/work/task/index.ts": 'import type { Code } from "../../ground/errors.ts";\nexport type Row = Code;\n',
      "core/ground/errors.ts": "export type Code = string;\n",
    });
    expect(await cruise(folder)).toMatchObject({ violations: [], totalDependenciesCruised: 3 });
  });

  it("sees a plausible part of the real house", async () => {
    const { totalCruised, totalDependenciesCruised } = await cruise(ROOT);
    expect(totalCruised).toBeGreaterThan(150);
    // A module of ours imports two or three others; types count.
    expect(totalDependenciesCruised).toBeGreaterThan(totalCruised * 1.5);
  });
});

describe("the lint rules on time and chance", () => {
  let eslint: ESLint;
  beforeAll(() => {
    // These rules need no types, and building them takes longer than the rest of this file; `npm run lint` has them.
    eslint = new ESLint({ cwd: ROOT, overrideConfig: tseslint.configs.disableTypeChecked });
  });

  /** What the real rules say of `text` if it stood in `path`. */
  async function rulesFor(path: string, text: string): Promise<string[]> {
    const [result] = await eslint.lintText(text, { filePath: join(ROOT, path) });
    return (result?.messages ?? []).map(({ ruleId, line, fatal, message }) => (fatal ? message : `${line}: ${ruleId}`));
  }

  const PLANTED = [
    "export const now = Date.now();",
    "export const date = new Date();",
    "export const timer = setTimeout(() => {}, 1);",
    "export const again = setInterval(() => {}, 1);",
    "export const chance = Math.random();",
    "export const late = AbortSignal.timeout(1);",
    "export const home = process.env.HOME;",
    'export { spawn } from "node:child_process";',
  ].join("\n");
  const BITES = [
    "1: no-restricted-properties",
    "2: no-restricted-syntax",
    "3: no-restricted-globals",
    "4: no-restricted-globals",
    "5: no-restricted-properties",
    "6: no-restricted-properties",
    "7: no-restricted-syntax",
  ];

  it.each(["core/work/task/create.ts", "core/ground/store/store.ts", "functions/cli/client.ts", "client/address.ts"])(
    "bite in %s",
    async (path) => {
      expect(await rulesFor(path, PLANTED)).toEqual(expect.arrayContaining(BITES));
    },
  );

  it("let the clock and chance have them", async () => {
    expect(await rulesFor("core/ground/clock.ts", PLANTED)).toEqual([]);
    expect(await rulesFor("core/ground/id.ts", readFileSync(join(ROOT, "core/ground/id.ts"), "utf8"))).toEqual([]);
  });

  it("keep child processes and timers from being imported", async () => {
    const text = 'import { spawn } from "node:child_process";\nimport { setTimeout } from "node:timers/promises";\n';
    expect(await rulesFor("core/work/task/create.ts", `${text}export const both = [spawn, setTimeout];\n`)).toEqual(
      expect.arrayContaining(["1: no-restricted-syntax", "2: no-restricted-syntax"]),
    );
  });

  it("keep keys from being built elsewhere", async () => {
    const text = 'export const one = { pk: `T#${ID}`, sk: "M" };\nexport const two = { gsi1pk: "RUN", list: "RUN" };\n';
    const said = ["1: no-restricted-syntax", "1: no-restricted-syntax", "2: no-restricted-syntax"];
    expect(await rulesFor("core/work/task/create.ts", text)).toEqual(said);
    expect(await rulesFor("core/ground/store/keys.ts", text)).toEqual([]);
  });
});
