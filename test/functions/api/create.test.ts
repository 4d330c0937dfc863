import { beforeAll, describe, expect, it } from "vitest";
import { api, typesByField, type Api } from "./support.ts";

let app: Api;
beforeAll(async () => {
  app = await api();
});
const post = (body: unknown) => app.call("POST", "/api/agent/tasks", body);
const good = { direction: "do it", task_type: "impl" };

describe("POST /api/agent/tasks", () => {
  it("answers 201 with the whole task, every nullable field there", async () => {
    const { status, body } = await post({ ...good, direction: "  do it  ", context: { a: 1 } });
    expect(status).toBe(201);
    expect(body).toMatchObject({
      id: expect.stringMatching(/^task_[0-9a-f]{16}$/) as string,
      direction: "do it",
      task_type: "impl",
      status: "pending",
      model: "openclaw/gpt-5-codex",
      context: { a: 1, task_agent: "dev-engineer", target_state: "impl task reaches intended target state: do it" },
      observation_window_sec: 900,
      success_evidence: [],
      abort_evidence: [],
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/) as string,
      att: 0,
      priority: 50,
    });
    for (const field of [
      "output",
      "progress_pct",
      "current_step",
      "decision_prompt",
      "decision",
      "claimed_by",
      "claimed_at",
      "updated_at",
      "error",
      "item",
      "retry_not_before",
      "wait_reason",
    ])
      expect(body, field).toHaveProperty(field, null);
  });

  const accepted: [string, Record<string, unknown>, Record<string, unknown>][] = [
    ["a direction of 1", { direction: "x" }, { direction: "x" }],
    ["a direction of 5000 after trimming", { direction: ` ${"x".repeat(5000)} ` }, { direction: "x".repeat(5000) }],
    ["a target state of 1", { target_state: "x" }, { target_state: "x" }],
    ["a target state of 600", { target_state: "x".repeat(600) }, { target_state: "x".repeat(600) }],
    ["a window of 1, clamped", { observation_window_sec: 1 }, { observation_window_sec: 30 }],
    ["a window of 604800", { observation_window_sec: 604_800 }, { observation_window_sec: 604_800 }],
    ["a window as a numeric string", { observation_window_sec: "60" }, { observation_window_sec: 60 }],
    ["evidence as a bare string", { success_evidence: " ok " }, { success_evidence: ["ok"] }],
    ["evidence with blanks", { abort_evidence: ["a", " ", "A"] }, { abort_evidence: ["a"] }],
    ["null for what is optional", { context: null, target_state: null, observation_window_sec: null }, {}],
    ["unknown fields", { nonsense: { deep: [1] }, __proto__x: 1 }, {}],
    ["priorities 0", { priority: 0 }, { priority: 0 }],
    ["priorities 99", { priority: 99 }, { priority: 99 }],
    ["every type", { task_type: "heal" }, { task_type: "heal" }],
  ];
  it.each(accepted)("takes %s", async (_name, more, expected) => {
    const { status, body, text } = await post({ ...good, ...more });
    expect(status, text).toBe(201);
    expect(body).toMatchObject(expected);
  });

  const refused: [string, unknown, Record<string, string>][] = [
    ["nothing in it", {}, { direction: "missing", task_type: "missing" }],
    ["an empty direction", { ...good, direction: "" }, { direction: "string_too_short" }],
    ["a blank direction", { ...good, direction: " \n " }, { direction: "string_too_short" }],
    ["a direction of 5001", { ...good, direction: "x".repeat(5001) }, { direction: "string_too_long" }],
    ["a number for a direction", { ...good, direction: 5 }, { direction: "string_type" }],
    ["null for a direction", { ...good, direction: null }, { direction: "string_type" }],
    ["a NUL in the direction", { ...good, direction: "a\0b" }, { direction: "value_error" }],
    ["an unknown type", { ...good, task_type: "deploy" }, { task_type: "value_error" }],
    ["a number for a type", { ...good, task_type: 1 }, { task_type: "value_error" }],
    ["a list for a context", { ...good, context: [] }, { context: "dict_type" }],
    ["a string for a context", { ...good, context: "x" }, { context: "dict_type" }],
    ["an empty target state", { ...good, target_state: " " }, { target_state: "string_too_short" }],
    ["a target state of 601", { ...good, target_state: "x".repeat(601) }, { target_state: "string_too_long" }],
    ["evidence that is a number", { ...good, success_evidence: 1 }, { success_evidence: "value_error" }],
    ["evidence with a number in it", { ...good, abort_evidence: ["a", 1] }, { abort_evidence: "value_error" }],
    ["a window of 0", { ...good, observation_window_sec: 0 }, { observation_window_sec: "greater_than_equal" }],
    ["a window of 604801", { ...good, observation_window_sec: 604_801 }, { observation_window_sec: "less_than_equal" }],
    ["a window of 1.5", { ...good, observation_window_sec: 1.5 }, { observation_window_sec: "int_from_float" }],
    ["a window in words", { ...good, observation_window_sec: "x" }, { observation_window_sec: "int_parsing" }],
    ["an empty window", { ...good, observation_window_sec: "" }, { observation_window_sec: "int_parsing" }],
    ["a window in hex", { ...good, observation_window_sec: "0x10" }, { observation_window_sec: "int_parsing" }],
    ["a window in a list", { ...good, observation_window_sec: [60] }, { observation_window_sec: "int_type" }],
    ["priority -1", { ...good, priority: -1 }, { priority: "greater_than_equal" }],
    ["priority 100", { ...good, priority: 100 }, { priority: "less_than_equal" }],
    ["a list", [good], { body: "dict_type" }],
    ["a string", '"x"', { body: "dict_type" }],
    ["null", "null", { body: "dict_type" }],
    ["a lone surrogate", '{"direction":"\\ud800","task_type":"impl"}', { direction: "string_unicode" }],
    ["a lone surrogate as a key", '{"direction":"x","context":{"\\udc00":1}}', { context: "string_unicode" }],
    [
      "a context 10 000 deep",
      `{"context":${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)}}`,
      { context: "value_error" },
    ],
    [
      "lists 200 000 deep",
      `{"context":{"a":${"[".repeat(200_000)}${"]".repeat(200_000)}}}`,
      { context: "value_error" },
    ],
  ];
  it.each(refused)("refuses %s with 422", async (_name, body, expected) => {
    const answer = await post(body);
    expect(answer.status, answer.text.slice(0, 300)).toBe(422);
    expect(answer.headers.get("x-error-code")).toBe("input.invalid");
    expect(Object.keys(answer.body)).toEqual(["detail"]);
    expect(typesByField(answer)).toEqual(expected);
  });

  it("names the allowed types, the bounds and the place in the contract's words", async () => {
    const type = await post({ ...good, task_type: "deploy" });
    expect(type.body.detail).toEqual([
      {
        type: "value_error",
        loc: ["body", "task_type"],
        msg: "Value error, must be 'spec', 'test', 'impl', 'review' or 'heal'",
        input: "deploy",
        ctx: { error: {} },
      },
    ]);
    const short = await post({ ...good, direction: "" });
    expect(short.body.detail).toEqual([
      {
        type: "string_too_short",
        loc: ["body", "direction"],
        msg: "String should have at least 1 character",
        input: "",
        ctx: { min_length: 1 },
      },
    ]);
    const missing = await post({ task_type: "impl" });
    expect(missing.body.detail).toEqual([
      { type: "missing", loc: ["body", "direction"], msg: "Field required", input: { task_type: "impl" } },
    ]);
  });

  it.each([
    ['{"direction":}', 13],
    ["{", 1],
    ['{"a" 1}', 5],
    ["nope", 1],
    ['{"a":1}x', 7],
    ["[".repeat(100_000), 100_000],
    [`{"a":"${"x".repeat(5000)}",}`, 5008],
  ])("says where malformed JSON breaks, case %#", async (text, position) => {
    const answer = await post(text);
    expect(answer.status).toBe(422);
    expect(answer.body.detail).toMatchObject([
      { type: "json_invalid", loc: ["body", position], msg: "JSON decode error" },
    ]);
  });

  it("refuses no body at all", async () => {
    expect(typesByField(await post(undefined))).toEqual({ body: "missing" });
  });

  it("refuses a context over 256 KiB with 413 and makes nothing", async () => {
    const before = (await app.call("GET", "/api/agent/tasks/count")).body.total;
    const answer = await post({ ...good, context: { a: "x".repeat(256 * 1024) } });
    expect(answer.status).toBe(413);
    expect(answer.body.detail).toMatch(/^The context is over 256 KiB/);
    expect((await app.call("GET", "/api/agent/tasks/count")).body.total).toBe(before);
  });
});
