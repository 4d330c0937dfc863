import { describe, expect, test } from "vitest";
import { opencodeParser } from "../../core/work/provider/cli/opencode-events.ts";
import { opencode } from "../../core/work/provider/cli/opencode.ts";
import type { CliCall } from "../../core/work/provider/cli/row.ts";
import { read, RUBBISH } from "./provider-cli-support.ts";

/** Lines as opencode 1.18.33 and our plugin printed them, without the fields that nobody reads. */
const START = { type: "step_start", part: { type: "step-start" } };
const TOOL = { type: "coherence.tool", callID: "call_1_0" };
const tool = (status: string) => ({
  type: "tool_use",
  part: { type: "tool", tool: "write", callID: "call_1_0", state: { status, input: { filePath: "/t/made.txt" } } },
});
const says = (text: string) => ({ type: "text", part: { type: "text", text } });
const TOKENS = { total: 1050, input: 570, output: 40, reasoning: 10, cache: { write: 30, read: 400 } };
const finish = (reason: string, tokens: object = TOKENS) => ({
  type: "step_finish",
  part: { type: "step-finish", reason, tokens },
});
const refused = (status: number, type: string, headers: Record<string, string> = {}) => ({
  type: "coherence.refused",
  error: {
    statusCode: status,
    responseHeaders: headers,
    responseBody: JSON.stringify({ error: { type, code: type, message: `planted ${status}`, param: null } }),
  },
});

const run = (...lines: unknown[]) =>
  read(
    opencodeParser(() => 0),
    lines,
  );

describe("opencode's events", () => {
  test("a run to its own end: text, the tokens of all steps, and what goes into the log", () => {
    const { ended, log, busy } = run(
      ...[TOOL, START, tool("completed"), finish("tool-calls")],
      ...[START, says("All done."), finish("stop")],
    );
    expect(ended).toEqual({
      ...{ completed: true, failure: null, output: "All done." },
      tokens: { input: 2000, cached: 800, written: 60, output: 100 },
    });
    expect(log).toEqual(["write /t/made.txt", "All done."]);
    expect(busy).toEqual([true, true, false, false, false, false, false]);
  });

  test("a tool that fails is over too", () => {
    const { log, busy } = run(TOOL, tool("error"));
    expect(log).toEqual(["write /t/made.txt", "the tool answered with an error"]);
    expect(busy).toEqual([true, false]);
  });

  test("tokens that the server does not tell are unknown, not none", () => {
    const none = { input: 0, output: 0, reasoning: 0, cache: { write: 0, read: 0 } };
    expect(run(says("Done."), finish("stop", none)).ended).toMatchObject({ completed: true, tokens: null });
  });

  test("rubbish shows no life and breaks nothing", () => {
    const { ended, kinds } = run(...RUBBISH, says("Done."), finish("stop"));
    expect(new Set(kinds.slice(0, -2))).toEqual(new Set(["noise"]));
    expect(ended.completed).toBe(true);
  });

  test("FAILURES 14: without a step that stopped it has not ended", () => {
    expect(run(says("All done.")).ended).toMatchObject({ completed: false, failure: null });
    expect(run(says("All done."), finish("tool-calls")).ended.completed).toBe(false);
  });

  test("FAILURES 21: words of the model decide nothing", () => {
    const words = "429 rate limit. unauthorized. stream disconnected.";
    expect(run(says(words), finish("stop")).ended).toMatchObject({ completed: true, failure: null });
  });

  const fatal: [string, object, object][] = [
    [
      "429",
      refused(429, "rate_limit_error", { "retry-after": "7" }),
      { class: "rate_limit", status: 429, retry_after_ms: 7000, message: "planted 429" },
    ],
    ["429 over its quota", refused(429, "insufficient_quota"), { class: "quota" }],
    ["401", refused(401, "authentication_error"), { class: "auth" }],
    ["402", refused(402, "billing_error"), { class: "payment" }],
    ["404", refused(404, "model_not_found"), { class: "model_not_found" }],
    ["400 of a prompt that is too long", refused(400, "context_length_exceeded"), { class: "context_length" }],
    ["500", refused(500, "api_error"), { class: "overloaded" }],
    ["nobody listens", { type: "coherence.lost", code: "ConnectionRefused", silent: false }, { class: "network" }],
    ["a cut", { type: "coherence.lost", code: "ECONNRESET", silent: false }, { class: "stalled" }],
    ["silence", { type: "coherence.lost", code: "undefined", silent: true }, { class: "stalled" }],
    ["a retry of its own", { type: "coherence.retry" }, { class: "stalled" }],
    ["an answer that does not end", finish("length"), { class: "bad_result" }],
    ["a filter", finish("content-filter"), { class: "content_filter" }],
    ["a reason that nobody knows, after which it asks for ever", finish("unknown"), { class: "stalled" }],
  ];
  test.each(fatal)("%s ends it at once", (_, line, failure) => {
    expect(run(START, line).fatal).toMatchObject(failure);
  });

  const errors: [string, object, object][] = [
    [
      "an answer of the server's",
      { name: "APIError", data: { message: "no", statusCode: 402, responseBody: "{}" } },
      { class: "payment" },
    ],
    [
      "a stream that broke",
      { name: "APIError", data: { message: "Connection reset by server" } },
      { class: "stalled" },
    ],
    ["a window", { name: "ContextOverflowError", data: { message: "too long" } }, { class: "context_length" }],
    ["a filter", { name: "ContentFilterError", data: { message: "no" } }, { class: "content_filter" }],
    ["what nobody knows", { name: "UnknownError", data: { message: "429 rate limit" } }, { class: "crash" }],
  ];
  test.each(errors)("its own error for %s has its class", (_, error, failure) => {
    expect(run(START, { type: "error", error }).ended).toMatchObject({ completed: false, failure });
  });
});

test("its key is in neither its arguments nor its environment, and it may do no more than it must", () => {
  const call: CliCall = {
    ...{ model: "qwen/qwen3-coder-next", prompt: "the prompt", home: "/h", baseUrl: "http://x/v1", key: "sk-secret" },
    ...{ modelSilenceMs: 1, budgetUsd: undefined, settings: {} },
  };
  const { args, env, input, files } = opencode.command(call);
  expect(input).toBe("the prompt");
  expect(JSON.stringify([args, env])).not.toMatch(/the prompt|sk-secret|--auto/);
  const config = JSON.parse(files?.[".config/opencode/opencode.json"] ?? "") as { permission: Record<string, unknown> };
  expect(JSON.stringify(config)).not.toContain("sk-secret");
  expect(config.permission).toMatchObject({ external_directory: "deny", webfetch: "deny", bash: { "*": "deny" } });
  // The last pattern that fits counts.
  expect(Object.keys(config.permission["bash"] as object)[0]).toBe("*");
});
