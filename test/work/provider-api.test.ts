import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import type { Reply } from "../support/models/reply.ts";
import { bench, call, done, KEY, NAMES, told, type Bench } from "./provider-api-helpers.ts";

let at: Bench;
afterEach(() => at.close());
const file = (path: string) => readFileSync(join(at.workspace.root, path), "utf8");

describe.each(NAMES)("a model works through its tools by %s", (protocol) => {
  test("it reads, searches, edits, writes, removes, tests, and its last message is the answer", async () => {
    at = await bench(
      protocol,
      [
        call("list", { pattern: "src" }),
        {
          kind: "functions",
          text: "I look.",
          calls: [
            { name: "read", args: { path: "src/greet.js" } },
            { name: "search", args: { text: "hello" } },
          ],
        },
        call("edit", { path: "src/greet.js", old: '"hello"', new: '"good day"' }),
        call("write", {
          path: "test/greet.test.js",
          content:
            'import assert from "node:assert";\nimport { test } from "node:test";\nimport { greet } from "../src/greet.js";\ntest("greets", () => assert.equal(greet(), "good day"));\n',
        }),
        call("remove", { path: "src/old.js" }),
        call("run_tests", {}),
        call("changes", {}),
        done("Done.\n\n```coherence-result\n{}\n```"),
      ],
      { "src/old.js": "export {};\n" },
    );
    const result = await at.run();
    expect(result, at.logged.join("\n")).toMatchObject({
      kind: "finished",
      output: "Done.\n\n```coherence-result\n{}\n```",
    });
    expect(file("src/greet.js")).toBe('export const greet = () => "good day";\n');
    expect(existsSync(join(at.workspace.root, "src/old.js"))).toBe(false);
    expect(at.server.requests).toHaveLength(8);
    // Each result came back to the model, in the protocol's own words.
    for (const part of [
      "src/greet.js:1: export",
      "1\\texport const greet",
      "Edited src/greet.js.",
      "Green (exit code 0)",
      "+export const greet",
    ])
      expect(told(at.server)).toContain(part);
    expect(at.logged).toEqual(expect.arrayContaining(["→ edit src/greet.js", "I look.", "→ run_tests {}"]));
    expect(at.logged.join("\n")).toMatch(/pass 1/);
  });

  test("usage is summed over all answers, and costs what the model's price says", async () => {
    at = await bench(protocol, [call("list", {}), done()]);
    const { usage } = await at.run();
    expect(usage).toMatchObject({ tokens_in: 2000, tokens_cached: 800, tokens_out: 100 });
    const { input, cached, output } = at.model.price ?? { input: NaN, cached: NaN, output: NaN };
    expect(usage.cost_usd).toBeCloseTo((1200 * input + 800 * cached + 100 * output) / 1e6, 12);
  });

  test("usage that the server does not say is unknown, not zero", async () => {
    at = await bench(protocol, [{ kind: "text", text: "Done.", usage: false }]);
    expect(await at.run()).toEqual({
      kind: "finished",
      output: "Done.",
      usage: { tokens_in: null, tokens_out: null, tokens_cached: null, cost_usd: null },
    });
  });

  test("the key is in no prompt, log, output or failure", async () => {
    at = await bench(protocol, [call("list", { pattern: KEY }), done(`The key is ${KEY}.`)]);
    if (at.row.credentials.length === 0) return;
    const result = await at.run();
    expect(at.server.requests[0]?.key).toBe(KEY);
    expect(JSON.stringify([result, at.logged])).not.toContain(KEY);
    expect(JSON.stringify(result)).toContain("The key is [masked].");
    expect(JSON.stringify(at.server.requests[0]?.body)).not.toContain(KEY);
  });
});

test("tokens written to the cache are a part of what was read, and cost what they cost", async () => {
  at = await bench("messages", [
    { kind: "text", text: "Done.", usage: { input: 1000, cached: 400, written: 300, output: 50 } },
  ]);
  const { usage } = await at.run();
  expect(usage).toMatchObject({ tokens_in: 1000, tokens_cached: 400, tokens_out: 50 });
  expect(usage.cost_usd).toBeCloseTo((300 * 0.1 + 400 * 0.01 + 300 * 0.125 + 50 * 0.5) / 1e6, 12);
});

test("what OpenRouter says that it charged outranks the price, and is there where none is known", async () => {
  const usage = { cost: 0.25 };
  const look: Reply = { kind: "function", name: "list", args: {}, usage };
  for (const price of [null, undefined]) {
    at = await bench("openrouter", [look, { kind: "text", text: "Done.", usage }]);
    const { usage: used } = await at.run({}, price === undefined ? {} : { price });
    expect(used).toMatchObject({ tokens_in: 2000, cost_usd: 0.5 });
    await at.close();
  }
});
