import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import * as Clock from "../../core/ground/clock.ts";
import * as Process from "../../core/ground/process/index.ts";
import * as Workspace from "../../core/work/workspace/index.ts";
import { put, scratch, type Scratch } from "../support/git.ts";

const env = Process.baseEnv({ PATH: process.env["PATH"], HOME: "/nonexistent" });
const INTO = "coherence/backlog";
const BRANCH = "coherence-item/backlog/one";
const TEST = "echo '1 passed, 0 failed'";

let repo: Scratch;
beforeEach(() => {
  repo = scratch({ "a.txt": "one\n" });
});
afterEach(() => repo.remove());

/** What a host does for an item, again and again: open, work, commit, integrate. Says "go" when it begins. */
const host = () => `
  import * as Clock from ${JSON.stringify(join(import.meta.dirname, "../../core/ground/clock.ts"))};
  import * as Workspace from ${JSON.stringify(join(import.meta.dirname, "../../core/work/workspace/index.ts"))};
  import { writeFileSync } from "node:fs";
  const repository = await Workspace.openRepository(${JSON.stringify({
    dir: repo.dir,
    home: repo.home,
    env,
    testCommand: TEST,
    graceMs: 200,
  }).slice(0, -1)}, clock: Clock.system() });
  const signal = new AbortController().signal;
  const base = await repository.ensureIntegration("${INTO}");
  console.log("go");
  for (let i = 0; ; i++) {
    const work = await repository.open({ branch: "${BRANCH}", from: base, leftovers: {}, signal, log: () => {} });
    writeFileSync(work.root + "/work.txt", process.argv[2] + "-" + i);
    const head = await work.commit("Work", {});
    await repository.integrate({ into: "${INTO}", head, message: "Merge", trailers: {}, notRedderThan: null, base, log: () => {}, signal });
  }
`;

it("a host killed at any point leaves nothing that the next one cannot go on with", async () => {
  const file = join(repo.home, "..", "host.mjs");
  writeFileSync(file, host());
  const begun = repo.git("rev-parse", "main");
  for (let round = 1; round <= 8; round++) {
    const child = spawn(process.execPath, [file, String(round)], { stdio: ["ignore", "pipe", "inherit"] });
    const ended = once(child, "exit");
    await once(child.stdout, "data");
    await Clock.system().sleep(round * 37); // each round dies somewhere else in the loop
    child.kill("SIGKILL");
    expect(await ended).toEqual([null, "SIGKILL"]);

    const acknowledged = repo.git("rev-parse", INTO);
    const options = { dir: repo.dir, home: repo.home, env, clock: Clock.system(), testCommand: TEST, graceMs: 200 };
    const repository = await Workspace.openRepository(options);
    const signal = new AbortController().signal;
    const log = () => {};
    const work = await repository.open({ branch: BRANCH, from: begun, leftovers: {}, signal, log });
    put(work.root, { "last.txt": `round ${round}` });
    const head = (await work.commit("After the kill", {})) ?? (await work.head());
    const result = await repository.integrate({
      into: INTO,
      head,
      message: "Merge",
      trailers: {},
      notRedderThan: null,
      base: begun,
      log,
      signal,
    });
    expect(result.kind).toBe("integrated");
    expect(await repository.contains(INTO, acknowledged)).toBe(true);
    expect(repo.git("show", `${INTO}:last.txt`)).toBe(`round ${round}`);
    const written = join(work.root, "work.txt"); // unless the host died before it wrote
    if (existsSync(written)) expect(repo.git("show", `${INTO}:work.txt`)).toBe(readFileSync(written, "utf8"));
  }
  repo.git("fsck", "--strict", "--no-dangling");
  expect(repo.git("rev-parse", "main")).toBe(begun);
  expect(repo.git("status", "--porcelain")).toBe("");
});
