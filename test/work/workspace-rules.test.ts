import { describe, expect, it } from "vitest";
import { splitCommand } from "../../core/work/workspace/arguments.ts";
import { findTests } from "../../core/work/workspace/manifest.ts";
import { withBaseScripts } from "../../core/work/workspace/overlay.ts";
import { checkBranch, refPart, treeName } from "../../core/work/workspace/paths.ts";
import { readReport } from "../../core/work/workspace/reporters.ts";
import { isKeyFile, secretsIn } from "../../core/work/workspace/secrets.ts";
import { setupFor } from "../../core/work/workspace/setup.ts";
import { notRedder } from "../../core/work/workspace/index.ts";
import type { Suite } from "../../core/work/task/index.ts";

describe("splitCommand", () => {
  it.each([
    ["npm test", ["npm", "test"]],
    ["  node  --test 'a b' \"c \\\"d\\\" $HOME\" e\\ f ''", ["node", "--test", "a b", 'c "d" $HOME', "e f", ""]],
    ["a'b'\"c\"d", ["abcd"]],
    ["echo `x` $(y) '&&'", ["echo", "`x`", "$(y)", "&&"]],
  ])("%s", (text, words) => expect(splitCommand(text, "X")).toEqual(words));

  it.each(["", "  ", "a 'b", 'a "b', "a \\", "npm ci && npm test", "a | b", "a > out", "a; b"])(
    "refuses %j",
    (text) => {
      expect(() => splitCommand(text, "COHERENCE_TEST_COMMAND")).toThrow(/^COHERENCE_TEST_COMMAND: /);
    },
  );
});

describe("names", () => {
  it.each(["coherence/backlog", "coherence-item/backlog/fix-1", "coherence-task/task_0123", "coherence-item/b/1.2"])(
    "takes %s",
    (branch) => expect(() => checkBranch(branch)).not.toThrow(),
  );
  it.each([
    "main",
    "coherence",
    "coherence/",
    "coherence/-x",
    "coherence/a..b",
    "coherence/a.lock",
    "coherence/a b",
    "coherence/../main",
    "coherence/.a",
    "-coherence/a",
    "coherence/a\n",
  ])("refuses %j", (branch) => expect(() => checkBranch(branch)).toThrow(/Not a branch of the pipeline/));

  it("makes parts of branch names that are safe and differ", () => {
    expect(refPart("item-1_A")).toBe("item-1_A");
    const odd = ["--end", "a/b", "a b", "a.lock", "ä", "", "..", "x".repeat(300) + "!"];
    for (const text of odd) expect(() => checkBranch(`coherence-item/b/${refPart(text)}`)).not.toThrow();
    expect(new Set(odd.map(refPart)).size).toBe(odd.length);
    expect(treeName("/r", "a/b")).not.toBe(treeName("/r", "a-b"));
    expect(treeName("/r", "a/b")).not.toBe(treeName("/s", "a/b"));
  });
});

describe("24: secrets", () => {
  const patch = (line: string) =>
    `diff --git a/src/a.ts b/src/a.ts\n--- a/src/a.ts\n+++ b/src/a.ts\n@@ -3,0 +7,2 @@\n+++ b/other\n+${line}\n`;
  const digits = "0123456789abcdefghij0123456789ABCDEF";
  it.each([
    `gh` + `o_${digits}`,
    `token = "gh` + `p_${digits}"`,
    `github` + `_pat_11ABCDEFG0${digits}`,
    `sk` + `-proj-${digits}`,
    `rk` + `-${digits}`,
    `xox` + `b-123456789012-abcdef`,
    `xox` + `p-123456789012-abcdef`,
    `AKIA` + `IOSFODNN7EXAMPLE`,
    `-----BEGIN RSA ` + `PRIVATE KEY-----`,
    `-----BEGIN ` + `PRIVATE KEY-----`,
  ])("finds %s", (line) => {
    const found = secretsIn(patch(line));
    expect(found).toMatchObject([{ file: "src/a.ts", line: 8 }]);
    expect(JSON.stringify(found)).not.toContain(digits);
  });
  it.each(["task-0123456789abcdef01", "class='sk-circle-fade-container-dot'", "desk-0123456789abcdef01", "gho_short"])(
    "leaves %s alone",
    (line) => expect(secretsIn(patch(line))).toEqual([]),
  );
  it("does not look at removed lines", () => {
    const gone = `gh` + `o_${digits}`;
    expect(secretsIn(`--- a/a\n+++ b/a\n@@ -1 +0,0 @@\n-${gone}\n`)).toEqual([]);
  });
  it("knows files by name", () => {
    expect([".env", "a/.env.local", "id_rsa", "x/key.p12", ".netrc"].filter(isKeyFile)).toHaveLength(5);
    expect([".env.example", "env.ts", ".envrc.md", "id_rsa.pub", "a.pem.md"].filter(isKeyFile)).toEqual([]);
  });
});

