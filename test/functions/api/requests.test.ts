import { beforeEach, describe, expect, it } from "vitest";
import { fail } from "../../../core/ground/errors.ts";
import * as Store from "../../../core/ground/store/index.ts";
import { Keys } from "../../../core/ground/store/index.ts";
import * as Telemetry from "../../../core/work/telemetry/index.ts";
import { createApp } from "../../../functions/api/app.ts";
import { templateOf } from "../../../functions/api/requests.ts";
import { routes } from "../../../functions/api/routes/index.ts";
import { testDeps, type TestDeps } from "../../support/deps.ts";
import { api, NOBODY, typesByField, type Api } from "./support.ts";
import { between } from "../../support/wire.ts";

let deps: TestDeps;
let recorder: Telemetry.Recorder;
let app: Api;
beforeEach(async () => {
  deps = await testDeps();
  recorder = Telemetry.recorder(deps);
  app = await api({ on: deps, recorder });
});

type Row = Telemetry.Endpoints["endpoints"][number];

/** What has been counted, by route. */
async function counted(): Promise<Map<string, Row>> {
  await recorder.flush();
  const { endpoints } = await Telemetry.endpoints(deps, 3600);
  return new Map(endpoints.map((row) => [row.endpoint, row]));
}

describe("FAILURES 37: requests are counted by route template", () => {
  it("never by their path, and without query values, ids and headers", async () => {
    const id = await app.create();
    await app.call("GET", `/api/agent/tasks/${id}?secret=hunter2`);
    await app.call("GET", `/api/agent/tasks/${NOBODY}`);
    await app.call("PATCH", `/api/agent/tasks/${id}`, { current_step: "hunter2" }, { "x-idea-id": "hunter2" });
    await app.call("GET", `/api/agent/tasks/${id}/log`);
    await app.call("GET", "/api/agent/tasks/count");
    await app.call("GET", "/api/agent/tasks?status=pending&limit=7");
    await app.call("GET", "/api/agent/backlogs/hunter2/items");
    await app.call("GET", "/api/hunter2?x=hunter2");
    await app.call("GET", "/api/agent/tasks/a/b/c");
    const rows = await counted();
    expect([...rows.keys()].sort()).toEqual([
      "/api/agent/backlogs/{id}/items",
      "/api/agent/tasks",
      "/api/agent/tasks/count",
      "/api/agent/tasks/{task_id}",
      "/api/agent/tasks/{task_id}/log",
      "unmatched",
    ]);
    expect(rows.get("/api/agent/tasks/{task_id}")).toMatchObject({
      methods: ["GET", "PATCH"],
      event_count: 3,
      status_counts: { "200": 2, "404": 1 },
      by_source: { api: 3 },
    });
    expect(rows.get("/api/agent/tasks")).toMatchObject({ methods: ["GET", "POST"], event_count: 2 });
    expect(rows.get("unmatched")).toMatchObject({ event_count: 2, status_counts: { "404": 2 } });
    const now = deps.clock.now();
    for (const span of ["minute", "hour", "day"] as const) {
      const items = await Store.queryAll(deps.store, { pk: Keys.requestPartition(span, now) });
      expect(items.length).toBeGreaterThan(0);
      expect(JSON.stringify(items)).not.toMatch(new RegExp(`hunter2|${id}|${NOBODY}`));
    }
  });

  it("every row has a template, each of its own", () => {
    const templates = routes.map(({ method, path }) => `${method} ${templateOf(path)}`);
    expect(new Set(templates).size).toBe(templates.length);
    expect(templates).toContain("GET /api/agent/tasks/{task_id}/attempts");
    expect(templates.join()).not.toContain(":");
  });

  it("under any method, and only under /api", async () => {
    const served = createApp({ deps, authenticate: () => ({ kind: "operator" }), recorder });
    const ask = (method: string, path: string) => served.request(`http://127.0.0.1:8000${path}`, { method });
    expect((await ask("HEAD", "/api/health")).status).toBe(200);
    expect((await ask("DELETE", "/api/health")).status).toBe(405);
    expect((await ask("BREW", "/api/health")).status).toBe(405);
    expect((await ask("BREW", "/api/agent/nothing")).status).toBe(404);
    expect((await ask("GET", "/apiary")).status).toBe(404);
    expect((await ask("GET", "/")).status).toBe(404);
    const rows = await counted();
    expect([...rows.keys()].sort()).toEqual(["/api/health", "unmatched"]);
    expect(rows.get("/api/health")).toMatchObject({
      methods: ["DELETE", "HEAD", "OTHER"],
      status_counts: { "200": 1, "405": 2 },
    });
    expect(rows.get("unmatched")).toMatchObject({ methods: ["OTHER"], event_count: 1 });
  });

  it("with the status of what the guards, the keys and our own faults refuse", async () => {
    await app.call("GET", "/api/agent/tasks/count", undefined, { origin: "http://evil.example" });
    const keyless = await api({
      on: deps,
      recorder,
      authenticate: () => {
        throw fail("auth.missing", "A key is needed");
      },
    });
    await keyless.call("GET", `/api/agent/tasks/${NOBODY}`);
    const broken = await api({
      on: deps,
      recorder,
      authenticate: () => {
        throw new Error("ours");
      },
    });
    await broken.call("GET", "/api/agent/metrics");
    const rows = await counted();
    expect(Object.fromEntries([...rows].map(([route, row]) => [route, row.status_counts]))).toEqual({
      "/api/agent/tasks/count": { "403": 1 },
      "/api/agent/tasks/{task_id}": { "401": 1 },
      "/api/agent/metrics": { "500": 1 },
    });
  });
});

it("a request waits for no write: a store that never answers telemetry slows and fails nobody", async () => {
  between(deps.store, async (_, input, next) =>
    JSON.stringify(input).includes('"REQ') ? new Promise<never>(() => {}) : next(),
  );
  await app.call("GET", "/api/agent/tasks/count");
  void recorder.flush();
  const id = await app.create();
  expect((await app.call("GET", `/api/agent/tasks/${id}`)).status).toBe(200);
  void recorder.flush();
  expect((await app.call("GET", "/api/agent/tasks/count")).status).toBe(200);
});

it("without a recorder nothing is counted", async () => {
  const quiet = await api({ on: deps });
  await quiet.call("GET", "/api/health");
  expect((await counted()).size).toBe(0);
});

describe("GET /api/runtime/endpoints/summary", () => {
  const PATH = "/api/runtime/endpoints/summary";

  it("is empty for an empty store, over an hour when nothing else is asked", async () => {
    expect((await app.call("GET", PATH)).body).toEqual({ window_seconds: 3600, endpoints: [] });
  });

  it("shows what was asked before it", async () => {
    await app.call("GET", "/api/health");
    await recorder.flush();
    const { body } = await app.call("GET", `${PATH}?seconds=60`);
    expect(Telemetry.Endpoints.parse(body)).toEqual(body);
    expect(body).toMatchObject({ window_seconds: 60, endpoints: [{ endpoint: "/api/health", event_count: 1 }] });
  });

  it.each([
    [60, 200],
    [2_592_000, 200],
    [59, 422],
    [2_592_001, 422],
  ])("seconds=%i answers %i", async (seconds, status) => {
    expect((await app.call("GET", `${PATH}?seconds=${seconds}`)).status).toBe(status);
  });

  it.each(["many", "1.5", "", "60s", "NaN"])("seconds=%s is no number of seconds", async (given) => {
    const answer = await app.call("GET", `${PATH}?seconds=${given}`);
    expect(answer.status).toBe(422);
    expect(Object.keys(typesByField(answer))).toEqual(["seconds"]);
  });
});
