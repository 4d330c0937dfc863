import { createServer, type ServerResponse } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { CLASS_RULES } from "../../core/work/provider/index.ts";
import { bench, call, done, KEY, NAMES, settingsFor, told, type Bench } from "./provider-api-helpers.ts";
import type { Called, Reply } from "../support/models/reply.ts";

/** A model server, or something before it, that answers what it should not. */

let at: Bench;
afterEach(() => at.close());

const raw = (status: number, body: string | object = "", headers: Record<string, string> = {}): Reply => ({
  kind: "raw",
  status,
  headers: { "content-type": typeof body === "string" ? "text/html" : "application/json", ...headers },
  body: typeof body === "string" ? body : JSON.stringify(body),
});
const page = (title: string) => `<html><head><title>${title}</title></head><body><h1>${title}</h1></body></html>`;
const error = (error: object) => ({ type: "error", error: { message: "planted", ...error } });
const LIMIT = { type: "rate_limit_error" };

/** What is answered, the class it gets, and what that class cools down. */
const TABLE: [string, Reply, string, "model" | "credential" | "none", object?][] = [
  ["a proxy's page for 400", raw(400, page("Bad Request")), "bad_request", "none"],
  ["a proxy's page for 403", raw(403, page("Forbidden")), "payment", "credential", { message: "Forbidden" }],
  ["a proxy's page for 502", raw(502, page("Bad Gateway")), "overloaded", "model", { message: "Bad Gateway" }],
  ["a proxy's page for 504", raw(504, page("Gateway Time-out")), "overloaded", "model"],
  ["a proxy's page for 413", raw(413, page("Request Entity Too Large")), "context_length", "none"],
  ["408", raw(408, error({ type: "timeout" })), "stalled", "model", { status: 408 }],
  ["409", raw(409, error({ type: "conflict" })), "overloaded", "model", { status: 409 }],
  ["425", raw(425), "overloaded", "model"],
  ["529 without a body", raw(529), "overloaded", "model", { status: 529 }],
  ["an unknown status", raw(599, "?"), "overloaded", "model"],
  ["418", raw(418, error({})), "bad_request", "none"],
  ["301", raw(301, "", { location: "https://example.com/v1" }), "model_not_found", "model", { status: 301 }],
  ["307", raw(307, "", { location: "/elsewhere" }), "model_not_found", "model", { status: 307 }],
  ["308 without a place", raw(308), "model_not_found", "model"],
  ["200 with an error of a known type", raw(200, error(LIMIT)), "rate_limit", "model"],
  ["200 with a status as the error's code", raw(200, error({ code: 402 })), "payment", "credential", { status: 402 }],
  ["200 with an error of no known type", raw(200, error({ type: "odd" })), "stalled", "model"],
  ["200 with a page", raw(200, page("Welcome")), "stalled", "model", { message: /^The server answered with text\/html/ }],
  ["200 with a whole answer", raw(200, { choices: [{ message: { content: "Hi" } }] }), "stalled", "model"],
  ["200 with nothing", raw(200, "", { "content-type": "text/event-stream" }), "stalled", "model"],
  ["204", raw(204), "stalled", "model"],
  ["429 and Retry-After in seconds", raw(429, error(LIMIT), { "retry-after": "7" }), "rate_limit", "model", { retry_after_ms: 7000 }],
  ["429 and Retry-After as words", raw(429, error(LIMIT), { "retry-after": "in 5 minutes" }), "rate_limit", "model", { retry_after_ms: undefined }],
  ["429 and Retry-After below zero", raw(429, error(LIMIT), { "retry-after": "-5" }), "rate_limit", "model", { retry_after_ms: undefined }],
  ["429 and Retry-After of an old date", raw(429, error(LIMIT), { "retry-after": "Wed, 21 Oct 2015 07:28:00 GMT" }), "rate_limit", "model", { retry_after_ms: 0 }],
  ["an error after some text", { kind: "error", text: "I be", type: "rate_limit_error" }, "rate_limit", "model"],
  ["an unknown finish reason", { kind: "text", text: "I be", finish: "unheard-of" }, "stalled", "model"],
  ["an empty answer", { kind: "text", text: "  \n" }, "stalled", "model", { message: "The answer ended and said nothing." }],
]; // prettier-ignore

