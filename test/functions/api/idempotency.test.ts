import { beforeAll, describe, expect, it } from "vitest";
import * as Clock from "../../../core/ground/clock.ts";
import { testDeps } from "../../support/deps.ts";
import { api, typesByField, type Api } from "./support.ts";

let app: Api;
beforeAll(async () => {
  app = await api();
});
const good = { direction: "once", task_type: "spec", context: { a: 1, b: 2 } };
const post = (key: string, body: unknown = good, on: Api = app) =>
  on.call("POST", "/api/agent/tasks", body, { "idempotency-key": key });
const total = async () => (await app.call("GET", "/api/agent/tasks/count")).body.total as number;

describe("Idempotency-Key", () => {
  it("answers the same key and body with the same task, 201 again, whatever the order of the fields", async () => {
    const first = await post("k1");
    const again = await post("k1", { context: { b: 2, a: 1 }, task_type: "spec", direction: " once " });
    expect([first.status, again.status]).toEqual([201, 201]);
    expect(again.body).toEqual(first.body);
    expect(app.deps.published.filter((e) => "taskId" in e && e.taskId === first.body.id)).toHaveLength(1);
  });

  it("answers another body with 409 and makes nothing", async () => {
    const first = await post("k2");
    const before = [await total(), await app.items(first.body.id as string)];
    const other = await post("k2", { ...good, direction: "twice" });
    expect([other.status, other.headers.get("x-error-code")]).toEqual([409, "idempotency.conflict"]);
    expect([await total(), await app.items(first.body.id as string)]).toEqual(before);
  });

  it("makes one task of 32 at once", async () => {
    const before = await total();
    const answers = await Promise.all(Array.from({ length: 32 }, () => post("k3")));
    expect(new Set(answers.map((a) => a.status))).toEqual(new Set([201]));
    expect(new Set(answers.map((a) => a.body.id)).size).toBe(1);
    expect(await total()).toBe(before + 1);
  });

  it("lets one of two bodies at once win", async () => {
    const answers = await Promise.all([post("k4"), post("k4", { ...good, direction: "other" })]);
    expect(answers.map((a) => a.status).sort()).toEqual([201, 409]);
  });

  it("frees the key when the body was refused, so that a corrected one may use it", async () => {
    expect((await post("k5", { ...good, context: { a: "x".repeat(300_000) } })).status).toBe(413);
    expect((await post("k5")).status).toBe(201);
  });

  it("forgets a key after 24 hours: then it makes a new task", async () => {
    const clock = Clock.virtual(1_800_000_000_000);
    const own = await api({ on: await testDeps({ clock }) });
    const first = await post("k6", good, own);
    await clock.advance(24 * 3_600_000 - 1000);
    expect((await post("k6", good, own)).body.id).toBe(first.body.id);
    await clock.advance(2000);
    const later = await post("k6", { ...good, direction: "new day" }, own);
    expect(later.status).toBe(201);
    expect(later.body.id).not.toBe(first.body.id);
  });

  it("keeps the keys of two callers apart", async () => {
    const deps = app.deps;
    const as = (id: string) => api({ on: deps, authenticate: () => ({ kind: "key", id, scopes: ["write"] }) });
    const [a, b] = [
      await post("k7", good, await as("a")),
      await post("k7", { ...good, direction: "mine" }, await as("b")),
    ];
    expect([a.status, b.status]).toEqual([201, 201]);
    expect(a.body.id).not.toBe(b.body.id);
  });

  it.each(["", "x".repeat(256), "a b"])("refuses the key of case %#", async (key) => {
    const answer = await post(key);
    expect(answer.status).toBe(422);
    expect(typesByField(answer)).toEqual({ "idempotency-key": "string_pattern_mismatch" });
  });
});
