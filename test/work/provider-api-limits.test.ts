import { afterEach, describe, expect, test } from "vitest";
import { circleIn } from "../../core/work/provider/api/repetition.ts";
import { bench, call, done, NAMES, type Bench } from "./provider-api-helpers.ts";

import type { Reply } from "../support/models/reply.ts";

let at: Bench;
afterEach(() => at?.close());

const PRICE = { input: 1000, cached: 1000, written: 1000, output: 0, date: "2026-11-26", source: "a test" };

describe("limits of one run", () => {
  test("answers", async () => {
    at = await bench("chat", (_, n) => call("search", { text: `nothing ${n}` }));
    expect(await at.run({}, { limits: { turns: 3 } })).toMatchObject({
      kind: "failed",
      failure: { class: "bad_result", message: "The work was not done after 3 answers, the most of one run." },
      usage: { tokens_in: 3000 },
    });
    expect(at.server.requests).toHaveLength(3);
  });

  test("tokens", async () => {
    at = await bench("chat", (_, n) => call("search", { text: `nothing ${n}` }));
    expect(await at.run({}, { limits: { tokens: 2000 } })).toMatchObject({
      failure: {
        class: "bad_result",
        message: expect.stringMatching(/^The work was not done after 2100 tokens/) as string,
      },
    });
    expect(at.server.requests).toHaveLength(2);
  });

  test("tokens of one answer are told to the server, by each protocol", async () => {
    for (const protocol of NAMES) {
      at = await bench(protocol, [done()]);
      await at.run({}, { limits: { outputTokens: 1234 } });
      const body = at.server.requests[0]?.body ?? {};
      expect(body["max_tokens"] ?? body["max_output_tokens"], protocol).toBe(1234);
      if (protocol !== NAMES.at(-1)) await at.close();
    }
  });

  test("money: what was paid for is done, and nothing more is asked", async () => {
    at = await bench("chat", (_, n) => call("write", { path: `f${n}.txt`, content: "x" }));
    expect(await at.run({ budgetUsd: 1.5 }, { price: PRICE })).toMatchObject({
      failure: {
        class: "budget",
        message: "The budget of 1.5 USD is used up (2.0000 USD) and the work is not done.",
      },
      usage: { cost_usd: 2 },
    });
    expect(at.server.requests).toHaveLength(2);
    expect(await at.workspace.read("f2.txt")).toBe("x");
  });

  test("money that comes with the last answer is no failure", async () => {
    at = await bench("chat", [done()]);
    expect(await at.run({ budgetUsd: 0.5 }, { price: PRICE })).toMatchObject({ kind: "finished" });
  });

  test("the window: a conversation that outgrows it is not sent again", async () => {
    at = await bench("chat", [{ kind: "function", name: "list", args: {}, usage: { input: 31_990 } }, done()]);
    expect(await at.run()).toMatchObject({
      failure: { class: "context_length", message: "The conversation outgrew the window of 32000 tokens." },
    });
    expect(at.server.requests).toHaveLength(1);
  });
});

describe("going round in circles", () => {
  test("the same call with the same result", async () => {
    at = await bench("chat", () => call("list", {}));
    expect(await at.run()).toMatchObject({
      failure: {
        class: "bad_result",
        message: "The model went round in circles: the same call with the same results.",
      },
    });
    expect(at.server.requests).toHaveLength(4);
  });

  test("calls that alternate", async () => {
    at = await bench("chat", (_, n) => call("search", { text: n % 2 ? "one" : "two" }));
    expect(await at.run()).toMatchObject({
      failure: { message: "The model went round in circles: the same 2 calls with the same results." },
    });
    expect(at.server.requests).toHaveLength(8);
  });

  test("the same test run is a circle though its times differ", async () => {
    at = await bench("chat", () => call("run_tests", {}), {
      "test/a.test.js": 'import { test } from "node:test";\ntest("a", () => {});\n',
    });
    expect(await at.run()).toMatchObject({ failure: { message: expect.stringMatching(/circles/) as string } });
  });

  test("other results are progress", () => {
    expect(circleIn(["a", "a", "a"])).toBeNull();
    expect(circleIn(["a", "a", "a", "b"])).toBeNull();
    expect(circleIn(["x", "a", "a", "a", "a"])).toBe(1);
    expect(circleIn(["a", "b", "c", "a", "b", "c", "a", "b", "c", "a", "b", "c"])).toBe(3);
    expect(circleIn([])).toBeNull();
  });
});

