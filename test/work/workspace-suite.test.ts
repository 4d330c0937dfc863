import { existsSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import * as Clock from "../../core/ground/clock.ts";
import * as Process from "../../core/ground/process/index.ts";
import { put } from "../support/git.ts";
import {
  eachWithItsRepository,
  never,
  ITEM,
  TRAILERS,
  repo,
  logged,
  log,
  connect,
  open,
  files,
} from "./workspace-support.ts";

eachWithItsRepository();

describe("set-up", () => {
  const script = (code: string) => `'${process.execPath}' -e "${code}"`;

  it("runs once a lockfile, and what it makes is no work", async () => {
    repo.commit({ "package-lock.json": "{}" });
    const code =
      "const fs=require('fs');fs.mkdirSync('node_modules',{recursive:true});fs.writeFileSync('node_modules/x','');fs.writeFileSync('made','');console.log('set up')";
    const repository = await connect({ setupCommand: script(code) });
    const work = await open(repository);
    await work.prepare(log, never);
    await work.prepare(log, never);
    expect(logged.filter((line) => line === "set up")).toHaveLength(1);
    expect(await work.commit("Nothing", TRAILERS)).toBeNull();
    put(work.root, { "package-lock.json": '{"changed":1}', "b.txt": "" });
    const again = await open(repository);
    expect(files()).toEqual([".gitignore", "a.txt", "b.txt", "package-lock.json"]);
    expect(existsSync(join(again.root, "made"))).toBe(true);
    await again.prepare(log, never);
    expect(logged.filter((line) => line === "set up")).toHaveLength(2);
  });

  it("that fails says how, and is tried again", async () => {
    const work = await open(
      await connect({ setupCommand: script("console.error('no such package');process.exit(7)") }),
    );
    for (let i = 0; i < 2; i++) {
      await expect(work.prepare(log, never)).rejects.toMatchObject({
        code: "workspace.setup_failed",
        data: { tail: "no such package", exit: 7 },
        remedy: expect.stringContaining("COHERENCE_SETUP_COMMAND") as string,
      });
    }
    const missing = await open(await connect({ setupCommand: "no-such-program" }));
    await expect(missing.prepare(log, never)).rejects.toMatchObject({ code: "workspace.setup_failed" });
  });

  it("that is over its time fails, group and all", async () => {
    const options = { clock: Clock.system(), suiteTimeoutMs: 1000, setupCommand: `sh -c "echo begun; sleep 1000"` };
    const repository = await connect(options);
    const work = await open(repository);
    await expect(work.prepare(log, never)).rejects.toMatchObject({
      code: "workspace.setup_failed",
      message: expect.stringContaining("not done within 1 s") as string,
      data: { tail: "begun" },
    });
    expect(await Process.endGroupsIn(work.root)).toBe(0);
    const checked = await repository.checkBase(work.openedAt, log, never);
    expect(checked).toMatchObject({ kind: "setup_failed", tail: "begun" });
  });

  it("by a lockfile installs with npm", async () => {
    const lock = { name: "x", version: "1.0.0", lockfileVersion: 3, packages: { "": { name: "x", version: "1.0.0" } } };
    repo.commit({ "package.json": '{"name":"x","version":"1.0.0"}', "package-lock.json": JSON.stringify(lock) });
    const work = await open(await connect());
    await work.prepare(log, never);
    expect(logged[0]).toBe("$ npm ci --no-audit --no-fund");
  });
});

describe("the suite", () => {
  const TEST = 'import { test } from "node:test";\ntest("adds", () => {});\n';
  const FAILING = 'import { test } from "node:test";\ntest("adds", () => { throw new Error("no"); });\n';
  const manifest = (scripts: Record<string, string>) => `${JSON.stringify({ type: "module", scripts }, null, 2)}\n`;

  it("cannot be swapped by an agent, nor its parts, and package.json comes back", async () => {
    const base = repo.commit({
      "package.json": manifest({ test: "npm run unit", unit: "node --test" }),
      "a.test.js": FAILING,
    });
    const work = await open(await connect(), ITEM, base);
    const swapped = manifest({ test: "true", unit: "true", pretest: "touch pretest" });
    put(work.root, { "package.json": swapped });
    const result = await work.test(base, log, never);
    expect(result).toMatchObject({
      kind: "ran",
      suite: { command: ["npm", "test"], source: "base", exit: 1, passed: 0, failed: 1, failures: ["adds"] },
    });
    expect(readFileSync(join(work.root, "package.json"), "utf8")).toBe(swapped);
    expect(existsSync(join(work.root, "pretest"))).toBe(false);
    expect(logged.length).toBeGreaterThan(3);
  });

  it("killed with the base's scripts in place leaves the agent's package.json to the next", async () => {
    const base = repo.commit({ "package.json": manifest({ test: "node --test" }) });
    const repository = await connect();
    const work = await open(repository, ITEM, base);
    const own = manifest({ test: "vitest" });
    writeFileSync(`${work.root}.manifest`, JSON.stringify({ text: own })); // as a kill in the middle leaves it
    await open(repository, ITEM, base);
    expect(repo.git("show", `${ITEM}:package.json`)).toBe(own.trim());
  });

  it.each([
    ["added", null, "script-shell=/bin/true\n"],
    ["changed", "fund=false\n", "script-shell=/bin/true\n"],
    ["deleted", "script-shell=/bin/sh\n", null],
  ])("runs with the base's .npmrc when the agent's is %s, and that comes back", async (_name, atBase, own) => {
    const scripts = { test: "cat .npmrc; node --test" };
    const base = repo.commit({ "package.json": manifest(scripts), "a.test.js": FAILING, ".npmrc": atBase });
    const work = await open(await connect(), ITEM, base);
    put(work.root, { ".npmrc": own });
    expect(await work.test(base, log, never)).toMatchObject({ suite: { exit: 1, failures: ["adds"] } });
    expect(logged).toContain((atBase ?? "").trim());
    const path = join(work.root, ".npmrc");
    expect(existsSync(path) ? readFileSync(path, "utf8") : null).toBe(own);
  });

  it("never writes where an agent's .npmrc leads, and a killed run leaves the link to the next", async () => {
    const base = repo.commit({ "package.json": manifest({ test: "node --test" }), ".npmrc": "fund=false\n" });
    const repository = await connect();
    const work = await open(repository, ITEM, base);
    const outside = join(repo.home, "outside");
    writeFileSync(outside, "script-shell=/bin/true\n");
    put(work.root, { ".npmrc": null });
    symlinkSync(outside, join(work.root, ".npmrc"));
    await work.test(base, log, never);
    expect(readFileSync(outside, "utf8")).toBe("script-shell=/bin/true\n");
    expect(readlinkSync(join(work.root, ".npmrc"))).toBe(outside);
    put(work.root, { ".npmrc": null });
    writeFileSync(`${work.root}.npmrc`, JSON.stringify({ link: outside })); // as a kill in the middle leaves it
    await open(repository, ITEM, base);
    expect(repo.git("show", `${ITEM}:.npmrc`)).toBe(outside);
  });

  it("of a Makefile is the base's", async () => {
    const base = repo.commit({ Makefile: "test:\n\t@echo 1 passed, 2 failed; exit 1\n" });
    const work = await open(await connect(), ITEM, base);
    put(work.root, { Makefile: "test:\n\t@echo 9 passed, 0 failed\n" });
    expect(await work.test(base, log, never)).toMatchObject({
      suite: { passed: 1, failed: 2, exit: 2, source: "base" },
    });
  });

  it("is the item's where the base has none, the user's where it is set, else none", async () => {
    const base = repo.git("rev-parse", "HEAD");
    const work = await open(await connect());
    expect(await work.test(base, log, never)).toEqual({ kind: "none" });
    put(work.root, { "package.json": manifest({ test: "node --test" }), "a.test.js": TEST });
    expect(await work.test(base, log, never)).toMatchObject({
      suite: { source: "item", passed: 1, failed: 0, exit: 0 },
    });
    const set = await open(await connect({ testCommand: "echo '7 passed, 0 failed'" }));
    expect(await set.test(base, log, never)).toMatchObject({
      suite: { source: "config", passed: 7, failed: 0, tail: "7 passed, 0 failed" },
    });
  });

  it("without a test counts 0, though it exits 0", async () => {
    const base = repo.commit({ "package.json": manifest({ test: "node --test" }) });
    const work = await open(await connect(), ITEM, base);
    expect(await work.test(base, log, never)).toMatchObject({ suite: { exit: 0, passed: 0, failed: 0 } });
  });

  it("that never ends is red once it is over its time, and nothing of it is left", async () => {
    const endless =
      'import { test } from "node:test";\ntest("waits", () => new Promise(() => setInterval(() => {}, 9)));\n';
    const base = repo.commit({ "package.json": manifest({ test: "echo begun; node --test" }) });
    const repository = await connect({ clock: Clock.system(), suiteTimeoutMs: 1000 });
    const work = await open(repository, ITEM, base);
    put(work.root, { "a.test.js": endless });
    const red = { exit: 124, passed: null, failed: null, failures: ["the suite was not done within 1 s"] };
    const ran = await work.test(base, log, never);
    expect(ran).toMatchObject({ kind: "ran", suite: red });
    expect(ran.kind === "ran" && ran.suite.tail).toContain("begun");
    expect(await Process.endGroupsIn(work.root)).toBe(0);

    const head = (await work.commit("Endless", TRAILERS)) ?? "";
    const into = "coherence/backlog";
    const tip = await repository.ensureIntegration(into);
    const merged = await repository.integrate({
      into,
      head,
      message: "Merge",
      trailers: {},
      notRedderThan: null,
      base,
      log,
      signal: never,
    });
    expect(merged).toMatchObject({ kind: "red", suite: red, tip });
    expect(await repository.head(into)).toBe(tip);
    expect(await repository.checkBase(head, log, never)).toMatchObject({ kind: "red", suite: red });
  });

  it("ends by the signal, group and all, and rejects with its reason", async () => {
    const work = await open(await connect({ testCommand: `sh -c "sleep 1000 & sleep 1000"` }));
    const controller = new AbortController();
    const running = work.test(work.openedAt, log, controller.signal);
    controller.abort(new DOMException("timed out", "TimeoutError"));
    await expect(running).rejects.toThrow("timed out");
    expect(await Process.endGroupsIn(work.root)).toBe(0);
  });
});

describe("the base's colour", () => {
  it.each([
    ["green", "echo '1 passed, 0 failed'", undefined, { kind: "green" }],
    ["red", "false", undefined, { kind: "red" }],
    ["counted failures", "echo '1 passed, 2 failed'", undefined, { kind: "red" }],
    ["no tests", undefined, undefined, { kind: "no_tests" }],
    ["set-up fails", "true", "false", { kind: "setup_failed" }],
    ["no such program", "no-such-program", undefined, { kind: "setup_failed" }],
  ])("%s", async (_name, testCommand, setupCommand, expected) => {
    const repository = await connect({
      ...(testCommand === undefined ? {} : { testCommand }),
      ...(setupCommand === undefined ? {} : { setupCommand }),
    });
    const { head } = await repository.user();
    expect(await repository.checkBase(head, log, never)).toMatchObject(expected);
    expect(repo.git("worktree", "list", "--porcelain").match(/^worktree /gm)).toHaveLength(1);
  });
});
