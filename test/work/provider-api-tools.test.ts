import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { bench, call, done, NAMES, told, type Bench } from "./provider-api-helpers.ts";
import type { Reply } from "../support/models/reply.ts";

/** What tools refuse: it comes back to the model, and stands in the task's log. One protocol is enough: the loop is the same. */

let at: Bench;
let script: Reply[] = [];
beforeAll(async () => {
  at = await bench("chat", () => script.shift() ?? done(), {
    "src/many.js": Array.from({ length: 3000 }, (_, i) => `export const n${i} = ${i};`).join("\n"),
    "src/twice.js": "one\none\n",
  });
  const { root } = at.workspace;
  writeFileSync(join(root, ".env"), "SECRET=1\n");
  mkdirSync(join(root, "secrets"));
  writeFileSync(join(root, "secrets/key"), "SECRET=2\n");
  symlinkSync("/etc/hostname", join(root, "out"));
  symlinkSync("/etc", join(root, "etc"));
  symlinkSync(join(root, "../nowhere.txt"), join(root, "nowhere"));
  symlinkSync(".env", join(root, "env-link"));
  symlinkSync(".", join(root, "here"));
  writeFileSync(join(root, "image.png"), Buffer.from([0x89, 0x50, 0, 0, 0xff]));
});
afterAll(() => at.close());
beforeEach(() => void at.logged.splice(0));

/** Plays one call and then the end; what the model was told of it. */
async function play(name: string, args: unknown, type = "impl"): Promise<string> {
  script = [call(name, args), done()];
  const result = await at.run({ task: { id: "t", type: type as "impl", direction: "", attempt: 1, turn: 1 } });
  expect(result.kind).toBe("finished");
  const messages = at.server.requests.at(-1)?.body["messages"] as { role: string; content: string }[];
  return messages.at(-1)?.content ?? "";
}

const REFUSED = [
  ["a path out of the tree", "../outside.txt"],
  ["a path out of the tree in the middle", "src/../../outside.txt"],
  ["an absolute path", "/etc/passwd"],
  ["git's own files", ".git"],
  ["git's own files, whatever the case", "src/.GIT/config"],
  ["an ignored file", ".env"],
  ["an ignored file by a longer way", "./src/.././.env"],
  ["an ignored folder's file", "secrets/key"],
  ["a new file in an ignored folder", "secrets/new"],
  ["a link that leads out", "out"],
  ["a linked folder that leads out", "etc/passwd"],
  ["a link to nowhere", "nowhere"],
  ["a link to an ignored file", "env-link"],
  ["an ignored file through a linked folder", "here/.env"],
] as const;

describe.each(["read", "write", "edit", "remove"])("%s refuses, and the log says so", (name) => {
  test.each(REFUSED)("%s", async (_, path) => {
    const args = { read: {}, write: { content: "x" }, edit: { old: "S", new: "T" }, remove: {} }[name];
    expect(await play(name, { path, ...args })).toMatch(/^Not a file of this tree: .+ Use a path relative/);
    expect(at.logged.filter((line) => line.startsWith(`[refused] ${name}: `))).toHaveLength(1);
    expect(readFileSync(join(at.workspace.root, ".env"), "utf8")).toBe("SECRET=1\n");
    expect(readFileSync(join(at.workspace.root, "secrets/key"), "utf8")).toBe("SECRET=2\n");
    expect(told(at.server)).not.toContain("SECRET");
  });
});

describe("what a model can mend comes back to it", () => {
  test.each([
    ["read", { path: "src/none.js" }, /^Cannot use src\/none\.js: there is no such file/],
    ["read", { path: "src" }, /^Cannot use src: it is no plain file/],
    ["read", { path: "image.png" }, /is no text file/],
    ["read", { path: "src/greet.js", offset: 9 }, /has 1 lines/],
    ["read", { file: "src/greet.js" }, /Not the arguments of read/],
    ["read", { path: "src/greet.js", limit: 100_000 }, /Not the arguments of read/],
    ["edit", { path: "src/greet.js", old: "hallo", new: "x" }, /is not in src\/greet\.js/],
    ["edit", { path: "src/twice.js", old: "one", new: "two" }, /is in src\/twice\.js 2 times/],
    ["edit", { path: "src/greet.js", old: "hello", new: "hello" }, /is the old one/],
    ["edit", { path: "image.png", old: "P", new: "Q" }, /is no text file/],
    ["write", { path: "src", content: "x" }, /^Cannot use src: it is no plain file/],
    ["write", { path: "src/greet.js/x", content: "x" }, /^write failed: E[A-Z]+\.$/],
    ["write", { path: "big.txt", content: "x".repeat(400_001) }, /Not the arguments of write/],
    ["remove", { path: "src/none.js" }, /There is no file/],
    ["shell", { cmd: "ls" }, /^There is no tool shell\. There are: list, read,/],
  ])("%s %j", async (name, args, says) => {
    expect(await play(name, args)).toMatch(says);
    expect(at.logged.join("\n")).toMatch(/^✗ /m);
  });

  test("arguments that are no JSON", async () => {
    script = [{ kind: "function", name: "read", args: "not an object" }, done()];
    expect((await at.run()).kind).toBe("finished");
    expect(told(at.server)).toContain("Not the arguments of read");
  });
});

describe("results are bounded", () => {
  test("a long file comes in parts, with what to ask for next", async () => {
    const text = await play("read", { path: "src/many.js" });
    expect(text).toMatch(/\(lines 1-1500 of 3000; go on with offset 1501\)$/);
    expect(await play("read", { path: "src/many.js", offset: 2999 })).toMatch(/^2999\t.*\n3000\t[^\n]*$/);
  });

  test("list and search narrow by folder and by glob", async () => {
    expect(await play("list", { pattern: "src/" })).toBe("src/greet.js\nsrc/many.js\nsrc/twice.js");
    expect(await play("list", { pattern: "**/t*.js" })).toBe("src/twice.js");
    expect(await play("list", { pattern: "nothing" })).toBe("No such files.");
    expect(await play("list", {})).not.toMatch(/\.env|secrets/);
    expect(await play("search", { text: "SECRET" })).toBe("Not found.");
    expect(await play("search", { text: "export const n" })).toMatch(/\(and 100 more hits/);
  });
});

describe("a review judges and changes nothing", () => {
  test.each(["write", "edit", "remove"])("it has no %s", async (name) => {
    expect(await play(name, { path: "src/greet.js", content: "x", old: "hello", new: "x" }, "review")).toBe(
      `There is no tool ${name}. There are: list, read, search, changes, run_tests.`,
    );
    const tools = at.server.requests.at(-1)?.body["tools"] as { function: { name: string } }[];
    expect(tools.map((tool) => tool.function.name)).toEqual(["list", "read", "search", "changes", "run_tests"]);
    expect(readFileSync(join(at.workspace.root, "src/greet.js"), "utf8")).toContain("hello");
  });
});

test.each(NAMES)("without a repository there are no tools: %s", async (protocol) => {
  const bare = await bench(protocol, [done("An answer.")]);
  expect(await bare.run({}, { tree: false })).toMatchObject({ kind: "finished", output: "An answer." });
  expect(bare.server.requests[0]?.body["tools"] ?? []).toEqual([]);
  await bare.close();
});
