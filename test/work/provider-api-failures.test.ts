import { afterEach, describe, expect, test } from "vitest";
import { failureOf } from "../../core/work/provider/api/failure.ts";
import { bench, call, done, KEY, NAMES, type Bench } from "./provider-api-helpers.ts";
import type { Reply } from "../support/models/reply.ts";

/** Every way an answer goes wrong, by every protocol: classified by structured signals, asked once, never a success. */

let at: Bench;
afterEach(() => at.close());

const FAST = { firstTokenMs: 200, silenceMs: 200 };
const status = (code: number, type?: string, more: object = {}): Reply => ({
  kind: "status",
  status: code,
  ...(type === undefined ? {} : { type }),
  ...more,
});

const FAILURES: [string, Reply, object][] = [
  [
    "429 with Retry-After",
    status(429, "rate_limit_error", { headers: { "retry-after": "7" } }),
    { class: "rate_limit", status: 429, retry_after_ms: 7000 },
  ],
  ["an exhausted quota", status(429, "insufficient_quota"), { class: "quota", status: 429 }],
  ["402", status(402, "billing_error"), { class: "payment", status: 402 }],
  ["403", status(403, "permission_error"), { class: "payment" }],
  ["401", status(401, "authentication_error"), { class: "auth", status: 401 }],
  ["404", status(404, "not_found_error"), { class: "model_not_found", status: 404 }],
  ["413", status(413, "request_too_large"), { class: "context_length" }],
  ["a context that is too long", status(400, "context_length_exceeded"), { class: "context_length", status: 400 }],
  ["a refused content", status(400, "content_policy_violation"), { class: "content_filter" }],
  ["400", status(400, "invalid_request_error"), { class: "bad_request", status: 400 }],
  ["500", status(500, "api_error"), { class: "overloaded", status: 500 }],
  ["503", status(503), { class: "overloaded", status: 503 }],
  ["529", status(529, "overloaded_error"), { class: "overloaded", status: 529 }],
  ["a reset connection", { kind: "reset" }, { class: "network" }],
  ["a slow first token", { kind: "silence" }, { class: "stalled", message: "No answer began within 0.2 s." }],
  [
    "a stalled stream",
    { kind: "stall", text: "I be" },
    { class: "stalled", message: "Nothing more of the answer came within 0.2 s." },
  ],
  ["a cut stream", { kind: "cut", text: "I be" }, { class: "stalled" }],
  ["a malformed chunk", { kind: "malformed", text: "I be" }, { class: "stalled" }],
  ["a missing end marker", { kind: "unfinished", text: "I be" }, { class: "stalled" }],
  [
    "an overloaded server within a stream",
    { kind: "error", text: "I be", type: "overloaded_error" },
    { class: "overloaded" },
  ],
  [
    "an unknown error within a stream",
    { kind: "error", text: "I be", type: "unheard_of" }, // OpenAI's adapter takes it for a 500.
    { class: expect.stringMatching(/^(stalled|overloaded)$/) as string },
  ],
  [
    "an answer that is cut off",
    { kind: "text", text: "I be", finish: "length" },
    { class: "bad_result", message: expect.stringMatching(/^The answer was cut off at \d+ tokens/) as string },
  ],
  ["a filtered answer", { kind: "text", text: "I be", finish: "content-filter" }, { class: "content_filter" }],
  ["an unknown end", { kind: "text", text: "I be", finish: "unheard-of" }, { class: "stalled" }],
];