describe("reporters", () => {
  const cases: [string, string, { passed: number | null; failed: number | null; failures?: string[] }][] = [
    [
      "node:test spec",
      "✔ a (1ms)\nℹ tests 2\nℹ pass 1\nℹ fail 1\nℹ cancelled 0\n\n✖ failing tests:\n\ntest at x.js:1:1\n✖ adds up (1.5ms)\n  Error",
      { passed: 1, failed: 1, failures: ["adds up"] },
    ],
    [
      "node:test TAP",
      "not ok 1 - adds up\nok 2 - b\nnot ok 3 - later # TODO\n# tests 3\n# pass 1\n# fail 1\n# cancelled 1",
      { passed: 1, failed: 2, failures: ["adds up"] },
    ],
    ["node:test without tests", "ℹ tests 0\nℹ pass 0\nℹ fail 0", { passed: 0, failed: 0 }],
    [
      "vitest",
      " FAIL  test/a.test.ts > adds\n Test Files  1 failed | 2 passed (3)\n      Tests  1 failed | 5 passed (6)\n",
      { passed: 5, failed: 1, failures: ["test/a.test.ts > adds"] },
    ],
    [
      "vitest that cannot load",
      " FAIL  test/a.test.ts [ test/a.test.ts ]\n Test Files  1 failed (1)\n      Tests  no tests\n",
      { passed: 0, failed: 1 },
    ],
    [
      "vitest in colour",
      "\u001b[2m Test Files \u001b[22m \u001b[32m1 passed\u001b[39m (1)\n\u001b[2m      Tests \u001b[22m \u001b[32m3 passed\u001b[39m (3)",
      { passed: 3, failed: 0 },
    ],
    [
      "jest",
      "  ● math › adds\n\nTest Suites: 1 failed, 1 total\nTests:       1 failed, 2 skipped, 5 passed, 8 total",
      { passed: 5, failed: 1, failures: ["math › adds"] },
    ],
    [
      "mocha",
      "\n  4 passing (12ms)\n  1 failing\n\n  1) math\n       adds:\n     Error: no\n",
      { passed: 4, failed: 1, failures: ["math adds"] },
    ],
    [
      "pytest",
      "FAILED tests/test_a.py::test_x - assert 1 == 2\n========= 1 failed, 3 passed, 1 warning in 0.12s =========",
      { passed: 3, failed: 1, failures: ["tests/test_a.py::test_x"] },
    ],
    ["pytest -q without tests", "no tests ran in 0.01s", { passed: 0, failed: 0 }],
    ["pytest errors", "ERROR tests/test_a.py\n1 passed, 2 errors in 1.10s", { passed: 1, failed: 2 }],
    [
      "go",
      "--- FAIL: TestAdd (0.00s)\n    a_test.go:5: no\nFAIL\nFAIL\texample.com/a\t0.002s\nok  \texample.com/b\t0.003s",
      { passed: null, failed: 1, failures: ["TestAdd"] },
    ],
    ["go without tests", "?   \texample.com/a\t[no test files]", { passed: 0, failed: 0 }],
    ["go -v", "=== RUN   TestA\n--- PASS: TestA (0.00s)\nPASS\nok  \tx\t0.1s", { passed: 1, failed: 0 }],
    [
      "cargo",
      "test math::adds ... FAILED\ntest result: FAILED. 2 passed; 1 failed; 0 ignored;\ntest result: ok. 3 passed; 0 failed; 0 ignored;",
      { passed: 5, failed: 1, failures: ["math::adds"] },
    ],
    ["plain", "done\n12 passed, 0 failed", { passed: 12, failed: 0 }],
    ["two summaries", "ℹ pass 2\nℹ fail 0\nℹ pass 3\nℹ fail 1", { passed: 5, failed: 1 }],
    ["nothing known", "all good", { passed: null, failed: null, failures: [] }],
  ];
  it.each(cases)("%s", (_name, text, expected) => expect(readReport(text)).toMatchObject(expected));
  it("keeps at most 50 names", () => {
    const text = Array.from({ length: 80 }, (_, i) => `not ok ${i} - t${i}`).join("\n") + "\n# pass 0\n# fail 80";
    expect(readReport(text).failures).toHaveLength(50);
  });
});