describe.each(NAMES)("each gets its class, by %s", (protocol) => {
  test.each(TABLE)("%s: %3$s", async (_, reply, name, scope, more = {}) => {
    at = await bench(protocol, [reply]);
    const result = await at.run();
    if (result.kind !== "failed") throw new Error(`not failed: ${JSON.stringify(result)}`);
    const { failure } = result;
    expect({ class: failure.class, scope: CLASS_RULES[failure.class].scope }, JSON.stringify(failure)).toEqual({
      class: name,
      scope,
    });
    for (const [field, wanted] of Object.entries(more)) {
      const found = failure[field as keyof typeof failure];
      if (wanted instanceof RegExp) expect(found).toMatch(wanted);
      else expect(found).toEqual(wanted);
    }
    expect(failure.message).not.toMatch(/[<>]/);
    expect(failure.message).not.toBe("");
    expect(at.server.requests).toHaveLength(1);
  });

  test("Retry-After as a date", async () => {
    const date = new Date(Date.now() + 60_000).toUTCString();
    at = await bench(protocol, [raw(429, error(LIMIT), { "retry-after": date })]);
    const result = await at.run();
    const ms = result.kind === "failed" ? result.failure.retry_after_ms : undefined;
    expect(ms).toBeGreaterThan(30_000);
    expect(ms).toBeLessThanOrEqual(60_000);
  });
});

describe("the end of a stream of chat completions", () => {
  const chunk = (delta: object, finish_reason: string | null = null) =>
    `data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", created: 1, model: "m", choices: [{ index: 0, delta, finish_reason }] })}\n\n`;
  const DONE = "data: [DONE]\n\n";
  const text = chunk({ role: "assistant", content: "It is done." });
  const asks = chunk({
    role: "assistant",
    tool_calls: [
      { index: 0, id: "c1", type: "function", function: { name: "remove", arguments: '{"path":"src/greet.js"}' } },
    ],
  });
  const stream = (body: string) => raw(200, body, { "content-type": "text/event-stream" });

  describe.each(["chat", "openrouter"])("by %s", (protocol) => {
    test.each([
      ["the marker alone", DONE],
      ["the marker without a reason", text + DONE],
      ["the marker without a reason, after a call", asks + DONE],
      ["neither", text],
      ["neither, after a call", asks],
      ["a reason and no content", chunk({}, "stop") + DONE],
      ["a reason for calls and none", chunk({}, "tool_calls") + DONE],
      ["comments alone", ": hello\n\n: hello\n\n"],
      ["the marker twice, and rubbish", `${DONE}data: nonsense\n\n${DONE}`],
    ])("%s: no success, and no call is carried out", async (_, body) => {
      at = await bench(protocol, [stream(body)]);
      expect(await at.run()).toMatchObject({ kind: "failed", failure: { class: "stalled" } });
      expect(await at.workspace.read("src/greet.js")).toContain("hello");
      expect(at.server.requests).toHaveLength(1);
    });

    test("a reason without the marker is an end", async () => {
      at = await bench(protocol, [stream(text + chunk({}, "stop"))]);
      expect(await at.run()).toMatchObject({ kind: "finished", output: "It is done." });
    });
  });
});

