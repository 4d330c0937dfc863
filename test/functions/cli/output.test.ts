import { describe, expect, it } from "vitest";
import { at, between, duration } from "../../../functions/cli/durations.ts";
import { fields, money, table, type Column } from "../../../functions/cli/output.ts";
import { lines, oneLine, safe } from "../../../functions/cli/text.ts";

describe("durations", () => {
  it.each([
    [null, "—"],
    [undefined, "—"],
    [Number.NaN, "—"],
    [-3, "0s"],
    [0, "0s"],
    [59.9, "59s"],
    [60, "1m0s"],
    [3599, "59m59s"],
    [3600, "1h0m"],
    [90_061, "25h1m"],
  ])("%s s are %s", (seconds, text) => expect(duration(seconds)).toBe(text));

  it("are taken between times of either kind, and unknown where one is missing", () => {
    expect(between("2026-01-31T09:30:00.000000Z", Date.UTC(2026, 0, 31, 9, 31, 5))).toBe("1m5s");
    expect(between(null, 5)).toBe("—");
    expect(between("None", 5)).toBe("—");
  });

  it("times are UTC, and never throw", () => {
    expect(at("2026-01-31T09:30:00.000000Z")).toBe("2026-01-31 09:30:00Z");
    expect([at(null), at("None"), at(1e300)]).toEqual(["—", "—", "—"]);
  });
});

describe("money", () => {
  it("that is unknown is not zero", () => {
    expect([null, undefined, 0, 0.0042, 1.5].map((usd) => money(usd))).toEqual([
      "unknown",
      "unknown",
      "$0.00",
      "$0.0042",
      "$1.50",
    ]);
  });
});

type Row = { id: string; model: string; what: string };
const columns: Column<Row>[] = [
  { head: "ID", of: (row) => row.id, width: "whole" },
  { head: "MODEL", of: (row) => row.model, drop: 1 },
  { head: "WHAT", of: (row) => row.what, width: "rest" },
];

describe("a table", () => {
  const rows = [{ id: "task_00112233445566aa", model: "gpt", what: "word ".repeat(1000) }];

  it("leaves columns out before it cuts an id", () => {
    expect(table(columns, rows, 80, "")).toContain("MODEL");
    const narrow = table(columns, rows, 42, "");
    expect(narrow).toContain("MODEL");
    const narrower = table(columns, rows, 41, "");
    expect(narrower).not.toContain("MODEL");
    for (const [text, width] of [
      [narrow, 42],
      [narrower, 41],
    ] as const)
      for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(width);
    expect(table(columns, rows, 5, "")).toContain("task_00112233445566aa");
  });

  it("leaves the rest out too where it may, before a line is longer than the terminal", () => {
    const some: Column<Row>[] = [
      { head: "ID", of: (row) => row.id, width: "whole" },
      { head: "MODEL", of: (row) => row.model, drop: 0 },
      { head: "WHAT", of: (row) => row.what, width: "rest", drop: 1 },
    ];
    expect(table(some, rows, 42, "")).toMatch(/^ID +MODEL +WHAT$/m);
    expect(table(some, rows, 41, "")).toMatch(/^ID +MODEL$/m);
    expect(table(some, rows, 24, "")).toMatch(/^ID\ntask_00112233445566aa$/m);
  });

  it("counts characters that take two cells as two", () => {
    const wide = table(columns, [{ id: "a", model: "m", what: "漢字".repeat(50) }], 40, "");
    const last = wide.split("\n").at(-1) ?? "";
    const cells = [...last].reduce((sum, c) => sum + (/[漢字]/.test(c) ? 2 : 1), 0);
    expect(cells).toBeLessThanOrEqual(40);
    expect(cells).toBeGreaterThan(30);
  });

  it("does not show a column that says nothing, and says when there are no rows", () => {
    expect(table(columns, [{ id: "a", model: "", what: "b" }], 80, "")).not.toContain("MODEL");
    expect(table(columns, [], 80, "No tasks.")).toBe("No tasks.");
  });
});

describe("fields", () => {
  it("stand under each other, values of several lines too", () => {
    expect(
      fields([
        ["A", "1\n2"],
        ["Long", 3],
        ["None", null],
      ]),
    ).toBe("A     1\n      2\nLong  3");
  });
});

describe("text from elsewhere", () => {
  it.each([
    ["\u001b[31mred\u001b[0m", "red"],
    ["\u001b]8;;http://evil\u0007link\u001b]8;;\u0007", "link"],
    ["\u009b31mx", "x"],
    ["a\u0008\u007fb", "ab"],
    ["\u202eabc\u2066", "abc"],
    ["one\r\ntwo\rthree\tfour", "one\ntwo\nthree\tfour"],
    ["\u001b", ""],
  ])("%j is printed as %j", (text, printed) => expect(safe(text)).toBe(printed));

  it("is one line where a line is wanted", () => {
    expect(oneLine(" a\u2028b\n\n\tc \u001b[2J")).toBe("a b c");
  });

  it("comes out in whole lines, whatever the pieces", () => {
    const text = "a\u001b[3" + "1mb\nlast \u001b[0" + "m.";
    for (let cut = 0; cut <= text.length; cut++) {
      const printable = lines();
      expect(printable.take(text.slice(0, cut)) + printable.take(text.slice(cut)) + printable.rest()).toBe(
        "ab\nlast .\n",
      );
    }
  });
});
