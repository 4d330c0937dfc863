import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import * as Process from "../../core/ground/process/index.ts";
import { gitAs, put } from "../support/git.ts";
import { connect, eachWithItsRepository, env, files, never, open, repo, TRAILERS } from "./workspace-support.ts";

/** A tree that somebody filled against us: what a suite left in it, or what a repository brought along. */

eachWithItsRepository();

const REFUSED = { code: "workspace.path" };

describe("what is no plain file is neither waited for nor read", () => {
  it("a pipe, a socket, a device, and a file of a terabyte", async () => {
    const work = await open(await connect());
    execFileSync("mkfifo", [join(work.root, "pipe")]);
    const server = createServer().listen(join(work.root, "socket"));
    put(work.root, { "huge.txt": "one\n", "b.txt": "one\n" });
    truncateSync(join(work.root, "huge.txt"), 2 ** 40);
    const special = ["pipe", "socket", "huge.txt"];
    // Only root may make one.
    if (process.getuid?.() === 0) {
      execFileSync("mknod", [join(work.root, "device"), "c", "1", "5"]);
      special.push("device");
    }
    for (const path of special) await expect(work.read(path), path).rejects.toMatchObject(REFUSED);
    for (const path of special.filter((one) => one !== "huge.txt"))
      await expect(work.write(path, "x"), path).rejects.toMatchObject(REFUSED);
    expect((await work.search("one")).map((hit) => hit.path)).toEqual(["a.txt", "b.txt"]);
    expect(await work.list()).toEqual([".gitignore", "a.txt", "b.txt", "huge.txt"]);
    server.close();
  });

  it("a tracked file that became a pipe", async () => {
    const work = await open(await connect());
    rmSync(join(work.root, "a.txt"));
    execFileSync("mkfifo", [join(work.root, "a.txt")]);
    await expect(work.read("a.txt")).rejects.toMatchObject(REFUSED);
    expect(await work.search("one")).toEqual([]);
  });

  it("a folder of tracked files that became a link out of the tree", async () => {
    repo.commit({ "sub/passwd": "ours\n" });
    const work = await open(await connect());
    const outside = join(repo.home, "outside");
    put(outside, { passwd: "root:theirs\n" });
    rmSync(join(work.root, "sub"), { recursive: true });
    symlinkSync(outside, join(work.root, "sub"));
    expect(await work.search("theirs")).toEqual([]);
    await expect(work.read("sub/passwd")).rejects.toMatchObject(REFUSED);
    await expect(work.write("sub/passwd", "x")).rejects.toMatchObject(REFUSED);
    await expect(work.remove("sub/passwd")).rejects.toMatchObject(REFUSED);
    expect(readFileSync(join(outside, "passwd"), "utf8")).toBe("root:theirs\n");
  });

  it("a link outside that leads back in is not removed", async () => {
    const work = await open(await connect());
    const outside = join(repo.home, "outside");
    mkdirSync(outside, { recursive: true });
    symlinkSync(join(work.root, "a.txt"), join(outside, "back"));
    symlinkSync(outside, join(work.root, "out"));
    await expect(work.remove("out/back")).rejects.toMatchObject(REFUSED);
    expect(readFileSync(join(outside, "back"), "utf8")).toBe("one\n");
  });

  it("links that are swapped while a file is used never lead out", async () => {
    const work = await open(await connect());
    const outside = join(repo.home, "outside");
    put(outside, { "x.txt": "theirs\n" });
    put(work.root, { "in/x.txt": "ours\n" });
    symlinkSync(outside, join(work.root, "other"));
    // Two names that change places as fast as they can.
    const swapper = new AbortController();
    const script = `const fs = require("fs"); console.log("on");
      for (;;) { fs.renameSync("in", "t"); fs.renameSync("other", "in"); fs.renameSync("t", "other");
                 fs.renameSync("in", "t"); fs.renameSync("other", "in"); fs.renameSync("t", "other"); }`;
    let begun = () => {};
    const started = new Promise<void>((resolve) => (begun = resolve));
    const swapping = Process.run(
      { file: process.execPath, args: ["-e", script], cwd: work.root, env, graceMs: 0, onLine: () => begun() },
      swapper.signal,
    );
    await started;
    let read = 0;
    for (let i = 0; i < 150; i++) {
      const text = await work.read("in/x.txt").catch(() => null);
      if (text !== null) {
        read++;
        expect(text).not.toContain("theirs");
      }
      await work.write("in/x.txt", "ours\n").catch(() => {});
      for (const hit of await work.search("theirs")) expect(hit).toBeUndefined();
    }
    swapper.abort();
    await swapping;
    expect(read).toBeGreaterThan(0);
    expect(readFileSync(join(outside, "x.txt"), "utf8")).toBe("theirs\n");
  }, 60_000);
});

