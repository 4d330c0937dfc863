import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Parsed } from "../../core/flow/prompt/index.ts";
import * as Review from "../../core/flow/review/index.ts";
import { ResultBlock, TaskType, type Suite } from "../../core/work/task/index.ts";

const green: Suite = {
  command: ["npm", "test"],
  source: "base",
  exit: 0,
  passed: 12,
  failed: 0,
  failures: [],
  tail: "0 failed, 12 passed",
  ms: 900,
};
const red: Suite = { ...green, exit: 1, passed: 11, failed: 1, failures: ["ledger exports dates"] };
const unknown: Suite = { ...green, passed: null, failed: null };
const empty: Suite = { ...green, passed: 0, failed: 0 };

const none: Parsed = { kind: "none" };
const garbled: Parsed = { kind: "invalid", why: "it is not JSON", asked: false };

function said(block: Record<string, unknown>): Parsed {
  return { kind: "result", result: ResultBlock.parse(block) };
}

function evidence(phase: TaskType, more: Partial<Review.Evidence> = {}): Review.Evidence {
  return {
    phase,
    requireEvidence: true,
    filesSinceItem: ["specs/a.md", "src/a.ts", "test/a.test.ts"],
    filesSinceTask: ["src/a.ts"],
    markers: [],
    suite: green,
    notRedder: true,
    result: said({ summary: "done" }),
    ...more,
  };
}

type Row = [what: string, phase: TaskType, more: Partial<Review.Evidence>, expected: Record<string, unknown>];

const bad = (message: RegExp) => ({ kind: "bad", message: expect.stringMatching(message) as string });
const passed = { kind: "passed" };

