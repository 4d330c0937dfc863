import { mkdtempSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { play, type Host } from "./host.ts";
import { answers, ID } from "./recorded.ts";

/** The one file that `npm run build:cli` makes, in a folder with nothing beside it. */
let bundle: string;
let host: Host;
beforeAll(async () => {
  bundle = join(mkdtempSync(join(tmpdir(), "cli-bundle-")), "coherence.mjs");
  await execa(process.execPath, [fileURLToPath(new URL("../../../scripts/build-cli.ts", import.meta.url)), bundle]);
  host = await play(answers);
});
afterAll(() => host.close());

const coherence = async (...argv: string[]) =>
  execa(process.execPath, [bundle, ...argv], { reject: false, extendEnv: false, env: { AGENT_API_BASE: host.base } });

describe("the bundled command", () => {
  it("is one file that can be started by its name", () => {
    expect(readFileSync(bundle, "utf8").split("\n", 1)[0]).toBe("#!/usr/bin/env node");
    expect(statSync(bundle).mode & 0o111).toBe(0o111);
  });

  it("reads the API and checks a file", async () => {
    expect((await coherence("tasks")).stdout).toContain(ID);
    writeFileSync(join(bundle, "..", "b.md"), "1. x {#x}\n");
    expect((await coherence("backlog", "check", join(bundle, "..", "b.md"))).stdout).toMatch(/^OK: /);
  });

  it("says where the host is, which is not in it", async () => {
    expect(await coherence("run", "--once")).toMatchObject({
      exitCode: 2,
      stderr: "The host is not beside this command\nStart it in its checkout: npm start",
    });
  });
});
