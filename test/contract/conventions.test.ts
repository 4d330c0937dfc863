import { beforeAll, describe, expect, it } from "vitest";
import * as Clock from "../../core/ground/clock.ts";
import { api, ORIGIN } from "../functions/api/support.ts";
import { testDeps } from "../support/deps.ts";
import { createApp } from "../../functions/api/app.ts";
import { Detail, expectShape, Health, Unprocessable } from "./shapes.ts";
import { contract, inStatus, NOBODY, type Contract } from "./support.ts";

/** Contract 1.0 and 1.8: what is true of every endpoint. */

let app: Contract;
beforeAll(async () => {
  app = await contract();
});

/** Every row of 1.1 to 1.5 and 1.8 that this contract holds us to. */
const ROWS = [
  ["POST", "/api/agent/tasks"],
  ["GET", "/api/agent/tasks"],
  ["GET", "/api/agent/tasks/attention"],
  ["GET", "/api/agent/tasks/count"],
  ["GET", `/api/agent/tasks/${NOBODY}`],
  ["GET", `/api/agent/tasks/${NOBODY}/log`],
  ["PATCH", `/api/agent/tasks/${NOBODY}`],
  ["POST", "/api/agent/tasks/upsert-active"],
  ["POST", `/api/agent/tasks/${NOBODY}/execute`],
  ["POST", "/api/agent/tasks/pickup-and-execute"],
  ["POST", "/api/agent/run-state/claim"],
  ["POST", "/api/agent/run-state/heartbeat"],
  ["POST", "/api/agent/run-state/update"],
  ["GET", `/api/agent/run-state/${NOBODY}`],
  ["POST", "/api/agent/runners/heartbeat"],
  ["GET", "/api/agent/runners"],
  ["GET", "/api/agent/route"],
  ["GET", "/api/agent/usage"],
  ["GET", "/api/agent/visibility"],
  ["GET", "/api/agent/integration"],
  ["GET", "/api/agent/pipeline-status"],
  ["GET", "/api/agent/metrics"],
  ["GET", "/api/agent/effectiveness"],
  ["GET", "/api/agent/status-report"],
  ["GET", "/api/agent/monitor-issues"],
  ["GET", "/api/agent/fatal-issues"],
  ["GET", "/api/health"],
  ["GET", "/api/ready"],
  ["GET", "/api/version"],
] as const;
const TAKES_A_BODY = [
  ["POST", "/api/agent/tasks"],
  ["PATCH", `/api/agent/tasks/${NOBODY}`],
  ["POST", "/api/agent/tasks/upsert-active"],
  ["POST", "/api/agent/run-state/claim"],
  ["POST", "/api/agent/run-state/heartbeat"],
  ["POST", "/api/agent/run-state/update"],
  ["POST", "/api/agent/runners/heartbeat"],
] as const;

describe("places and methods", () => {
  it.each(ROWS)("%s %s is there", async (method, path) => {
    const { status, body, text } = await app.call(method, path);
    expect(status, text).not.toBe(405);
    expect(body).not.toEqual({ detail: "Not Found" });
  });

  it.each([...new Set(ROWS.map(([, path]) => path))])("DELETE %s is 405 and says no more", async (path) => {
    const { status, body } = await app.call("DELETE", path);
    expect([status, body]).toEqual([405, { detail: "Method Not Allowed" }]);
  });

  it.each(["/api/agent/nothing", "/api/nothing", "/nothing", `/api/agent/tasks/${NOBODY}/nothing`])(
    "%s is 404 and says no more",
    async (path) => {
      const { status, body } = await app.get(path);
      expect([status, body]).toEqual([404, { detail: "Not Found" }]);
    },
  );

  it.each([
    ["attention", 200],
    ["count", 200],
    ["upsert-active", 404],
    ["pickup-and-execute", 404],
  ])("/tasks/%s is a fixed segment, never a task's id", async (segment, read) => {
    // Where the segment knows another method alone, 405 would say the same.
    expect(read === 200 ? [200] : [404, 405]).toContain((await app.get(`/api/agent/tasks/${segment}`)).status);
    expect([404, 405]).toContain((await app.patch(segment, { current_step: "x" })).status);
    expect((await app.get(`/api/agent/tasks/${segment}/log`)).status).toBe(404);
  });
});