describe.each(NAMES)("calls by %s", (protocol) => {
  const asks = (...calls: Called[]): Reply => ({ kind: "functions", calls });
  let text = 0;
  const look = (id: string): Called => ({ name: "search", args: { text: `text ${text++}` }, id });

  test("more than the most of one answer: the rest is not done, and the model is told", async () => {
    const many = Array.from({ length: 70 }, (_, i) => ({
      name: "write",
      args: { path: `many/${i}.txt`, content: "x" },
    }));
    at = await bench(protocol, [asks(...many), done()], {});
    expect(await at.run()).toMatchObject({ kind: "finished" });
    expect(await at.workspace.list("many")).toHaveLength(64);
    expect(told(at.server).split("only the first 64 calls").length - 1).toBe(6);
  });

  test("the same id twice, in one answer and in the next: each call has its result", async () => {
    at = await bench(protocol, [asks(look("x"), look("x"), look("y")), asks(look("x")), done()]);
    expect(await at.run()).toMatchObject({ kind: "finished" });
    const body = told(at.server);
    const ids = [...body.matchAll(/"(?:tool_use_id|tool_call_id)":"([^"]+)"|"call_id":"([^"]+)","output"/g)];
    const results = ids.map(([, one, other]) => one ?? other);
    expect(results).toHaveLength(4);
    expect(new Set(results).size).toBe(results.length);
    for (const id of results) expect(body.split(JSON.stringify(id)).length - 1).toBe(2);
  });

  test("what is no call of a tool of ours, or has no arguments for it, is told and nothing is thrown", async () => {
    at = await bench(protocol, [
      asks(
        { name: "no_such_tool", args: {} },
        { name: "__proto__", args: {} },
        { name: "constructor", args: {} },
        { name: "read", args: {}, raw: '{"path": "src/gr' },
        { name: "read", args: {}, raw: "not json" },
        { name: "read", args: [1, 2] },
        { name: "read", args: null },
        { name: "read", args: { path: { deep: [] } } },
        { name: "write", args: { path: "b.txt", content: 7 } },
        { name: "list", args: { pattern: "a\0b" } },
        { name: "search", args: { text: "x", pattern: ["*"] } },
        { name: "read", args: { path: "src/greet.js", __proto__: { x: 1 } } },
      ),
      done(),
    ]);
    expect(await at.run(), at.logged.join("\n")).toMatchObject({ kind: "finished" });
    expect(at.logged.filter((line) => /^(?:✗|\[refused\]) /.test(line)).length).toBeGreaterThanOrEqual(10);
    expect(told(at.server)).toContain("There is no tool no_such_tool");
    expect(told(at.server)).toContain("There is no tool constructor");
  });

  test("arguments of a megabyte are refused, those of many end the answer", async () => {
    const write = (length: number) => call("write", { path: "big.txt", content: "x".repeat(length) });
    at = await bench(protocol, [write(1_000_000), write(3_000_000)]);
    const result = await at.run();
    expect(told(at.server)).toContain("Not the arguments of write");
    expect(told(at.server).length).toBeLessThan(1_200_000);
    expect(result).toMatchObject({ kind: "failed", failure: { class: "stalled" } });
  });
});

describe.each(NAMES)("an answer is bounded on its way in, by %s", (protocol) => {
  /** The heap in MiB at its highest while something is done. */
  async function heapOf<T>(act: () => Promise<T>): Promise<{ result: T; grew: number }> {
    const before = process.memoryUsage().rss;
    let most = before;
    const look = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), 20);
    const result = await act();
    clearInterval(look);
    return { result, grew: (most - before) / 2 ** 20 };
  }
  const STREAM = { "content-type": "text/event-stream" };

  test.each<[string, { status: number; headers: Record<string, string>; body: string; piece: string }, string]>([
    ["one line without an end", { status: 200, headers: STREAM, body: "data: ", piece: "x".repeat(65_536) }, "stalled"],
    ["comments", { status: 200, headers: STREAM, body: "", piece: `: ${"x".repeat(60_000)}\n\n` }, "stalled"],
    ["an error's body", { status: 429, headers: {}, body: '{"error":{', piece: "x".repeat(65_536) }, "rate_limit"],
    [
      "a page",
      { status: 200, headers: { "content-type": "text/html" }, body: "", piece: "x".repeat(65_536) },
      "stalled",
    ],
  ])("%s that never ends", async (_, reply, name) => {
    at = await bench(protocol, [{ kind: "endless", ...reply }]);
    const { result, grew } = await heapOf(() => at.run());
    expect(result).toMatchObject({ kind: "failed", failure: { class: name } });
    expect(at.server.sent()).toBeLessThan(100 * 2 ** 20);
    expect(grew).toBeLessThan(300);
  });

  test("an answer that is never whole", async () => {
    at = await bench(protocol, [{ kind: "stall", text: "I be" }]);
    expect(await at.run({}, { limits: { answerMs: 300 } })).toMatchObject({
      failure: { class: "stalled", message: "The answer was not whole within 0.3 s." },
    });
  });

  test("an error's body that never comes to its end is not waited for", async () => {
    at = await bench(protocol, [
      { kind: "endless", status: 429, body: '{"error":{"type":"insufficient_quota"', piece: "" },
    ]);
    expect(await at.run()).toMatchObject({ kind: "failed", failure: { class: "rate_limit", status: 429 } });
  });
});