describe("what tells how to test is read as carefully", () => {
  const log = () => {};
  it("a package.json that is a pipe is none", async () => {
    const work = await open(await connect());
    execFileSync("mkfifo", [join(work.root, "package.json")]);
    expect(await work.test(work.openedAt, log, never)).toEqual({ kind: "none" });
  });

  it("one that became a link out of the tree neither says how to test nor is written through", async () => {
    const manifest = (script: string) => JSON.stringify({ private: true, scripts: { test: script } });
    repo.commit({ "package.json": manifest("echo by the base") });
    const work = await open(await connect());
    const outside = join(repo.home, "outside");
    put(outside, { "package.json": manifest("echo by a stranger") });
    const inside = join(work.root, "package.json");
    for (const leads of [join(outside, "package.json"), "other.json"]) {
      put(work.root, { "other.json": manifest("echo by the item") });
      rmSync(inside);
      symlinkSync(leads, inside);
      const ran = await work.test(work.openedAt, log, never);
      expect(JSON.stringify(ran)).toContain("by the base");
      expect(readlinkSync(inside)).toBe(leads);
      expect(readFileSync(join(outside, "package.json"), "utf8")).toBe(manifest("echo by a stranger"));
      expect(readFileSync(join(work.root, "other.json"), "utf8")).toBe(manifest("echo by the item"));
    }
  });
});

describe("patterns of a model's", () => {
  it("match folders and globs, with braces", async () => {
    repo.commit({ "src/a.js": "", "src/deep/b.ts": "", "src/c.md": "", "[id]/d.js": "" });
    const work = await open(await connect());
    expect(await work.list("./src/")).toEqual(["src/a.js", "src/c.md", "src/deep/b.ts"]);
    expect(await work.list("src/*")).toEqual(["src/a.js", "src/c.md"]);
    expect(await work.list("**/*.{js,ts}")).toEqual(["[id]/d.js", "src/a.js", "src/deep/b.ts"]);
    expect(await work.list("{src/{a,c},x}.*")).toEqual(["src/a.js", "src/c.md"]);
    expect(await work.list("[id]")).toEqual(["[id]/d.js"]);
    expect(await work.list("nothing")).toEqual([]);
    expect(await work.list(":(top)src")).toEqual([]);
  });

  it.each([
    ["too long", "a".repeat(301)],
    ["too many alternatives", "{a,b}".repeat(7)],
    ["out of the tree", "../*"],
    ["absolute", "/etc/*"],
  ])("%s: refused", async (_, pattern) => {
    await expect((await open(await connect())).list(pattern)).rejects.toMatchObject(REFUSED);
  });

  it("one that is never done is ended, and the host goes on meanwhile", async () => {
    const work = await open(await connect());
    put(work.root, { [`${"a/".repeat(60)}x`]: "" });
    const begun = performance.now();
    let beats = 0;
    const beat = setInterval(() => beats++, 50);
    // A pattern that Node's own matcher takes more than a minute for, and one that git would be at for ever.
    await work.list(`${"a*".repeat(12)}b`);
    await expect(work.list("**/a/".repeat(12) + "b")).rejects.toThrow(/takes too long/);
    clearInterval(beat);
    expect(performance.now() - begun).toBeLessThan(40_000);
    expect(beats).toBeGreaterThan(50);
  }, 60_000);

  it("a text is no pattern", async () => {
    const work = await open(await connect());
    put(work.root, { "b.txt": `${"a".repeat(50_000)}!\nx (a+)+$ y\n` });
    expect(await work.search("(a+)+$")).toEqual([{ path: "b.txt", line: 2, text: "x (a+)+$ y" }]);
    expect(await work.search("!\nx")).toMatchObject([{ path: "b.txt", line: 1 }]);
  });
});