const ROWS: Row[] = [
  ["holds the named file", "spec", { specPath: "specs/a.md" }, passed],
  ["holds it, written otherwise", "spec", { specPath: "./specs//a.md" }, passed],
  ["does not hold the named file", "spec", { specPath: "specs/b.md" }, bad(/specs\/b\.md is not among/)],
  ["nothing changed", "spec", { specPath: "specs/a.md", filesSinceItem: [] }, bad(/nothing was changed/)],
  ["the agent names it where the item does not", "spec", { result: said({ spec_path: "specs/a.md" }) }, passed],
  ["the agent names what it did not write", "spec", { result: said({ spec_path: "specs/z.md" }) }, bad(/not among/)],
  [
    "the agent's path does not outrank the item's",
    "spec",
    { specPath: "specs/b.md", result: said({ spec_path: "specs/a.md" }) },
    bad(/specs\/b\.md/),
  ],
  ["nobody names it", "spec", {}, bad(/no spec file is named/)],
  ["its suite does not matter", "spec", { specPath: "specs/a.md", suite: red, notRedder: false }, passed],

  ["a diff and a green suite", "impl", {}, passed],
  ["no result block is no fault", "impl", { result: none }, passed],
  ["a garbled result block neither", "impl", { result: garbled }, passed],
  ["no diff since the task began", "impl", { filesSinceTask: [] }, bad(/changed nothing/)],
  ["no diff, garbled block", "impl", { filesSinceTask: [], result: garbled }, bad(/it is not JSON/)],
  ["suite redder", "impl", { suite: red, notRedder: false }, bad(/redder.*1 failed.*ledger exports dates/)],
  ["red as the base is", "impl", { suite: red, notRedder: true }, passed],
  ["markers left, before all else", "impl", { markers: ["src/a.ts"], suite: red, notRedder: false }, bad(/src\/a\.ts/)],
  ["no suite at all", "impl", { suite: null }, { kind: "passed", notes: ["no test suite: nothing was run"] }],
  ["the base has a suite, here none ran", "impl", { suite: null, notRedder: false }, bad(/did not run/)],
  [
    "the agent's own verdict is no evidence",
    "impl",
    { filesSinceTask: [], result: said({ verdict: "pass" }) },
    bad(/./),
  ],

  ["green", "test", {}, { kind: "passed", notes: [] }],
  ["red is a verdict, not a failure", "test", { suite: red, notRedder: false }, { kind: "red", suite: red }],
  ["the work of the impl phase is a diff", "test", { filesSinceTask: [] }, passed],
  ["no diff since the item began", "test", { filesSinceItem: [] }, bad(/nothing was changed/)],
  ["no suite", "test", { suite: null }, bad(/no test ran: there is no test suite/)],
  ["0 tests", "test", { suite: empty }, bad(/ran 0 tests/)],
  ["0 tests and an error", "test", { suite: { ...empty, exit: 1 }, notRedder: false }, bad(/exit code 1/)],
  [
    "unknown counts are accepted, and said",
    "test",
    { suite: unknown },
    { kind: "passed", notes: [expect.stringMatching(/unknown/)] },
  ],
  ["unknown counts, red", "test", { suite: { ...unknown, exit: 1 }, notRedder: false }, { kind: "red" }],
  [
    "the item's own command is said",
    "test",
    { suite: { ...green, source: "item" } },
    { kind: "passed", notes: [expect.stringMatching(/item's own/)] },
  ],

  ["pass, green", "review", { result: said({ verdict: "pass" }) }, passed],
  ["pass, red suite", "review", { result: said({ verdict: "pass" }), suite: red, notRedder: false }, { kind: "red" }],
  ["pass, no suite", "review", { result: said({ verdict: "pass" }), suite: null }, { kind: "rejected" }],
  ["pass, 0 tests", "review", { result: said({ verdict: "pass" }), suite: empty }, { kind: "rejected" }],
  [
    "fail with findings",
    "review",
    { result: said({ verdict: "fail", findings: ["a:1", " ", "b:2"] }) },
    { kind: "rejected", findings: ["a:1", "b:2"] },
  ],
  [
    "fail with a summary only",
    "review",
    { result: said({ verdict: "fail", summary: "wrong" }) },
    { kind: "rejected", findings: ["wrong"] },
  ],
  ["fail without a word", "review", { result: said({ verdict: "fail" }) }, { kind: "rejected" }],
  [
    "a verdict stands whatever the tree holds",
    "review",
    { result: said({ verdict: "pass" }), filesSinceTask: [] },
    passed,
  ],
  ["no block", "review", { result: none }, bad(/no result block/)],
  ["garbled block", "review", { result: garbled }, bad(/cannot be read: it is not JSON/)],
  ["no verdict", "review", { result: said({ summary: "APPROVED" }) }, bad(/no verdict/)],

  ["without evidence", "heal", { filesSinceTask: [], suite: null }, passed],
];

describe("evidence by phase", () => {
  test.each(ROWS)("%s (%s)", (_, phase, more, expected) => {
    expect(Review.judge(evidence(phase, more))).toMatchObject(expected);
  });
});

describe("a task without an item", () => {
  test.each(TaskType.options)("%s: evidence is recorded, not required", (phase) => {
    const judgement = Review.judge(
      evidence(phase, {
        requireEvidence: false,
        filesSinceItem: [],
        filesSinceTask: [],
        markers: ["a"],
        suite: red,
        notRedder: false,
        result: garbled,
      }),
    );
    expect(judgement).toMatchObject({ kind: "passed" });
    const notes = judgement.kind === "passed" ? judgement.notes.join("\n") : "";
    expect(notes).toMatch(/markers/);
    expect(notes).toMatch(/redder/);
    expect(notes).toMatch(/cannot be read/);
    expect(/no file was changed/.test(notes)).toBe(phase !== "review");
  });
});

test("a question wins over everything, and one that cannot be read does not get lost", () => {
  const question = { prompt: "Which dates?", options: [] };
  for (const phase of TaskType.options)
    for (const requireEvidence of [true, false]) {
      const asked = evidence(phase, { requireEvidence, result: said({ verdict: "fail", question }) });
      expect(Review.judge(asked)).toEqual({ kind: "question", question });
      const broken = evidence(phase, { requireEvidence, result: { kind: "invalid", why: "options", asked: true } });
      expect(Review.judge(broken)).toMatchObject(bad(/question/));
    }
});

describe("FAILURES 7: words are no verdict", () => {
  test.each(["0 failed, 12 passed", "APPROVED", "broken token", "FAIL"])("%j", (words) => {
    const verdict = (verdict: string) =>
      Review.judge(evidence("review", { result: said({ verdict, summary: words }) }));
    expect(verdict("pass")).toMatchObject(passed);
    expect(verdict("fail")).toMatchObject({ kind: "rejected" });
    expect(Review.judge(evidence("review", { result: said({ summary: words }) })).kind).toBe("bad");
  });
});

const files = fc.array(fc.constantFrom("specs/a.md", "src/a.ts", "test/a.test.ts"), { maxLength: 3 });
const counts = fc.option(fc.nat(3));
const anyEvidence: fc.Arbitrary<Review.Evidence> = fc.record(
  {
    phase: fc.constantFrom(...TaskType.options),
    requireEvidence: fc.boolean(),
    specPath: fc.constantFrom("specs/a.md", "specs/b.md", ""),
    filesSinceItem: files,
    filesSinceTask: files,
    markers: files,
    suite: fc.option(
      fc
        .record({ exit: fc.nat(2), passed: counts, failed: counts, source: fc.constantFrom("config", "base", "item") })
        .map((part): Suite => ({ ...green, ...part })),
    ),
    notRedder: fc.boolean(),
    result: fc.oneof(
      fc.constantFrom<Parsed[]>(none, garbled, { kind: "invalid", why: "", asked: true }),
      fc
        .record(
          {
            verdict: fc.constantFrom("pass", "fail"),
            summary: fc.string(),
            spec_path: fc.constantFrom("specs/a.md", "x"),
            findings: fc.array(fc.string(), { maxLength: 3 }),
            question: fc.record({ prompt: fc.string({ minLength: 1 }) }),
          },
          { requiredKeys: [] },
        )
        .map(said),
    ),
  },
  {
    requiredKeys: [
      "phase",
      "requireEvidence",
      "filesSinceItem",
      "filesSinceTask",
      "markers",
      "suite",
      "notRedder",
      "result",
    ],
  },
);

test("property: the judge is total, and no pass of an item's task is without its evidence", () => {
  fc.assert(
    fc.property(anyEvidence, (each) => {
      const judgement = Review.judge(each);
      const asked = each.result.kind === "result" && each.result.result.question !== undefined;
      expect(judgement.kind === "question").toBe(asked);
      if (judgement.kind === "rejected") expect(judgement.findings.length).toBeGreaterThan(0);
      if (judgement.kind === "bad") expect(judgement.message && judgement.remedy).not.toBe("");
      if (judgement.kind === "red") expect([each.suite, each.notRedder]).toEqual([judgement.suite, false]);
      if (judgement.kind !== "passed" || !each.requireEvidence) return;
      const { phase, suite, result } = each;
      if (phase === "spec") expect(each.filesSinceItem).toContain("specs/a.md");
      if (phase === "impl")
        expect([each.filesSinceTask.length > 0, each.markers, each.notRedder]).toEqual([true, [], true]);
      if (phase === "test" || phase === "review") {
        expect(each.notRedder).toBe(true);
        expect(suite).not.toBeNull();
        if (suite?.passed != null && suite.failed != null) expect(suite.passed + suite.failed).toBeGreaterThan(0);
      }
      if (phase === "test") expect(each.filesSinceItem.length).toBeGreaterThan(0);
      if (phase === "review") expect(result.kind === "result" && result.result.verdict).toBe("pass");
    }),
    { numRuns: 3_000 },
  );
});
