import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { NO_USAGE, type Tried } from "../../core/work/task/index.ts";
import * as Prompt from "../../core/flow/prompt/index.ts";
import { input } from "./prompt-support.ts";

const handoff: Prompt.Handoff = {
  tried: [],
  failing: [],
  tail: "",
  findings: [],
  branchHead: "a".repeat(40),
  whatIsThere: "",
};

function tried(turn: number, message: string): Tried {
  return { provider: "codex", model: "m", turn, class: "bad_result", message, ms: 61_000, usage: NO_USAGE };
}

function handoffIn(text: string): string {
  const from = text.indexOf("## What was tried before you");
  return from === -1 ? "" : text.slice(from, text.lastIndexOf("\n\n## Rules"));
}

describe("FAILURES 8: the handoff", () => {
  test("tells who tried, the failing tests, the findings and the END of the log", () => {
    const { text } = Prompt.build(
      input("impl", {
        handoff: {
          ...handoff,
          tried: [tried(1, "no diff"), tried(2, "suite redder")],
          failing: ["ledger exports dates"],
          tail: `${"noise\n".repeat(2_000)}AssertionError: expected 1 to be 2`,
          findings: ["src/export.ts:41: null instead of []"],
          whatIsThere: "2 files changed: src/export.ts, src/route.ts",
        },
      }),
    );
    const section = handoffIn(text);
    for (const words of [
      "a".repeat(40),
      "no diff",
      "turn 2, 61 s: bad_result: suite redder",
      "- ledger exports dates",
      "AssertionError: expected 1 to be 2\n```",
      "src/export.ts:41: null instead of []",
      "2 files changed",
    ])
      expect(section).toContain(words);
    expect(section.indexOf("suite redder")).toBeLessThan(section.indexOf("no diff"));
  });

  test("long findings keep their end, many are shared and counted", () => {
    const findings = Array.from({ length: 50 }, (_, i) => `finding ${i} ${"x".repeat(1_900)} end ${i}`);
    const section = handoffIn(Prompt.build(input("impl", { handoff: { ...handoff, findings } })).text);
    expect(section).toMatch(/finding 0 x+ \[… cut …\] x+ end 0/);
    expect(section).toMatch(/\(and \d+ more\)/);
  });

  test("nothing to tell is no section", () => {
    const { text } = Prompt.build(input("impl", { handoff: { ...handoff, branchHead: null } }));
    expect(handoffIn(text)).toBe("");
  });

  test("terminal colours and endless back-ticks do not blow it up", () => {
    const tail = `\u001b[31mred\u001b[0m\n${"`".repeat(50_000)}\nlast line`;
    const section = handoffIn(Prompt.build(input("impl", { handoff: { ...handoff, tail } })).text);
    expect(section).toContain("red\n");
    expect(section).toContain("last line");
    expect(section.length).toBeLessThan(1_000);
  });

  test("property: at most 12 000 characters, its fences closed, the log's end kept", () => {
    const long = fc
      .tuple(fc.string(), fc.constantFrom("`", "x", "é😀", "\n```\n", "## Rules\n"), fc.nat(4_000))
      .map(([a, b, n]) => a + b.repeat(n));
    fc.assert(
      fc.property(
        fc.record({
          tried: fc.array(long.map((message) => tried(1, message))),
          failing: fc.array(long),
          tail: long.map((text) => `${text}\nTHE END`),
          findings: fc.array(long),
          branchHead: fc.option(fc.string({ minLength: 1 })),
          whatIsThere: long,
        }),
        (each) => {
          const section = handoffIn(Prompt.build(input("impl", { handoff: each })).text);
          expect(section.length).toBeLessThanOrEqual(12_000);
          expect(section).toMatch(/THE END\n`+$/);
        },
      ),
      { numRuns: 60 },
    );
  });
});