describe("what is ignored is out of reach", () => {
  /** What no tool may show or touch, and no commit may take. */
  async function shut(work: Awaited<ReturnType<typeof open>>, path: string): Promise<void> {
    const before = readFileSync(join(work.root, path), "utf8");
    await expect(work.read(path), path).rejects.toMatchObject(REFUSED);
    await expect(work.write(path, "x"), path).rejects.toMatchObject(REFUSED);
    await expect(work.remove(path), path).rejects.toMatchObject(REFUSED);
    expect(await work.list(), path).not.toContain(path);
    expect(await work.list(path), path).toEqual([]);
    expect(
      (await work.search("SECRET")).map((hit) => hit.path),
      path,
    ).not.toContain(path);
    expect((await work.diff(work.openedAt)).files, path).not.toContain(path);
    expect(readFileSync(join(work.root, path), "utf8")).toBe(before);
  }

  it("by nested rules, negations, info/exclude and what the user ignores everywhere, which is not told", async () => {
    const home = join(repo.home, "user");
    put(home, { ".config/git/ignore": "*.mine\n" });
    repo.commit({ "pkg/.gitignore": "*.txt\n!keep.txt\nbuild/\n", "pkg/deep/.gitignore": "!open.txt\n" });
    put(join(repo.dir, ".git"), { "info/exclude": "local.cfg\n" });
    const work = await open(await connect({ env: { ...env, HOME: home } }));
    const ignored = ["pkg/a.txt", "pkg/build/x", "pkg/deep/a.txt", "local.cfg", "sub/local.cfg", "note.mine"];
    const allowed = ["pkg/keep.txt", "pkg/deep/open.txt", "b.txt"];
    put(work.root, Object.fromEntries([...ignored, ...allowed].map((path) => [path, "SECRET\n"])));
    for (const path of ignored) await shut(work, path);
    for (const path of allowed) expect(await work.read(path), path).toBe("SECRET\n");
    const told: unknown = await work.read("note.mine").catch((error: unknown) => error);
    expect(`${String(told)} ${JSON.stringify(told)}`).not.toContain("*.mine");
  });

  it("also after the rules were changed: an item goes by those of its base", async () => {
    repo.commit({ "pkg/.gitignore": "secret\n" });
    const repository = await connect();
    const work = await open(repository);
    put(work.root, { "ignored/key": "SECRET\n", "pkg/secret": "SECRET\n", "x.log": "SECRET\n" });
    await work.write(".gitignore", "!ignored/\n!x.log\n");
    await work.write("pkg/.gitignore", "!secret\n");
    for (const path of ["ignored/key", "pkg/secret", "x.log"]) await shut(work, path);
    expect((await work.diff(work.openedAt)).patch).not.toContain("SECRET");
    await work.commit("Unlocks nothing", TRAILERS);
    expect(files()).toEqual([".gitignore", "a.txt", "pkg/.gitignore"]);
    for (const path of ["ignored/key", "pkg/secret", "x.log"]) await shut(work, path);
    // Opened again, from the same base: still.
    const again = await open(repository);
    await again.write("b.txt", "b\n");
    put(again.root, { "ignored/key": "SECRET\n" });
    await shut(again, "ignored/key");
  });

  it("also when the rules are removed", async () => {
    repo.commit({ "pkg/.gitignore": "secret\n", "pkg/a.js": "" });
    const work = await open(await connect());
    put(work.root, { "pkg/secret": "SECRET\n" });
    await work.remove("pkg/.gitignore");
    await shut(work, "pkg/secret");
  });

  it("what is tracked is no secret, whatever the rules say; new rules count at once", async () => {
    put(repo.dir, { "ignored/old.txt": "old\n" });
    repo.git("add", "--force", "ignored/old.txt");
    repo.git("commit", "--quiet", "-m", "Tracked");
    const work = await open(await connect());
    expect(await work.read("ignored/old.txt")).toBe("old\n");
    await work.write("ignored/old.txt", "new\n");
    await work.write(".gitignore", "*.cfg\nignored/\n");
    put(work.root, { "b.cfg": "SECRET\n" });
    await shut(work, "b.cfg");
    await work.commit("New", TRAILERS);
    expect(files()).toEqual([".gitignore", "a.txt", "ignored/old.txt"]);
  });

  it("git's own files, in any case, and a submodule's", async () => {
    const other = join(repo.home, "other");
    mkdirSync(other, { recursive: true });
    gitAs(other, "init", "--quiet");
    put(other, { "s.txt": "s\n" });
    gitAs(other, "add", "--all");
    gitAs(other, "commit", "--quiet", "-m", "S");
    repo.git("-c", "protocol.file.allow=always", "submodule", "add", "--quiet", other, "sub");
    repo.git("commit", "--quiet", "-m", "Sub");
    const work = await open(await connect());
    gitAs(work.root, "-c", "protocol.file.allow=always", "submodule", "update", "--quiet", "--init");
    expect(existsSync(join(work.root, "sub/.git"))).toBe(true);
    const names = [".git", ".GIT", ".Git/config", "sub/.git", "sub/.GIT", "GIT~1/config", ".git /config", ".git./x"];
    for (const path of [...names, ".g\u200cit/config", ".git::$INDEX_ALLOCATION/config", "sub/s.txt"]) {
      await expect(work.read(path), path).rejects.toMatchObject({ ...REFUSED, data: { refused: true } });
      await expect(work.write(path, "x"), path).rejects.toMatchObject({ ...REFUSED, data: { refused: true } });
    }
    renameSync(join(work.root, "sub/.git"), join(work.root, "sub/git"));
    writeFileSync(join(work.root, "plain.git"), "x");
    expect(await work.read("plain.git")).toBe("x");
  });
});