describe("notRedder", () => {
  const suite = (exit: number, failed: number | null, failures: string[] = []): Suite => ({
    command: ["t"],
    source: "base",
    exit,
    passed: null,
    failed,
    failures,
    tail: "",
    ms: 1,
  });
  const table: [string, Suite, Suite | null, boolean][] = [
    ["no base: green", suite(0, null), null, true],
    ["no base: red", suite(1, null), null, false],
    ["no base: counted failures outrank exit 0", suite(0, 2), null, false],
    ["green stays green", suite(0, 0), suite(0, 0), true],
    ["green turns red", suite(1, 1, ["a"]), suite(0, 0), false],
    ["green turns red without a count", suite(1, 0), suite(0, 0), false],
    ["the same failure", suite(1, 1, ["a"]), suite(1, 1, ["a"]), true],
    ["as many, but another", suite(1, 1, ["b"]), suite(1, 1, ["a"]), false],
    ["fewer", suite(1, 1, ["a"]), suite(1, 2, ["a", "b"]), true],
    ["fewer, but a new one", suite(1, 1, ["c"]), suite(1, 2, ["a", "b"]), false],
    ["more", suite(1, 2, ["a", "b"]), suite(1, 1, ["a"]), false],
    ["names unknown: number", suite(1, 2), suite(1, 2), true],
    ["names unknown: more", suite(1, 3), suite(1, 2), false],
    ["counts unknown: both red", suite(1, null), suite(1, null), true],
    ["counts unknown: turns red", suite(1, null), suite(0, null), false],
    ["no longer counts what the base did", suite(0, null), suite(1, 2), false],
    ["no longer counts what a green base did", suite(0, null), suite(0, 0), false],
    ["no longer counts, both red", suite(1, null), suite(1, 2), false],
    ["over its time", suite(124, null), suite(1, null), false],
    ["over its time, as the base was", suite(124, null), suite(124, null), true],
    ["crashes where it counted failures before", suite(1, 0), suite(1, 3, ["a", "b", "c"]), false],
  ];
  it.each(table)("%s", (_name, now, base, expected) => expect(notRedder(now, base)).toBe(expected));
});

describe("manifests", () => {
  const find = (files: Record<string, string>) => findTests(async (path) => files[path] ?? null);
  it.each<[string, Record<string, string>, string[] | null]>([
    ["npm", { "package.json": '{"scripts":{"test":"node --test"}}' }, ["npm", "test"]],
    [
      "npm init's own is none",
      { "package.json": '{"scripts":{"test":"echo \\"Error: no test specified\\" && exit 1"}}' },
      null,
    ],
    ["broken JSON is none", { "package.json": "{" }, null],
    ["pyproject", { "pyproject.toml": "" }, ["python3", "-m", "pytest"]],
    ["go", { "go.mod": "" }, ["go", "test", "./..."]],
    ["cargo", { "Cargo.toml": "" }, ["cargo", "test"]],
    ["make", { Makefile: "all:\n\ntest: all\n\t./t\n" }, ["make", "test"]],
    ["make without the target", { Makefile: "test := 1\nall:\n" }, null],
    ["nothing", {}, null],
  ])("%s", async (_name, files, expected) => expect((await find(files))?.command ?? null).toEqual(expected));

  it("puts the base's scripts back, hooks included, and keeps new ones", () => {
    const base = '{"scripts":{"test":"npm run unit","unit":"node --test"}}';
    expect(withBaseScripts(base, base)).toBeNull();
    const own = '{"name":"x","scripts":{"test":"true","unit":"node --test","pretest":"rm -r test","e2e":"e"}}';
    expect(JSON.parse(withBaseScripts(own, base) ?? "")).toEqual({
      name: "x",
      scripts: { test: "npm run unit", unit: "node --test", e2e: "e" },
    });
  });

  it("chooses the set-up by the lockfile, the user's command first", () => {
    const has =
      (...files: string[]) =>
      (file: string) =>
        files.includes(file);
    expect(setupFor(null, has("package-lock.json"))?.commands[0]?.slice(0, 2)).toEqual(["npm", "ci"]);
    expect(setupFor(null, has("pnpm-lock.yaml"))?.commands[0]?.[0]).toBe("pnpm");
    expect(setupFor(null, has("go.mod", "Cargo.lock"))).toBeNull();
    expect(setupFor(["make", "deps"], has("package-lock.json"))).toMatchObject({
      lockfile: "package-lock.json",
      commands: [["make", "deps"]],
    });
  });
});
