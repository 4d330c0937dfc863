import { existsSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { CASES } from "./support/failover.ts";

const doc = readFileSync(new URL("../docs/FAILURE-GUARDS.md", import.meta.url), "utf8");
const rows = [...doc.matchAll(/^\| (\d+) \|[^|]*\| (.*) \|$/gm)].map(([, number, guard]) => ({
  number: Number(number),
  guards: [...(guard ?? "").matchAll(/`(test\/[^`]+)` › \*([^*]+)\*/g)].map(([, file, title]) => ({
    file: file ?? "",
    title: (title ?? "").trim(),
  })),
}));

/** Whether a file has a test or group that runs whose title has these words: in its call, or in the table of its cases. */
function hasTest(file: string, title: string): boolean {
  const lines = readFileSync(file, "utf8").split("\n");
  return lines.some((line, i) => {
    if (!line.includes(title) || /^\s*(\/\/|\*)/.test(line)) return false;
    const call = lines.slice(Math.max(0, i - 3), i + 1).join("\n");
    return /\b(it|test|describe)\b/.test(call) && !/\b(it|test|describe)\.(skip|todo)\b/.test(call);
  });
}

it("every failure of what is built has a guard that exists and runs", () => {
  const wanted = [...Array.from({ length: 40 }, (_, i) => i + 1), 44, 45, 48, 49, 50, 54, 55];
  expect(rows.map((row) => row.number)).toEqual(expect.arrayContaining(wanted));
  for (const { number, guards } of rows) {
    expect(guards.length, `${number} names no test`).toBeGreaterThan(0);
    for (const { file, title } of guards) {
      expect(existsSync(file), `${number}: there is no ${file}`).toBe(true);
      expect(hasTest(file, title), `${number}: ${file} has no "${title}"`).toBe(true);
    }
  }
});

it("the sixteen ways a provider fails are those that are tried", () => {
  const listed = [...(doc.split("## Routing")[1] ?? "").matchAll(/^- (.*)$/gm)].map(([, name]) => name);
  expect(listed).toEqual(CASES.map((one) => one.name));
  expect(listed).toHaveLength(16);
});