describe.each(NAMES)("a pause by %s", (protocol) => {
  test("it ends after the step under way, and goes on without paying for it again", async () => {
    const stop = new AbortController();
    at = await bench(protocol, (_, n) => {
      if (n === 2) stop.abort();
      return [call("list", {}), call("write", { path: "made.txt", content: "x" })][n - 1] ?? done();
    });
    const first = await at.run({ stopBy: stop.signal });
    expect(first).toMatchObject({ kind: "continue", usage: { tokens_in: 2000 } });
    if (first.kind !== "continue") throw new Error("no pause");
    expect(at.server.requests).toHaveLength(2);
    expect(await at.workspace.read("made.txt")).toBe("x");

    const saved: unknown = JSON.parse(JSON.stringify(first.saved));
    expect(saved).toEqual(first.saved); // plain JSON
    expect(saved).toMatchObject({ turns: 2, tokens: 2100 });
    const second = await at.run({ resume: saved });
    // The third request alone, with all that was said before; its usage is of this part.
    expect(second).toMatchObject({ kind: "finished", output: "It is done.", usage: { tokens_in: 1000 } });
    expect(at.server.requests).toHaveLength(3);
    const body = JSON.stringify(at.server.requests[2]?.body);
    for (const part of ["Do the work.", "src/greet.js", "Wrote made.txt."]) expect(body).toContain(part);
  });
});

describe.each(NAMES)("over a pause by %s", (protocol) => {
  const THOUGHT = { text: "Let me look first.", signature: "c2lnbmF0dXJl/+==" };
  const script = (_: unknown, n: number): Reply =>
    [
      {
        kind: "functions",
        text: "I look.",
        thinking: THOUGHT,
        calls: [
          { name: "list", args: { pattern: "src" }, id: "call_A-1" },
          { name: "read", args: { path: "src/greet.js" } },
        ],
      } as const,
      {
        kind: "functions",
        thinking: { text: "Now I know.", signature: "second" },
        calls: [{ name: "search", args: { text: "hello" } }],
      } as const,
    ][n - 1] ?? done();

  test("what a model thought, its signature and the ids of its calls are sent back as they came", async () => {
    at = await bench(protocol, script);
    expect(await at.run()).toMatchObject({ kind: "finished" });
    const whole = at.server.requests.map(({ body }) => body);
    await at.server.close();

    at = await bench(protocol, script);
    let result = await at.run({ stopBy: AbortSignal.abort() });
    for (let parts = 0; result.kind === "continue" && parts < 5; parts++) {
      const saved: unknown = JSON.parse(JSON.stringify(result.saved));
      result = await at.run({ stopBy: AbortSignal.abort(), resume: saved });
    }
    expect(result).toMatchObject({ kind: "finished" });
    // To the last character as if nothing had been saved in between.
    expect(at.server.requests.map(({ body }) => body)).toEqual(whole);

    const last = JSON.stringify(whole[2]);
    // Chat completions know no signatures.
    const signatures = protocol === "chat" ? [] : [THOUGHT.signature, "second"];
    for (const part of [...signatures, "call_A-1"]) expect(last).toContain(part);
    if (protocol !== "responses") expect(last).toContain(THOUGHT.text);
    if (protocol === "messages") {
      const messages = whole[1]?.["messages"] as { role: string; content: object[] }[];
      expect(messages.find((message) => message.role === "assistant")?.content).toMatchObject([
        { type: "thinking", thinking: THOUGHT.text, signature: THOUGHT.signature },
        { type: "text", text: "I look." },
        { type: "tool_use", id: "call_A-1", name: "list", input: { pattern: "src" } },
        { type: "tool_use", id: "toolu_1_1" },
      ]);
    }
    if (protocol === "responses") {
      const input = whole[1]?.["input"] as object[];
      const reasoning = { type: "reasoning", encrypted_content: THOUGHT.signature };
      expect(input).toContainEqual(expect.objectContaining(reasoning));
      expect(input).toContainEqual(expect.objectContaining({ type: "function_call", call_id: "call_A-1" }));
    }
  });
});

test("counters go on over a pause", async () => {
  at = await bench("chat", (_, n) => call("search", { text: `nothing ${n}` }));
  const stop = AbortSignal.abort();
  const first = await at.run({ stopBy: stop });
  expect(first.kind).toBe("continue");
  const saved = first.kind === "continue" ? first.saved : undefined;
  expect(await at.run({ resume: saved }, { limits: { turns: 2 } })).toMatchObject({
    failure: { message: "The work was not done after 2 answers, the most of one run." },
  });
});

test("what is no conversation of ours is not gone on from", async () => {
  at = await bench("chat", [done()]);
  expect(await at.run({ resume: { over_ms: 3 } })).toMatchObject({ failure: { class: "internal" } });
  expect(at.server.requests).toHaveLength(0);
});
