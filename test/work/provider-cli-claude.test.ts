import { describe, expect, test } from "vitest";
import { claudeParser } from "../../core/work/provider/cli/claude-events.ts";
import { claude } from "../../core/work/provider/cli/claude.ts";
import type { CliCall } from "../../core/work/provider/cli/row.ts";
import { read, RUBBISH } from "./provider-cli-support.ts";

/** Lines as Claude Code 2.1.332 printed them, without the fields that nobody reads. */
const INIT = { type: "system", subtype: "init", cwd: "/t", tools: ["Bash"], model: "claude-haiku-5-5" };
const CALL = {
  type: "assistant",
  message: {
    id: "msg_1",
    content: [{ type: "tool_use", id: "toolu_1_0", name: "Write", input: { file_path: "/t/made.txt", content: "m" } }],
    usage: { input_tokens: 600, cache_read_input_tokens: 400, output_tokens: 1 },
  },
  parent_tool_use_id: null,
};
const RESULT_OF_CALL = {
  type: "user",
  message: { role: "user", content: [{ tool_use_id: "toolu_1_0", type: "tool_result", content: "File created" }] },
};
const says = (text: string, error?: string) => ({
  type: "assistant",
  message: { content: [{ type: "text", text }] },
  ...(error ? { error, is_api_error_message: true } : {}),
});
const USAGE = { input_tokens: 1200, cache_creation_input_tokens: 30, cache_read_input_tokens: 800, output_tokens: 100 };
const DONE = {
  ...{ type: "result", subtype: "success", is_error: false, stop_reason: "end_turn", terminal_reason: "completed" },
  ...{ result: "All done.", total_cost_usd: 0.000178, usage: USAGE, api_error_status: null },
};
const failed = (more: object) => ({
  ...{ type: "result", subtype: "success", is_error: true, stop_reason: "stop_sequence", terminal_reason: "api_error" },
  ...{ result: "", total_cost_usd: 0, usage: { input_tokens: 0, output_tokens: 0 }, api_error_status: null },
  ...more,
});

const run = (...lines: unknown[]) =>
  read(
    claudeParser(() => 0),
    lines,
  );

describe("Claude Code's events", () => {
  test("a run to its own end: text, tokens with the cache's, its own cost, and what goes into the log", () => {
    const { ended, log, busy } = run(INIT, CALL, RESULT_OF_CALL, says("All done."), DONE);
    expect(ended).toEqual({
      ...{ completed: true, failure: null, output: "All done.", costUsd: 0.000178 },
      tokens: { input: 2030, cached: 800, written: 30, output: 100 },
    });
    expect(log).toEqual(["Write /t/made.txt", "All done."]);
    expect(busy).toEqual([false, true, false, false, false]);
  });

  test("rubbish shows no life and breaks nothing", () => {
    const { ended, kinds } = run(...RUBBISH, DONE);
    expect(new Set(kinds.slice(0, -1))).toEqual(new Set(["noise"]));
    expect(ended.completed).toBe(true);
  });

  test("FAILURES 14: without a result event it has not ended; a stop reason that nobody knows is no success", () => {
    expect(run(INIT, says("All done.")).ended).toMatchObject({ completed: false, failure: null });
    for (const stop_reason of ["unheard_of", "tool_use", "max_tokens", null])
      expect(run({ ...DONE, stop_reason }).ended).toMatchObject({ completed: false, failure: { class: "stalled" } });
    expect(run({ ...DONE, terminal_reason: "aborted" }).ended).toMatchObject({ completed: false });
  });

  test("FAILURES 21: words of the model decide nothing", () => {
    const words = "API Error: 429 rate limit. Failed to authenticate. Request timed out.";
    expect(run(says(words), { ...DONE, result: words }).ended).toMatchObject({ completed: true, failure: null });
  });

  const cases: [string, object[], object][] = [
    [
      "429",
      [failed({ api_error_status: 429, api_error_type: "rate_limit_error" })],
      { class: "rate_limit", status: 429 },
    ],
    ["401", [failed({ api_error_status: 401, api_error_type: "authentication_error" })], { class: "auth" }],
    ["402", [failed({ api_error_status: 402, api_error_type: "billing_error" })], { class: "payment" }],
    ["403", [failed({ api_error_status: 403, api_error_type: "permission_error" })], { class: "payment" }],
    ["404", [failed({ api_error_status: 404, api_error_type: "not_found_error" })], { class: "model_not_found" }],
    ["500", [failed({ api_error_status: 500, api_error_type: "api_error" })], { class: "overloaded" }],
    [
      "529 within a stream",
      [failed({ api_error_status: 529, api_error_type: "overloaded_error" })],
      { class: "overloaded" },
    ],
    [
      "a prompt that is too long",
      [failed({ terminal_reason: "prompt_too_long", api_error_status: 400, api_error_type: "invalid_request_error" })],
      { class: "context_length" },
    ],
    ["413", [failed({ terminal_reason: "image_error", api_error_status: 413 })], { class: "context_length" }],
    ["a refusal", [failed({ stop_reason: "refusal" })], { class: "content_filter" }],
    ["an answer that does not end", [says("…", "max_output_tokens"), failed({})], { class: "bad_result" }],
    [
      "its budget",
      [failed({ subtype: "error_max_budget_usd", terminal_reason: "budget_exhausted" })],
      { class: "bad_result" },
    ],
    [
      "a cut",
      [failed({ result: "API Error: Connection to the API was lost (ECONNRESET). This is usually temporary" })],
      { class: "stalled" },
    ],
    ["silence", [failed({ result: "API Error: Stream idle timeout - no chunks received" })], { class: "stalled" }],
    [
      "nobody listens",
      [failed({ result: "API Error: Connection refused — a firewall or proxy may be blocking it (ECONNREFUSED)" })],
      { class: "network" },
    ],
    ["a reason that is not known", [failed({ result: "Something else." })], { class: "crash" }],
  ];
  test.each(cases)("%s has its class", (_, lines, failure) => {
    expect(run(INIT, ...lines).ended).toMatchObject({ completed: false, failure });
  });

  test("its own retry ends it at once", () => {
    const retry = { type: "system", subtype: "api_retry", attempt: 1, retry_delay_ms: 7533, error_status: 429 };
    expect(run(INIT, retry).fatal).toMatchObject({ class: "rate_limit", status: 429 });
    expect(run({ ...retry, error_status: null }).fatal).toMatchObject({ class: "network" });
  });
});

test("its command has neither prompt nor key among its arguments, and no way around permissions", () => {
  const call: CliCall = {
    ...{ model: "m", prompt: "the prompt", home: "/h", baseUrl: "http://x/v1", key: "sk-secret", modelSilenceMs: 1 },
    ...{ budgetUsd: 0.5, settings: {} },
  };
  const { args, env, input } = claude.command(call);
  expect(input).toBe("the prompt");
  expect(args.join(" ")).not.toMatch(/the prompt|sk-secret|dangerously|bypass|--worktree|Bash(,|$| )(?!--allowed)/);
  expect(args.join(" ")).toContain("--max-budget-usd 0.5");
  expect(env).toMatchObject({ CLAUDE_CODE_MAX_RETRIES: "0", ANTHROPIC_BASE_URL: "http://x" });
});
