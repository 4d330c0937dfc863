import { beforeAll, describe, expect, it } from "vitest";
import { api, typesByField, type Api } from "./support.ts";

let app: Api;
beforeAll(async () => {
  app = await api({ config: { autoExecute: false } });
});
const verb = (id: string, name: string, body?: unknown) => app.call("POST", `/api/agent/tasks/${id}/${name}`, body);
const patch = (id: string, body: unknown) => app.call("PATCH", `/api/agent/tasks/${id}`, body);

/** A task in a status, brought there by the API. */
const inStatus: Record<string, () => Promise<string>> = {
  pending: () => app.create(),
  async running() {
    const id = await app.create();
    await patch(id, { status: "running", worker_id: "w" });
    return id;
  },
  async completed() {
    const id = await app.create();
    await patch(id, { status: "completed", worker_id: "w", output: "long enough" });
    return id;
  },
  async failed() {
    const id = await app.create();
    await patch(id, { status: "failed", worker_id: "w", output: "broken" });
    return id;
  },
  async needs_decision() {
    const id = await app.create();
    await patch(id, { status: "needs_decision", decision_prompt: "red or blue?" });
    return id;
  },
  async cancelled() {
    const id = await app.create();
    await verb(id, "cancel");
    return id;
  },
};

describe("what each verb does from each status", () => {
  const legal: [string, string, unknown, string][] = [
    ["pending", "cancel", undefined, "cancelled"],
    ["running", "cancel", { reason: "changed my mind" }, "cancelled"],
    ["needs_decision", "cancel", {}, "cancelled"],
    ["failed", "retry", undefined, "pending"],
    ["cancelled", "retry", undefined, "pending"],
    ["running", "release", undefined, "pending"],
    ["needs_decision", "decide", { decision: "blue" }, "pending"],
  ];
  it.each(legal)("%s → %s", async (from, name, body, to) => {
    const id = await inStatus[from]!();
    const answer = await verb(id, name, body);
    expect(answer.status, answer.text).toBe(200);
    expect(answer.body).toMatchObject({ id, status: to });
  });

  const illegal: [string, string, unknown][] = [
    ["completed", "cancel", undefined],
    ["pending", "retry", undefined],
    ["running", "retry", undefined],
    ["completed", "retry", undefined],
    ["needs_decision", "retry", undefined],
    ["pending", "release", undefined],
    ["failed", "release", undefined],
    ["completed", "decide", { decision: "x" }],
  ];
  it.each(illegal)("%s refuses %s with 409, and nothing changes", async (from, name, body) => {
    const id = await inStatus[from]!();
    const before = await app.items(id);
    const answer = await verb(id, name, body);
    expect(answer.status, answer.text).toBe(409);
    expect(answer.body).toEqual({ detail: expect.any(String) as string });
    expect(answer.headers.get("x-error-code")).toMatch(/^[a-z_]+\.[a-z_]+$/);
    expect(await app.items(id)).toEqual(before);
  });
});

describe("their bodies", () => {
  it.each([
    ["decide", undefined, { body: "missing" }],
    ["decide", {}, { decision: "missing" }],
    ["decide", { decision: " " }, { decision: "string_too_short" }],
    ["decide", { decision: 5 }, { decision: "string_type" }],
    ["decide", { decision: "x".repeat(4001) }, { decision: "string_too_long" }],
    ["decide", { decision: "a\0b" }, { decision: "value_error" }],
    ["cancel", { reason: "" }, { reason: "string_too_short" }],
    ["cancel", { reason: "x".repeat(1001) }, { reason: "string_too_long" }],
    ["cancel", { reason: 1 }, { reason: "string_type" }],
    ["cancel", [], { body: "dict_type" }],
  ])("%s refuses body %#", async (name, body, expected) => {
    const id = await inStatus.needs_decision!();
    const before = await app.items(id);
    const answer = await verb(id, name, body);
    expect(answer.status).toBe(422);
    expect(typesByField(answer)).toEqual(expected);
    expect(await app.items(id)).toEqual(before);
  });

  it.each([
    ["decide", { decision: "x".repeat(4000) }],
    ["cancel", { reason: "x".repeat(1000) }],
  ])("%s takes its longest", async (name, body) => {
    const id = await inStatus.needs_decision!();
    expect((await verb(id, name, body)).status).toBe(200);
  });
});
