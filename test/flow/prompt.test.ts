import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CoherenceError } from "../../core/ground/errors.ts";
import { sha256 } from "../../core/ground/id.ts";
import * as Prompt from "../../core/flow/prompt/index.ts";
import { ROLES } from "../../core/work/task/index.ts";
import { TYPES, input } from "./prompt-support.ts";

function withDirection(direction: string, more: Partial<Prompt.Input> = {}): Prompt.Input {
  return input("impl", { ...more, task: { id: "task_1", type: "impl", direction, attempt: 1 } });
}

const item = { backlog: "006", id: "export", text: "Export the ledger as CSV.", phase: "impl", round: 0 } as const;

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
