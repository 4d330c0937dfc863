import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CoherenceError } from "../../core/ground/errors.ts";
import { sha256 } from "../../core/ground/id.ts";
import { NO_USAGE, TaskType, type Tried } from "../../core/work/task/index.ts";
import * as Prompt from "../../core/flow/prompt/index.ts";
import { ROLES } from "../../core/work/task/index.ts";

const TYPES = TaskType.options;

function input(type: TaskType, more: Partial<Prompt.Input> = {}): Prompt.Input {
  return { task: { id: "task_0123456789abcdef", type, direction: "Export the ledger as CSV.", attempt: 1 }, ...more };
}

function withDirection(direction: string, more: Partial<Prompt.Input> = {}): Prompt.Input {
  return input("impl", { ...more, task: { id: "task_1", type: "impl", direction, attempt: 1 } });
}

const item = { backlog: "006", id: "export", text: "Export the ledger as CSV.", phase: "impl", round: 0 } as const;

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

function block(json: string, fence = "```"): string {
  return `${fence}coherence-result\n${json}\n${fence}`;
}

describe("templates", () => {
  test.each([
    ["spec", "product-manager", "specs/TEMPLATE.md"],
    ["impl", "dev-engineer", "add no features beyond it"],
    ["test", "qa-engineer", "Do not alter a test to make the implementation pass"],
    ["review", "reviewer (guard: spec-guard)", "Do not edit anything"],
    ["heal", "dev-engineer", "Mend the cause"],
  ] as const)("%s has its role and its directions", (type, role, words) => {
    const { text, variant } = Prompt.build(input(type, { item: { ...item, phase: "impl" } }));
    expect(text).toContain(`You are the ${role}.`);
    expect(text).toContain(words);
    expect(variant).toBe(`${type}@1`);
  });

  test.each(TYPES)("%s says the rules, how it is judged and how to answer", (type) => {
    const { text } = Prompt.build(input(type));
    expect(text).toContain("Do not commit, push");
    expect(text).toContain("touch .git");
    expect(text).toContain("Do not print, copy or write secrets");
    expect(text).toContain("## How your work is judged");
    expect(text).toContain("```coherence-result");
    expect(text).toContain("default_after_s");
  });

  // Variants are measured against each other: a changed text under an old version would mix two prompts in one figure.
  test.each([
    ["spec", 1, "bbb3bfdf6462"],
    ["impl", 1, "7b1318e3ace0"],
    ["test", 1, "e97a32309b90"],
    ["review", 1, "c860c4ac0e72"],
    ["heal", 1, "564c22f2d6bc"],
  ] as const)(
    "%s@%i still has the text of that version: raise the version when you change it",
    (type, version, hash) => {
      expect(Prompt.TEMPLATES[type].version).toBe(version);
      expect(Prompt.build(input(type, { item: { ...item, round: 1 } })).sha256.slice(0, 12)).toBe(hash);
    },
  );

  test("values stand where the template names them", () => {
    const { text } = Prompt.build(
      input("review", { specPath: "specs/012-export.md", testCommand: ["npm", "run", "a b"], base: "abc123", item }),
    );
    expect(text).toContain("Spec file: specs/012-export.md.");
    expect(text).toContain('Test command: npm run "a b".');
    expect(text).toContain("began at commit: abc123.");
    expect(text).not.toContain("{{");
  });

  test("the SHA-256 is that of the text, and the same input gives the same prompt", () => {
    const a = Prompt.build(input("impl", { item }));
    expect(a.sha256).toBe(sha256(a.text));
    expect(Prompt.build(input("impl", { item }))).toEqual(a);
  });

  test("a later round and an item's own text are told", () => {
    const { text } = Prompt.build(
      input("impl", { item: { ...item, text: "Ledger: CSV, with dates in ISO.", round: 2 } }),
    );
    expect(text).toContain("round 2");
    expect(text).toContain("Ledger: CSV, with dates in ISO.");
  });
});

