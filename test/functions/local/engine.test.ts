import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { resolveEngine } from "../../../functions/local/dynamodb.ts";

/** Where the engine is looked for, in its order; here with a package of a name that is not installed. */

const ABSENT = "@dynoxide/nowhere";
const folder = () => mkdtempSync(join(tmpdir(), "coherence-engine-"));

/** A program that is there, to be run. */
function program(path: string, text = "#!/bin/sh\n"): string {
  writeFileSync(path, text);
  chmodSync(path, 0o755);
  return path;
}

function resolve(env: Record<string, string>, home = folder(), name?: string) {
  const said: string[] = [];
  const found = resolveEngine({ home, env, say: (line) => said.push(line), ...(name ? { name } : {}) });
  return { found, said, home };
}

describe("the engine is", () => {
  it("the one that is named, before all others", async () => {
    const named = program(join(folder(), "mine"));
    expect(await resolve({ DYNOXIDE_BIN: named }).found).toBe(named);
  });

  it("else the installed package's", async () => {
    const path = folder();
    program(join(path, "dynoxide"));
    expect(await resolve({ PATH: path }).found).toMatch(/node_modules.*dynoxide$/);
  });

  it("else the one on PATH", async () => {
    const path = folder();
    const there = program(join(path, "dynoxide"));
    expect(await resolve({ PATH: `${folder()}:${path}` }, folder(), ABSENT).found).toBe(there);
  });

  it("else installed into the home, once", async () => {
    const bin = folder();
    // A real child that does what npm would: it leaves the package under the prefix it is given.
    const count = join(bin, "count");
    program(
      join(bin, "npm"),
      `#!/bin/sh
echo "$@" >> ${count}
mkdir -p "$5/node_modules/${ABSENT}" && cd "$5/node_modules/${ABSENT}" && echo '{"name":"${ABSENT}"}' > package.json && : > dynoxide
`,
    );
    const path = `${bin}:/usr/bin:/bin`;
    const first = resolve({ PATH: path }, folder(), ABSENT);
    expect(await first.found).toBe(join(first.home, "tools/dynoxide/node_modules", ABSENT, "dynoxide"));
    expect(first.said).toEqual([expect.stringMatching(/^installing @dynoxide\/nowhere@.* \(once\)$/)]);
    const again = resolve({ PATH: path }, first.home, ABSENT);
    expect(await again.found).toBe(await first.found);
    expect(again.said).toEqual([]);
    expect(readFileSync(count, "utf8").trim().split("\n")).toHaveLength(1);
  });

  it("else missed, with the ways out", async () => {
    const bin = folder();
    program(join(bin, "npm"), "#!/bin/sh\nexit 1\n");
    const home = folder();
    mkdirSync(home, { recursive: true });
    await expect(resolve({ PATH: `${bin}:/usr/bin:/bin` }, home, ABSENT).found).rejects.toMatchObject({
      code: "store.unavailable",
      remedy: expect.stringMatching(/DYNAMODB_ENDPOINT.*DYNOXIDE_BIN.*npm install/) as string,
    });
    expect(existsSync(join(home, "tools/dynoxide/node_modules"))).toBe(false);
  });
});
