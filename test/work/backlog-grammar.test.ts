import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  check,
  decode,
  defaultSpecPath,
  isId,
  MAX_PROBLEMS,
  MAX_TEXT,
  parse,
  specPathOf,
} from "../../core/work/backlog/grammar.ts";
import { holding, short, words, line } from "./backlog-grammar-support.ts";

const lines = fc.uniqueArray(line, { maxLength: 30, selector: (one) => one.id ?? {} });
const render = (all: { text: string; id?: string | undefined; number: number }[]) =>
  all.map((one) => `${one.number}. ${one.text}${one.id === undefined ? "" : ` {#${one.id}}`}`).join("\n");

describe("lines", () => {
  test("numbered lines are items in file order, everything else is skipped", () => {
    const text = "# Title\n\nProse.\n- bullet\n* bullet\n7. first\n  3. second  \n> 9. quoted\n7.   third\n";
    const { items, problems } = parse(text);
    expect(problems).toEqual([]);
    expect(items.map(({ text, line, number, rank }) => ({ text, line, number, rank }))).toEqual([
      { text: "first", line: 6, number: 7, rank: 0 },
      { text: "second", line: 7, number: 3, rank: 1 },
      { text: "third", line: 9, number: 7, rank: 2 },
    ]);
  });

  test("CRLF, CR and a byte order mark change nothing", () => {
    const unix = "## A\n1. one {#a}\n2. two\n";
    expect(parse(`\uFEFF${unix.replaceAll("\n", "\r\n")}`)).toEqual(parse(unix));
    expect(parse(unix.replaceAll("\n", "\r"))).toEqual(parse(unix));
    expect(parse("\uFEFF1. one").items.map((item) => item.text)).toEqual(["one"]);
  });

  test("fenced code blocks are not read, inline code is no fence", () => {
    const text =
      "1. a\n```sh\n2. no\n~~~\n```\n~~~\n3. no\n```\n~~~~\n```one line```\n4. b\n````\n5. no\n```\n````\n6. c";
    const { items, problems } = parse(text);
    expect(problems).toEqual([]);
    expect(items.map((item) => item.text)).toEqual(["a", "b", "c"]);
  });

  test("a code block that never ends is a problem: the items after it would look retired", () => {
    expect(check("1. a\n```\n2. b\n")).toMatchObject([{ line: 2, message: holding("never ends") }]);
  });

  test("text after an arrow stays in the item's text", () => {
    const text = "**Bold:** do `x` → spec [045-a.md](045-a.md)";
    expect(parse(`1. ${text}`).items[0]).toMatchObject({ text, id: short(text), explicit: false });
  });
});

describe("phases", () => {
  test("the nearest header is the phase, and its number is read", () => {
    const text = [
      "0. before",
      "## Phase 6: Product-Critical",
      "1. six",
      "### GitHub ###",
      "2. still six",
      "### Phase 8 polish",
      "3. eight",
      "#### deeper is no phase",
      "4. still eight",
      "## Phase 7: Remaining Specs & Polish",
      "5. seven",
      "## Items about C#",
      "6. none",
      "# New title",
      "7. no phase",
      "##no header",
      "8. no phase either",
    ].join("\n");
    expect(parse(text).items.map((item) => [item.phase, item.phaseNumber])).toEqual([
      [null, null],
      ["Phase 6: Product-Critical", 6],
      ["GitHub", 6],
      ["Phase 8 polish", 8],
      ["Phase 8 polish", 8],
      ["Phase 7: Remaining Specs & Polish", 7],
      ["Items about C#", null],
      [null, null],
      [null, null],
    ]);
  });
});

describe("problems", () => {
  test.each(["3) do it", "3.do it", "3.", "3 do it", "2026-02-19 was a day", "1.5 times", "4: it"])(
    "%j starts with a number and is no item",
    (text) => {
      expect(parse(`1. fine\n${text}\n`)).toMatchObject({ items: [{ text: "fine" }], problems: [{ line: 2 }] });
    },
  );

  test("an item of 5 000 characters is taken, of 5 001 reported and left out", () => {
    expect(check(`1. ${"x".repeat(MAX_TEXT)} {#a}`)).toEqual([]);
    expect(parse(`1. ${"x".repeat(MAX_TEXT + 1)}\n2. b`)).toMatchObject({
      items: [{ text: "b" }],
      problems: [{ line: 1, message: holding("5001"), remedy: holding("spec") }],
    });
  });

  test("an item that is only an id has no text", () => {
    expect(parse("1. {#a}")).toMatchObject({ items: [], problems: [{ line: 1 }] });
  });

  test("0 bytes and only prose: no items, one problem with its remedy", () => {
    for (const text of ["", "\n\n", "\uFEFF", "# Title\nProse only\n- bullet\n"]) {
      expect(parse(text)).toMatchObject({ items: [], problems: [{ line: 0, remedy: holding("1. ") }] });
    }
  });

  test("binary: one clear problem, whatever else is in it", () => {
    const bytes = Uint8Array.from([0x7f, 0x45, 0x4c, 0x46, 0, 10, 0x31, 0x2e, 0x20, 0x61, 10]);
    expect(parse(decode(bytes))).toMatchObject({ items: [], problems: [{ message: holding("NUL") }] });
    expect(check(decode(Buffer.from("1. a\n2. b", "utf16le")))).toHaveLength(1);
  });

  test("Latin-1 is reported once, at its first item, and makes no item", () => {
    const text = decode(Buffer.from("1. gr\xfcn\n2. fine\n3. \xfcber\nprose \xfc\n", "latin1"));
    expect(parse(text)).toMatchObject({ items: [{ text: "fine" }], problems: [{ line: 1 }] });
    expect(parse(decode(Buffer.from("1. grün → 日本\n"))).problems).toEqual([]);
  });

  test("problems come in the order of lines, at most 100 and a count of the rest", () => {
    const problems = check(Array.from({ length: 250 }, (_, i) => `${i})`).join("\n"));
    expect(problems).toHaveLength(MAX_PROBLEMS + 1);
    expect(problems.at(-1)).toMatchObject({ line: 0, message: "and 150 more" });
    expect(check("1. a {#x}\n2)\n3. b {#x}\n4)").map((one) => one.line)).toEqual([2, 3, 4]);
  });
});

describe("size", () => {
  // The limit is against a fall into quadratic time; measured about 0.4 s.
  test("100 000 lines", { timeout: 20_000 }, () => {
    const { items, problems } = parse(Array.from({ length: 100_000 }, (_, i) => `${i}. item number ${i}`).join("\n"));
    expect(problems).toEqual([]);
    expect(new Set(items.map((item) => item.id)).size).toBe(100_000);
  });

  test.each([
    ["one text 100 000 times", "1. same\n".repeat(100_000)],
    ["one line of 5 MB", `1. ${"a {# ".repeat(1_000_000)}`],
    ["spaces", `1.${" ".repeat(2_000_000)}`],
    ["hashes", `## ${"# ".repeat(1_000_000)}`],
    ["fences", "```\n".repeat(100_001)],
  ])("%s ends", { timeout: 20_000 }, (_, text) => {
    expect(() => parse(text)).not.toThrow();
  });
});

describe("properties", () => {
  test("parse is total, ids are unique and ids, ranks are the order", () => {
    const soup = fc.string({ unit: fc.constantFrom(..."01. \t\n\r#`~{}#→-a\0\uFEFF\uFFFD\uD800é") });
    fc.assert(
      fc.property(fc.oneof(soup, fc.string({ unit: "binary" }), lines.map(render)), (text) => {
        const { items, problems } = parse(text);
        expect(new Set(items.map((item) => item.id)).size).toBe(items.length);
        expect(items.map((item) => item.rank)).toEqual(items.map((_, rank) => rank));
        for (const item of items) {
          expect(isId(item.id)).toBe(true);
          expect(item.text.length).toBeGreaterThan(0);
          expect(item.text.length).toBeLessThanOrEqual(MAX_TEXT);
          const path = specPathOf(item.text) ?? defaultSpecPath(item.id, item.text);
          expect(path).not.toMatch(/^\/|\\|(^|\/)\.|\/\/|\0/);
          expect(path).toMatch(/\.md$/);
        }
        if (items.length === 0) expect(problems.length).toBeGreaterThan(0);
      }),
      { numRuns: 2_000 },
    );
  });

  test("any bytes are read", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void parse(decode(bytes))));
  });

  test("FAILURES 6: identity was the line's position: re-ordering, renumbering, prose and headers between change no id", () => {
    const shuffled = lines.chain((all) =>
      fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }), fc.array(fc.nat(9_999))),
    );
    fc.assert(
      fc.property(shuffled, ([before, after, numbers]) => {
        const moved = after.map((one, i) => ({ ...one, number: numbers[i] ?? i }));
        const strewn = render(moved).split("\n").join("\n\n## Phase 3: x\n- prose\n");
        const pairs = (text: string) => parse(text).items.map((item) => `${item.id} ${item.text}`);
        expect(pairs(strewn).sort()).toEqual(pairs(render(before)).sort());
      }),
      { numRuns: 500 },
    );
  });

  test("identity-was-the-position: a line put in or taken out changes no other id", () => {
    const inserted = fc.tuple(fc.uniqueArray(words, { minLength: 1, maxLength: 20 }), words, fc.nat(20));
    fc.assert(
      fc.property(inserted, ([texts, extra, place]) => {
        fc.pre(!texts.includes(extra));
        const numbered = (all: string[]) => all.map((text, i) => `${i + 1}. ${text}`).join("\n");
        const before = parse(numbered(texts)).items;
        const after = parse(numbered(texts.toSpliced(place, 0, extra))).items;
        expect(after.filter((item) => item.text !== extra).map((item) => item.id)).toEqual(
          before.map((item) => item.id),
        );
      }),
    );
  });
});

