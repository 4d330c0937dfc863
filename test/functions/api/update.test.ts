import { beforeAll, describe, expect, it } from "vitest";
import { api, NOBODY, typesByField, type Api } from "./support.ts";

let app: Api;
beforeAll(async () => {
  app = await api({ config: { autoExecute: false } });
});
const patch = (id: string, body: unknown) => app.call("PATCH", `/api/agent/tasks/${id}`, body);

describe("PATCH /api/agent/tasks/:id", () => {
  it.each([
    ["progress_pct 0", { progress_pct: 0 }, { progress_pct: 0 }],
    ["progress_pct 100", { progress_pct: 100 }, { progress_pct: 100 }],
    ["progress_pct true, as 1", { progress_pct: true }, { progress_pct: 1 }],
    ["an empty context", { context: {} }, {}],
    ["a worker id alone", { worker_id: "x" }, {}],
    ["a worker id of 200", { worker_id: "x".repeat(200) }, {}],
    ["a target state of 600", { target_state: "x".repeat(600) }, { target_state: "x".repeat(600) }],
    ["a window as a string", { observation_window_sec: "60" }, { observation_window_sec: 60 }],
    ["a window of 604800", { observation_window_sec: 604_800 }, { observation_window_sec: 604_800 }],
    ["null beside a value", { current_step: "s", output: null }, { current_step: "s" }],
    ["a context, merged", { context: { new: 1 } }, { context: { old: 0, new: 1 } }],
  ])("takes %s", async (_name, body, expected) => {
    const id = await app.create({ context: { old: 0 } });
    const answer = await patch(id, body);
    expect(answer.status, answer.text).toBe(200);
    expect(answer.body).toMatchObject({ id, ...expected });
    expect(answer.body.updated_at).not.toBeNull();
  });

  it.each([
    ["progress_pct -1", { progress_pct: -1 }, { progress_pct: "greater_than_equal" }],
    ["progress_pct 101", { progress_pct: 101 }, { progress_pct: "less_than_equal" }],
    ["progress_pct as a string", { progress_pct: "50" }, { progress_pct: "int_parsing" }],
    ["progress_pct 50.5", { progress_pct: 50.5 }, { progress_pct: "int_from_float" }],
    ["progress_pct 50.0", '{"context":{"progress_pct":7},"progress_pct":50.0}', { progress_pct: "int_from_float" }],
    ["an unknown status", { status: "done" }, { status: "enum" }],
    ["the status cancelled", { status: "cancelled" }, { status: "enum" }],
    ["a number as output", { output: 5 }, { output: "string_type" }],
    ["a number as step", { current_step: 5 }, { current_step: "string_type" }],
    ["a list as context", { context: [] }, { context: "dict_type" }],
    ["an empty worker id", { worker_id: "" }, { worker_id: "string_too_short" }],
    ["a worker id of 201", { worker_id: "x".repeat(201) }, { worker_id: "string_too_long" }],
    ["a target state of 601", { target_state: "x".repeat(601) }, { target_state: "string_too_long" }],
    ["a window of 0", { observation_window_sec: 0 }, { observation_window_sec: "greater_than_equal" }],
    ["a window of 604801", { observation_window_sec: 604_801 }, { observation_window_sec: "less_than_equal" }],
    ["a NUL in a decision", { decision: "a\0" }, { decision: "value_error" }],
    ["no body", undefined, { body: "missing" }],
  ])("refuses %s, changing nothing", async (_name, body, expected) => {
    const id = await app.create();
    const before = await app.items(id);
    const answer = await patch(id, body);
    expect(answer.status, answer.text).toBe(422);
    expect(typesByField(answer)).toEqual(expected);
    expect(await app.items(id)).toEqual(before);
  });

  it("takes a nested progress_pct as it is written: only the task's own is an integer", async () => {
    const id = await app.create();
    const answer = await patch(id, '{"context":{"progress_pct":50.0},"progress_pct":50}');
    expect([answer.status, answer.body.progress_pct]).toEqual([200, 50]);
  });

  it.each([{}, { output: null }, { nonsense: 1 }])("answers %j with 400 before it looks for the task", async (body) => {
    const answer = await patch(NOBODY, body);
    expect([answer.status, answer.body]).toEqual([400, { detail: "At least one field required" }]);
    expect((await patch("..%2F", body)).status).toBe(400);
  });

  it("claims once: the other worker is told who has it, and nothing changes", async () => {
    const id = await app.create();
    const won = await patch(id, { status: "running", worker_id: "w1" });
    expect([won.status, won.body.status, won.body.claimed_by]).toEqual([200, "running", "w1"]);
    const before = await app.items(id);
    const lost = await patch(id, { status: "running", worker_id: "w2" });
    expect(lost.status, lost.text).toBe(409);
    expect(Object.keys(lost.body)).toEqual(["detail"]);
    expect(await app.items(id)).toEqual(before);
  });

  it("31. a finished task is not begun again, and nothing changes", async () => {
    const id = await app.create();
    expect((await patch(id, { status: "running", worker_id: "w1" })).status).toBe(200);
    const done = await patch(id, { status: "completed", worker_id: "w1", output: "fine" });
    expect([done.status, done.body.status, done.body.output]).toEqual([200, "completed", "fine"]);
    for (const status of ["running", "pending"]) {
      const before = await app.items(id);
      const answer = await patch(id, { status, worker_id: "w2" });
      expect(answer.status, answer.text).toBe(409);
      expect(await app.items(id)).toEqual(before);
    }
  });

  it("keeps an output with NUL and a context of strange keys", async () => {
    const id = await app.create();
    const context = { "\0": "\0", "": "", toString: 1, constructor: [2] };
    const answer = await patch(id, { output: "a\0b", context });
    expect(answer.status, answer.text).toBe(200);
    expect(answer.body).toMatchObject({ output: "a\0b", context });
  });

  it("refuses a context that grows over 256 KiB with 413, and nothing of the PATCH is done", async () => {
    const id = await app.create();
    const before = await app.items(id);
    const answer = await patch(id, { status: "completed", output: "x", context: { a: "x".repeat(256 * 1024) } });
    expect([answer.status, answer.headers.get("x-error-code")]).toEqual([413, "input.too_large"]);
    expect(await app.items(id)).toEqual(before);
  });

  it("32 context merges at once lose nothing", async () => {
    const id = await app.create();
    const answers = await Promise.all(Array.from({ length: 32 }, (_, i) => patch(id, { context: { [`k${i}`]: i } })));
    expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([200]));
    const { context } = (await app.call("GET", `/api/agent/tasks/${id}`)).body as { context: object };
    expect(Object.keys(context).filter((key) => key.startsWith("k"))).toHaveLength(32);
  });
});