describe("text, thinking and arguments without an end", () => {
  const head = { id: "c", object: "chat.completion.chunk", created: 1, model: "m" };
  const piece = (delta: object) =>
    `data: ${JSON.stringify({ ...head, choices: [{ index: 0, delta, finish_reason: null }] })}\n\n`;
  const x = "x".repeat(2000);
  test.each([
    ["text", "", piece({ content: x })],
    ["thinking", "", piece({ reasoning_content: x })],
    [
      "arguments",
      piece({
        tool_calls: [{ index: 0, id: "c1", type: "function", function: { name: "write", arguments: '{"content":"' } }],
      }),
      piece({ tool_calls: [{ index: 0, function: { arguments: x } }] }),
    ],
  ])("%s", async (_, body, more) => {
    at = await bench("chat", [
      { kind: "endless", status: 200, headers: { "content-type": "text/event-stream" }, body, piece: more },
    ]);
    const result = await at.run();
    expect(result).toMatchObject({
      kind: "failed",
      failure: { class: "stalled", message: "The answer had more than 2000000 characters: it was cut off." },
    });
    expect(at.server.sent()).toBeLessThan(30 * 2 ** 20);
  });
});

describe.each(NAMES)("a redirect is not followed, by %s", (protocol) => {
  test("the key goes nowhere else, and the setting is named", async () => {
    const seen: string[] = [];
    const thief = createServer((request, answer: ServerResponse) => {
      seen.push(JSON.stringify(request.headers));
      answer.end("{}");
    }).listen(0, "127.0.0.1");
    await once(thief, "listening");
    const place = `http://127.0.0.1:${(thief.address() as AddressInfo).port}/v1/steal?key=1`;
    try {
      for (const status of [301, 302, 303, 307, 308]) {
        at = await bench(protocol, [raw(status, "", { location: place })]);
        const result = await at.run();
        expect(result).toMatchObject({
          kind: "failed",
          failure: {
            class: "model_not_found",
            message: `The server answered ${status}, a redirect, which is not followed: ${at.row.baseUrl.setting} has to be where it leads.`,
          },
        });
        await at.server.close();
      }
      expect(seen).toEqual([]);
    } finally {
      thief.close();
    }
  });

  test("user, password, query and fragment of a base URL are neither sent nor shown", async () => {
    at = await bench(protocol, [raw(500, page("Oh"))]);
    const secret = `${at.server.url.replace("//", "//someone:p@ssw0rd@")}/?key=w0rd#w0rd`;
    const result = await at.run({}, { url: secret });
    expect(result).toMatchObject({ kind: "failed", failure: { class: "overloaded" } });
    expect(at.server.requests).toHaveLength(1);
    await at.server.close();
    const gone = await at.run({}, { url: secret });
    expect(gone).toMatchObject({ failure: { class: "network" } });
    const none = await at.run({}, { url: "someone:p@ssw0rd@host" });
    expect(none).toMatchObject({ failure: { class: "auth" } });
    expect(JSON.stringify([result, gone, none, at.logged])).not.toMatch(/someone|p@ss|w0rd/);
    expect(settingsFor(at.row, secret)[at.row.baseUrl.setting]).toBe(secret);
    expect(JSON.stringify(at.logged)).not.toContain(KEY);
  });
});