describe("refusals", () => {
  it("400, 404, 409 and 403 are one sentence and no other key", async () => {
    const done = await inStatus(app, "completed");
    const answers = [
      [400, await app.patch(done, {})],
      [404, await app.get(`/api/agent/tasks/${NOBODY}`)],
      [404, await app.get(`/api/agent/run-state/${NOBODY}`)],
      [409, await app.patch(done, { status: "running", worker_id: "w" })],
      [403, await app.post(`/api/agent/tasks/${done}/execute`)],
    ] as const;
    for (const [status, answer] of answers) {
      expect(answer.status, answer.text).toBe(status);
      expectShape(Detail, answer.body);
    }
  });

  it("422 lists every fault with type, loc, msg and input", async () => {
    const answer = await app.post("/api/agent/tasks", { direction: "", task_type: "x", context: 5 });
    expect(answer.status).toBe(422);
    expectShape(Unprocessable, answer.body);
    expect(answer.body.detail).toMatchObject(
      ["direction", "task_type", "context"].map((name) => ({ loc: ["body", name] })),
    );
    expect(answer.body.detail).toHaveLength(3);
  });

  it("a value_error says so in its message and has an empty error in its ctx", async () => {
    const answer = await app.post("/api/agent/tasks", { direction: "x", task_type: "deploy" });
    const [detail] = answer.body.detail as { msg: string; ctx: unknown; input: unknown }[];
    expect(detail?.msg).toMatch(/^Value error, /);
    for (const type of ["spec", "test", "impl", "review", "heal"]) expect(detail?.msg).toContain(type);
    expect(detail).toMatchObject({ ctx: { error: {} }, input: "deploy" });
  });

  it("an enum names the words it takes", async () => {
    const answer = await app.get("/api/agent/tasks?task_type=deploy");
    const [detail] = answer.body.detail as { type: string; ctx: { expected: string } }[];
    expect(detail?.type).toBe("enum");
    for (const type of ["spec", "test", "impl", "review", "heal"]) expect(detail?.ctx.expected).toContain(`'${type}'`);
  });

  it("an unhandled fault is JSON and says nothing", async () => {
    const deps = await testDeps();
    const broken = await api({ on: { ...deps, store: { ...deps.store, table: "no-such-table" } } });
    const answer = await broken.call("GET", "/api/agent/tasks/count");
    expect([answer.status, answer.body]).toEqual([500, { detail: "Internal server error" }]);
  });
});

describe("the type of a body", () => {
  it.each(TAKES_A_BODY)("%s %s: one that is not JSON is 415", async (method, path) => {
    const answer = await app.call(method, path, "{}", { "content-type": "text/plain" });
    expect(answer.status, answer.text).toBe(415);
    expectShape(Detail, answer.body);
  });

  it.each([
    ["POST", `/api/agent/tasks/${NOBODY}/execute`],
    ["POST", "/api/agent/tasks/pickup-and-execute"],
  ])("%s %s takes no body, so it needs no type", async (method, path) => {
    expect((await app.call(method, path)).status).not.toBe(415);
  });
});

describe("other origins", () => {
  it("are closed unless ALLOWED_ORIGINS names them", async () => {
    const ask = (one: Contract) => one.call("GET", "/api/agent/tasks", undefined, { origin: "https://dash.example" });
    expect((await ask(app)).headers.get("access-control-allow-origin")).toBeNull();
    const open = await ask(await app.with({ ALLOWED_ORIGINS: "https://a.example, https://dash.example" }));
    expect(open.status).toBe(200);
    expect(open.headers.get("access-control-allow-origin")).toBe("https://dash.example");
    expect(open.headers.get("access-control-allow-credentials")).toBe("true");
  });
});

describe("health (1.8)", () => {
  const START = Date.UTC(2026, 0, 2, 3, 4, 5);

  it.each([
    [0, "0s"],
    [59, "59s"],
    [60, "1m 0s"],
    [3599, "59m 59s"],
    [3600, "1h 0m 0s"],
    [86_399, "23h 59m 59s"],
    [86_400, "1d 0h 0m 0s"],
    [200_000, "2d 7h 33m 20s"],
  ])("after %i s: six keys and no more, %s", async (seconds, human) => {
    const clock = Clock.virtual(START + seconds * 1000);
    const deps = await testDeps({ clock });
    const hono = createApp({ deps, authenticate: () => ({ kind: "operator" }), startedAt: START });
    for (const [path, word] of [
      ["health", "ok"],
      ["ready", "ready"],
    ] as const) {
      const response = await hono.request(`${ORIGIN}/api/${path}`);
      expect(response.status).toBe(200);
      const body = (await response.json()) as object;
      expectShape(Health, body);
      expect(body).toMatchObject({ status: word, uptime_seconds: seconds, uptime_human: human });
      expect(body).toMatchObject({ started_at: "2026-01-02T03:04:05Z" });
    }
  });

  it("version is the API's", async () => {
    expect((await app.get("/api/version")).body).toEqual({ version: "1.0.0" });
  });

  it.each(["/api/health", "/api/ready", "/api/version"])("%s needs no key", async (path) => {
    const closed = await api({
      authenticate: () => {
        throw new Error("nobody is asked");
      },
    });
    expect((await closed.call("GET", path)).status).toBe(200);
  });
});
