import { describe, expect, test } from "vitest";
import { geminiParser } from "../../core/work/provider/cli/gemini-events.ts";
import { gemini } from "../../core/work/provider/cli/gemini.ts";
import type { CliCall } from "../../core/work/provider/cli/row.ts";
import { read, RUBBISH } from "./provider-cli-support.ts";

/** Lines as gemini 0.61.0 printed them, without the fields that nobody reads. */
const INIT = { type: "init", session_id: "s", model: "gemini-2.5-flash" };
const ASKED = { type: "message", role: "user", content: "Please edit." };
const says = (content: string) => ({ type: "message", role: "assistant", content, delta: true });
const TOOL = { type: "tool_use", tool_name: "write_file", tool_id: "w_1", parameters: { file_path: "/t/made.txt" } };
const done = (status: string, more: object = {}) => ({ type: "tool_result", tool_id: "w_1", status, ...more });
const STATS = { total_tokens: 2100, input_tokens: 2000, output_tokens: 100, cached: 800, input: 1200 };
const NOTHING = { total_tokens: 0, input_tokens: 0, output_tokens: 0, cached: 0, input: 0 };
const SUCCESS = { type: "result", status: "success", stats: STATS };
const refused = (message: string) => ({
  ...{ type: "result", status: "error", stats: NOTHING },
  error: { type: "unknown", message: `[API Error: ${message}]` },
});
/** An error as Google writes it. */
const body = (code: number, message: string, more: object = {}) =>
  JSON.stringify({ error: { code, message, ...more } });

const run = (lines: unknown[], exitCode = 0) =>
  read(
    geminiParser(() => 0),
    lines,
    exitCode,
  );

describe("gemini's events", () => {
  test("a run to its own end: its last text, its tokens, and what goes into the log", () => {
    const { ended, log, busy } = run([
      ...[INIT, ASKED, says("I begin."), TOOL, done("success")],
      ...[says("All "), says("done."), SUCCESS],
    ]);
    expect(ended).toEqual({
      ...{ completed: true, failure: null, output: "All done." },
      tokens: { input: 2000, cached: 800, written: 0, output: 100 },
    });
    expect(log).toEqual(["I begin.", "write_file /t/made.txt", "All ", "done."]);
    expect(busy).toEqual([false, false, false, true, false, false, false, false]);
  });

  test("a tool that is refused is over too", () => {
    const error = { type: "policy_violation", message: "Tool execution denied by policy." };
    const { log, busy } = run([TOOL, done("error", { error })]);
    expect(log).toEqual([
      "write_file /t/made.txt",
      "the tool answered with an error: Tool execution denied by policy.",
    ]);
    expect(busy).toEqual([true, false]);
  });

  test("tokens that it did not count are unknown, not none", () => {
    expect(run([INIT, refused("terminated")], 1).ended.tokens).toBeNull();
  });

  test("rubbish shows no life and breaks nothing", () => {
    const { ended, kinds } = run([...RUBBISH, says("Done."), SUCCESS]);
    expect(new Set(kinds.slice(0, -2))).toEqual(new Set(["noise"]));
    expect(ended.completed).toBe(true);
  });

  test("FAILURES 14: without its result, or with no word after its last tool, it has not ended", () => {
    expect(run([says("All done.")]).ended).toMatchObject({ completed: false, failure: null });
    expect(run([says("I begin."), TOOL, done("success"), SUCCESS]).ended).toMatchObject({
      ...{ completed: false, failure: { class: "bad_result" } },
    });
  });

  test("FAILURES 21: words of the model decide nothing", () => {
    const words = "429 rate limit. [API Error: terminated] unauthorized.";
    expect(run([says(words), SUCCESS]).ended).toMatchObject({ completed: true, failure: null });
  });

  const failures: [string, string, number, object][] = [
    ["429", "planted\nPlease wait and try again later.", 173, { class: "rate_limit", status: 429 }],
    ["429 over its quota", "You have exhausted your daily quota on this model.", 173, { class: "quota" }],
    ["401", body(401, "no"), 145, { class: "auth", status: 401, message: "no" }],
    ["402", body(402, "no"), 146, { class: "payment", status: 402 }],
    ["403", body(403, "no"), 147, { class: "payment", status: 403 }],
    [
      "400 of a key that Google does not know",
      body(400, "API key not valid.", { details: [{ "@type": "x", reason: "API_KEY_INVALID" }, { links: [] }] }),
      ...([144, { class: "auth" }] as const),
    ],
    [
      "400 of a prompt that is too long",
      body(400, "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."),
      ...([144, { class: "context_length" }] as const),
    ],
    ["400", body(400, "Invalid value", { details: "none" }), 144, { class: "bad_request" }],
    [
      "404",
      "models/gemini-9 is not found for API version v1beta, or is not supported for generateContent.",
      ...([1, { class: "model_not_found" }] as const),
    ],
    ["500", body(500, "no"), 244, { class: "overloaded" }],
    ["503, of which it says the sentence alone", "planted", 247, { class: "overloaded", status: 503 }],
    ["529, over what an exit code holds", body(529, "no"), 17, { class: "overloaded", status: 529 }],
    ["nobody listens", "exception TypeError: fetch failed sending request", 1, { class: "network" }],
    ["a cut", "terminated", 1, { class: "stalled" }],
    ["no way to sign in", "Please set an Auth method", 41, { class: "auth" }],
    ["what nobody knows", "429 rate limit", 1, { class: "crash" }],
  ];
  test.each(failures)("%s has its class", (_, message, exitCode, failure) => {
    expect(run([INIT, ASKED, refused(message)], exitCode).ended).toMatchObject({ completed: false, failure });
  });

  const stops: [string, string, object][] = [
    ["a loop", "Loop detected, stopping execution", { class: "bad_result" }],
    [
      "an answer that does not end",
      "Model response was truncated because it exceeded the token limit. Try using /compress to free up context space.",
      { class: "bad_result" },
    ],
    ["a filter", "The model response was blocked due to safety settings.", { class: "content_filter" }],
    ["what nobody knows", "Agent execution blocked: 429", { class: "crash" }],
  ];
  test.each(stops)("a stop in the middle for %s is none of its successes", (_, message, failure) => {
    const { ended } = run([says("half"), { type: "error", severity: "warning", message }, SUCCESS]);
    expect(ended).toMatchObject({ completed: false, failure });
  });
});

test("its key is in no argument and no file, and it may do no more than it must", () => {
  const call: CliCall = {
    ...{ model: "gemini-2.5-flash", prompt: "the prompt", home: "/h", baseUrl: "http://x", key: "sk-secret" },
    ...{ modelSilenceMs: 0, budgetUsd: undefined, settings: {} },
  };
  const { args, env, input, files } = gemini.command(call);
  expect(input).toBe("the prompt");
  expect(JSON.stringify([args, files])).not.toMatch(/the prompt|sk-secret|yolo/);
  expect(env).toMatchObject({ GEMINI_API_KEY: "sk-secret", TMPDIR: "/h/tmp" });
  const settings = JSON.parse(files?.[".gemini/settings.json"] ?? "") as Record<string, Record<string, unknown>>;
  expect(settings).toMatchObject({ hooksConfig: { enabled: false }, mcp: { allowed: ["none"] } });
  expect(settings["general"]).toMatchObject({ maxAttempts: 1 });
  expect(files?.[".gemini/policies/coherence.toml"]).toContain('decision = "deny"');
});