describe("the direction is data", () => {
  test("FAILURES 12: back-ticks and shell syntax arrive as they are", () => {
    const direction = "Use `plan_progress` and $(rm -rf /) \\ \"quoted\" 'too'";
    expect(Prompt.build(withDirection(direction)).text).toContain(`\`\`\`text\n${direction}\n\`\`\``);
  });

  test("placeholders in a value are not expanded again", () => {
    const { text } = Prompt.build(
      withDirection("Print {{spec_path}} and {{direction}}", { specPath: "specs/{{base}}" }),
    );
    expect(text).toContain("Print {{spec_path}} and {{direction}}");
    expect(text).toContain("specs/{{base}}");
  });

  test("replacement patterns in a value stay literal", () => {
    expect(Prompt.build(withDirection("costs $& and $1 and $$")).text).toContain("costs $& and $1 and $$");
  });

  test("property: it is in the prompt verbatim, in a fence that nothing inside closes", () => {
    const texts = fc
      .array(fc.oneof(fc.string(), fc.constantFrom("`", "```", "\n", "\n```\n", "~~~", "{{base}}", "$&")))
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(texts, (direction) => {
        const lines = Prompt.build(withDirection(direction)).text.split("\n");
        const start = lines.findIndex((line) => /^`{3,}text$/.test(line));
        const fence = lines[start]!.replace("text", "");
        const end = lines.findIndex((line, i) => i > start && line.trim().startsWith(fence));
        expect(lines.slice(start + 1, end).join("\n")).toBe(direction);
      }),
    );
  });

  test("a direction with a hundred thousand runs of back-ticks is no fault", () => {
    expect(Prompt.build(withDirection("` ".repeat(200_000))).text).toContain("` ` `");
  });
});

describe("overrides", () => {
  const override = "Be brief, {{role}}. Spec: {{ spec_path }}.";

  test("replaces the template, never what the pipeline depends on", () => {
    const { text, variant } = Prompt.build(input("impl", { overrides: { impl: override }, specPath: "specs/1.md" }));
    expect(text.startsWith("Be brief, dev-engineer. Spec: specs/1.md.")).toBe(true);
    expect(text).toContain("Export the ledger as CSV.");
    expect(text).toContain("Do not commit");
    expect(text).toContain("```coherence-result");
    expect(variant).toBe(`impl@override-${sha256(override).slice(0, 8)}`);
  });

  test("places the direction itself when it says so", () => {
    const { text } = Prompt.build(input("impl", { overrides: { impl: "Do this:\n{{direction}}\nWell." } }));
    expect(text.split("Export the ledger as CSV.")).toHaveLength(2);
    expect(text.startsWith("Do this:\n```text\nExport the ledger as CSV.\n```\nWell.")).toBe(true);
  });

  test("of another type changes nothing", () => {
    expect(Prompt.build(input("impl", { overrides: { spec: "{{nonsense}}" } })).variant).toBe("impl@1");
  });

  test.each([
    ["an unknown placeholder", "Do {{directon}} and {{direction}} and {{}}", /\{\{directon\}\}, \{\{\}\}/],
    ["an empty file", " \n", /is empty/],
    ["a file that crowds out the work", "x".repeat(20_001), /20001 characters/],
  ])("refuses %s", (_, text, why) => {
    const attempt = () => Prompt.build(input("impl", { overrides: { impl: text } }));
    expect(attempt).toThrow(CoherenceError);
    expect(attempt).toThrow(why);
    expect(attempt).toThrow(/\.coherence\/prompts\/impl\.md/);
    expect(() => Prompt.checkOverride("impl", text)).toThrow(why);
  });

  test("the refusal names every known placeholder", () => {
    try {
      Prompt.checkOverride("impl", "{{x}}");
      expect.unreachable();
    } catch (thrown) {
      const { code, remedy } = thrown as CoherenceError;
      expect(code).toBe("config.invalid");
      for (const name of Prompt.PLACEHOLDERS) expect(remedy).toContain(`{{${name}}}`);
    }
  });
});

describe("decision and conflict", () => {
  test("question and answer are told, the answer whole", () => {
    const answer = `Use ISO dates. ${"y".repeat(9_000)} END`;
    const { text } = Prompt.build(input("impl", { decision: { question: "Which dates?\n```", answer } }));
    expect(text).toContain("````text\nWhich dates?\n```\n````");
    expect(text).toContain(answer);
  });

  test("conflicting files are the work", () => {
    const { text } = Prompt.build(input("impl", { conflict: { files: ["src/a.ts", "src/b.ts"] } }));
    expect(text).toContain("- src/a.ts\n- src/b.ts");
    expect(text).toContain("Markers that are left fail this task");
  });
});

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

describe("the result block", () => {
  const pass = '{"verdict":"pass","summary":"good"}';

  test("is read with its defaults", () => {
    expect(Prompt.parseResult(`All done.\n\n${block(pass)}\n`)).toEqual({
      kind: "result",
      result: { verdict: "pass", summary: "good", findings: [], tests: [] },
    });
  });

  test.each([
    ["CRLF", block(pass).replaceAll("\n", "\r\n")],
    ["indentation", block(pass).replace(/^/gm, "    ")],
    ["a list's tab", block(pass).replace(/^/gm, "\t")],
    ["a longer fence", block(pass, "`````")],
    ["tildes", block(pass, "~~~")],
    ["a space before the info string", "``` coherence-result\n" + pass + "\n```  "],
    ["more words in the info string", "```coherence-result json\n" + pass + "\n```"],
    ["no closing fence at the very end", "```coherence-result\n" + pass],
    ["an earlier fence left open", "```ts\nconst a = 1;\n" + block(pass)],
    ["an earlier result left open", "```coherence-result\n{ no\n" + block(pass)],
    ["null for what is absent", block('{"verdict":"pass","summary":"good","spec_path":null,"question":null}')],
    ["an empty text for what is absent", block('{"verdict":"pass","summary":"good","spec_path":"","question":""}')],
    ["unknown fields", block('{"verdict":"pass","summary":"good","mood":"fine"}')],
  ])("tolerates %s", (_, output) => {
    expect(Prompt.parseResult(output)).toMatchObject({ kind: "result", result: { verdict: "pass", summary: "good" } });
  });

  test("the last one counts, also when it is the broken one", () => {
    expect(Prompt.parseResult(`${block('{"verdict":"fail"}')}\nthen\n${block(pass)}`)).toMatchObject({
      result: { verdict: "pass" },
    });
    expect(Prompt.parseResult(`${block(pass)}\n${block("{")}`)).toMatchObject({ kind: "invalid" });
  });

  test("one that is quoted in a longer fence is a quotation", () => {
    expect(Prompt.parseResult(`\`\`\`\`md\n${block(pass)}\n\`\`\`\``)).toEqual({ kind: "none" });
  });

  test.each([
    ["", "nothing"],
    ["0 failed, 12 passed", "counts"],
    ["APPROVED", "a word"],
    ["Rejects a broken token, as it should", "a word that sounds bad"],
    [pass, "JSON without a fence"],
    ["```json\n" + pass + "\n```", "another fence"],
    ["`coherence-result` " + pass, "inline code"],
    ["```coherence-results\n" + pass + "\n```", "another info string"],
  ])("FAILURES 7: %j (%s) decides nothing", (output) => {
    expect(Prompt.parseResult(output)).toEqual({ kind: "none" });
  });

  test.each([
    ["{", /not JSON/],
    ["[]", /not a JSON object/],
    ['"pass"', /not a JSON object/],
    ['{"verdict":"APPROVED"}', /verdict/],
    ['{"findings":[{"file":"a"}]}', /findings/],
  ])("%s is invalid and says where", (json, why) => {
    const parsed = Prompt.parseResult(block(json));
    expect(parsed).toMatchObject({ kind: "invalid", asked: false });
    expect(parsed.kind === "invalid" && parsed.why).toMatch(why);
  });

  test.each([
    '{"question":"Which one?"}',
    '{"question":{"prompt":"?","options":[1]}}',
    '{"question": {"prompt": "no end',
  ])("a question that cannot be read is known to be one: %s", (json) => {
    expect(Prompt.parseResult(block(json))).toMatchObject({ kind: "invalid", asked: true });
  });

  test("a question with nulls inside", () => {
    const json = '{"question":{"prompt":"Which?","options":["a","b"],"default":null,"default_after_s":null}}';
    expect(Prompt.parseResult(block(json))).toMatchObject({
      kind: "result",
      result: { question: { prompt: "Which?", options: ["a", "b"] } },
    });
  });

  test("what is only too long is cut, the verdict stays", () => {
    const parsed = Prompt.parseResult(
      block(
        JSON.stringify({ verdict: "fail", summary: "s".repeat(9_000), findings: Array(60).fill("f".repeat(3_000)) }),
      ),
    );
    expect(parsed).toMatchObject({ kind: "result", result: { verdict: "fail" } });
    expect(parsed.kind === "result" && parsed.result.findings).toHaveLength(50);
  });

  test.each(TYPES)("the example of a %s prompt, echoed back, neither passes nor asks", (type) => {
    const parsed = Prompt.parseResult(Prompt.build(input(type)).text);
    expect(parsed.kind).not.toBe("none");
    const result = parsed.kind === "result" ? parsed.result : {};
    expect(result).not.toHaveProperty("verdict");
    expect(result).not.toHaveProperty("question");
  });

  test("a line of a million spaces does not stop the parser", () => {
    expect(Prompt.parseResult("```" + " ".repeat(1_000_000) + "`")).toEqual({ kind: "none" });
  });

  test("property: never throws, and what was written is read", () => {
    fc.assert(
      fc.property(fc.string(), fc.string({ unit: "grapheme" }), (noise, summary) => {
        Prompt.parseResult(noise);
        const written = block(JSON.stringify({ verdict: "fail", summary }));
        expect(Prompt.parseResult(`words\n${written}`)).toMatchObject({ result: { verdict: "fail", summary } });
      }),
    );
  });
});

describe("title", () => {
  test.each([
    ["Export the ledger", "Export the ledger"],
    ["\n\n  Export\tthe ledger  \nmore", "Export the ledger"],
    ["# Heading", "Heading"],
    ["--amend everything", "amend everything"],
    ["a\u0000b\u001b[31mc\u202ed", "a b [31mc d"],
    ["Document [skip ci]", "Document (skip ci)"],
    ["", "Untitled task"],
    ["###\n---\nreal", "real"],
    [`${"word ".repeat(20)}`, `${"word ".repeat(14).trim()}…`],
    ["x".repeat(100), `${"x".repeat(71)}…`],
  ])("%j", (direction, expected) => {
    expect(Prompt.title(direction)).toBe(expected);
  });

  test("property: one clean line of 1 to 72 characters that is its own title", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 300 }), (direction) => {
        const subject = Prompt.title(direction);
        expect(subject.length).toBeGreaterThan(0);
        expect(subject.length).toBeLessThanOrEqual(72);
        expect(subject).not.toMatch(/[\p{Cc}\p{Cf}]|^[#\-\s]/u);
        expect(subject.isWellFormed()).toBe(true);
        expect(Prompt.title(subject)).toBe(subject);
      }),
      { numRuns: 500 },
    );
  });
});

test("roles are those of contract 2.3", () => {
  expect(ROLES).toEqual({
    spec: { agent: "product-manager", guards: [] },
    test: { agent: "qa-engineer", guards: [] },
    impl: { agent: "dev-engineer", guards: [] },
    review: { agent: "reviewer", guards: ["spec-guard"] },
    heal: { agent: "dev-engineer", guards: [] },
  });
});