describe.each(NAMES)("%s", (protocol) => {
  test.each(FAILURES)("%s", async (_, reply, failure) => {
    at = await bench(protocol, [reply]);
    // What is not about time has time: a machine may be busy.
    const waits = reply.kind === "silence" || reply.kind === "stall";
    const result = await at.run({}, waits ? { limits: FAST } : {});
    expect(result).toMatchObject({ kind: "failed", failure });
    expect(at.server.requests).toHaveLength(1); // retries are the pipeline's
    if ("text" in reply) expect(result).toMatchObject({ output: "I be" });
    expect(JSON.stringify([result, at.logged])).not.toContain(KEY);
  });

  test("a server that is not there", async () => {
    at = await bench(protocol, []);
    await at.server.close();
    expect(await at.run()).toMatchObject({
      kind: "failed",
      failure: { class: "network", message: "No connection to the server: ECONNREFUSED." },
    });
  });

  test("what a failed run cost so far is known", async () => {
    at = await bench(protocol, [call("list", {}), status(503)]);
    expect(await at.run()).toMatchObject({ kind: "failed", usage: { tokens_in: 1000, tokens_out: 50 } });
  });

  test("an abort is thrown again, and ends the request", async () => {
    at = await bench(protocol, [{ kind: "stall", text: "I be" }]);
    const control = new AbortController();
    const reason = new Error("stop");
    const running = at.run({}, { signal: control.signal });
    await at.server.arrived(1);
    control.abort(reason);
    await expect(running).rejects.toBe(reason);
  });

  test("the rejected key is in no message", async () => {
    at = await bench(protocol, [
      status(401, "authentication_error", { message: `Incorrect API key provided: ${KEY}` }),
    ]);
    if (at.row.credentials.length === 0) return;
    expect(await at.run()).toMatchObject({
      failure: { class: "auth", message: "Incorrect API key provided: [masked]" },
    });
  });
});

describe("a rejected prefill is told from other bad requests", () => {
  const planted = (message: string, param?: string) =>
    status(400, "invalid_request_error", { message, ...(param === undefined ? {} : { param }) });

  test.each([
    ["messages", planted("This model does not support assistant message prefill. End with a user message."), true],
    ["messages", planted("messages.1: assistant messages are not allowed here"), true],
    ["messages", planted("messages.0: something about the user's"), undefined],
    ["messages", planted("the assistant message is bad"), undefined],
    ["chat", planted("not allowed", "messages[2].role"), true],
    ["chat", planted("not allowed", "messages[1]"), undefined],
  ])("%s %j", async (protocol, reply, prefill) => {
    // After one turn the conversation holds a message of the assistant's.
    at = await bench(protocol, [call("list", {}), reply]);
    const result = await at.run();
    expect(result).toMatchObject({ kind: "failed", failure: { class: "bad_request", status: 400 } });
    expect(result.kind === "failed" && result.failure.prefill).toBe(prefill);
  });
});

test.each([
  ["messages", "prompt is too long: 210000 tokens > 200000 maximum"],
  ["chat", "This model's maximum context length is 32768 tokens. However, you requested 40000 tokens."],
])("a request over the window that has no type of its own: %s", async (protocol, message) => {
  at = await bench(protocol, [status(400, "invalid_request_error", { message })]);
  expect(await at.run()).toMatchObject({ failure: { class: "context_length", status: 400 } });
});

test("a setting that is missing is no run", async () => {
  at = await bench("messages", [done()]);
  const { run } = await import("../../core/work/provider/api/run.ts");
  const { bedrock } = await import("../../core/work/provider/api/bedrock.ts");
  const { system } = await import("../../core/ground/clock.ts");
  const request = {
    task: { id: "t", type: "impl", direction: "", attempt: 1, turn: 1 },
    prompt: "",
    model: "m",
  } as const;
  const go = (settings: Record<string, string>) =>
    run(
      { clock: system(), settings },
      bedrock,
      at.model,
      { ...request, cwd: "/", timeoutMs: 1, log: () => {} },
      new AbortController().signal,
    );
  expect(await go({})).toMatchObject({ failure: { class: "auth", message: "No key for bedrock is set." } });
  const keyed = { AWS_BEARER_TOKEN_BEDROCK: KEY };
  expect(await go(keyed)).toMatchObject({ failure: { class: "auth", message: "AWS_REGION is not set." } });
});

test.each([
  [
    "a status as an error's code within a stream",
    { code: 502, message: "bad gateway" },
    { class: "overloaded", status: 502 },
  ],
  ["one that is nested", { error: { code: 429, message: "slow down" } }, { class: "rate_limit", status: 429 }],
  ["a type without a status", { type: "rate_limit_error", message: "slow" }, { class: "rate_limit" }],
  ["a type too general for a status", { type: "server_error", message: "oh" }, { class: "overloaded" }],
  ["nothing that is known", "a text about 429 and overloaded_error", { class: "stalled" }],
  ["nothing", undefined, { class: "stalled" }],
])("read from an error object: %s", (_, thrown, failure) => {
  expect(failureOf(thrown, true, 0)).toMatchObject(failure);
});