describe("the spec of an item", () => {
  test.each([
    ["do it → spec [045-a.md](045-a.md)", "specs/045-a.md"],
    ["do it -> spec [a](../specs/045-a.md#top)", "specs/045-a.md"],
    ['do it → spec [a](../../docs/b.md "title")', "docs/b.md"],
    ["do it → spec [a](./specs/c.md)", "specs/c.md"],
    ["→ spec [a](a.md) then → spec [b](b.md)", "specs/b.md"],
    ["specs/029-github.md — wire it", "specs/029-github.md"],
    ["see `specs/sub/x.md`, and more", "specs/sub/x.md"],
    ["Implement spec 027: update", null],
    ["nothing", null],
    ["→ spec [a](/etc/passwd.md)", null],
    ["→ spec [a](../a/../../b.md)", null],
    ["→ spec [a](https://example.org/a.md)", null],
    ["→ spec [a](C:\\a.md)", null],
    ["→ spec [a](.git/hooks/x.md)", null],
    ["→ spec [a](../.coherence/prompts/impl.md)", null],
    ["→ spec [a](%2e%2e/a.md)", null],
    ["→ spec [a](specs/a.ts)", null],
    ["→ spec [a]()", null],
    ["specs/../../x.md", null],
  ])("%s", (text, path) => {
    expect(specPathOf(text)).toBe(path);
  });

  test("without a name: the id and the first words", () => {
    expect(defaultSpecPath("a1", "**Add** a Légende: to the `chart`, quickly and well → spec [x](/x.md)")).toBe(
      "specs/a1-add-a-legende-to-the-chart.md",
    );
    expect(defaultSpecPath("a1", "日本")).toBe("specs/a1.md");
    expect(defaultSpecPath("a1", "x".repeat(4_000))).toBe(`specs/a1-${"x".repeat(48)}.md`);
  });
});

describe("the repository's own backlogs", () => {
  const own = (name: string) => parse(readFileSync(new URL(`../../specs/${name}`, import.meta.url), "utf8"));

  test("006 is clean, with 2 items in phase 6 and 17 in phase 7, each with its own id", () => {
    const { items, problems } = own("006-overnight-backlog.md");
    expect(problems).toEqual([]);
    expect(items.filter((item) => item.phaseNumber === 6)).toHaveLength(2);
    expect(items.filter((item) => item.phaseNumber === 7)).toHaveLength(17);
    expect(items).toHaveLength(19);
    expect(items.every((item) => item.explicit)).toBe(true);
  });

  test("007 is clean, with 18 items", () => {
    const { items, problems } = own("007-meta-pipeline-backlog.md");
    expect(problems).toEqual([]);
    expect(items.map((item) => item.number)).toEqual(Array.from({ length: 18 }, (_, i) => i + 1));
    expect(specPathOf(items[0]?.text ?? "")).toBe("specs/045-effectiveness-plan-progress-phase-6-7.md");
  });
});
