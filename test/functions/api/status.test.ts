import { beforeAll, expect, it } from "vitest";
import { Keys } from "../../../core/ground/store/index.ts";
import * as Store from "../../../core/ground/store/index.ts";
import * as Worker from "../../../core/flow/worker/index.ts";
import * as Provider from "../../../core/work/provider/index.ts";
import { api, type Api } from "./support.ts";
import { coolDown, models } from "../../support/pipeline.ts";

let app: Api;
beforeAll(async () => {
  app = await api();
});

it("pipeline-status of an empty store is whole: every list, every flag", async () => {
  const { status, body } = await app.call("GET", "/api/agent/pipeline-status");
  expect(status).toBe(200);
  expect(body).toMatchObject({
    running: [],
    pending: [],
    recent_completed: [],
    running_by_phase: { spec: 0, impl: 0, test: 0, review: 0 },
    latest_request: null,
    latest_response: null,
    attention: {
      stuck: false,
      repeated_failures: false,
      output_empty: false,
      executor_fail: false,
      low_success_rate: false,
      flags: [],
    },
    project_manager: null,
  });
});

it("metrics of an empty store are zeros and empty maps", async () => {
  const { status, body } = await app.call("GET", "/api/agent/metrics");
  expect(status).toBe(200);
  expect(body).toMatchObject({
    success_rate: { completed: 0, failed: 0, total: 0, rate: 0 },
    execution_time: { p50_seconds: 0, p95_seconds: 0 },
    by_task_type: {},
    by_model: {},
    usage: { coverage: expect.any(Number) as number },
  });
});

it("providers show what their probe answered and what cools down", async () => {
  const codex = { name: "codex", account: "none", models: models("m1", "m2") };
  await Provider.saveReadiness(app.deps, codex, { ready: false, detail: "no key", remedy: "set one" });
  await coolDown(
    app.deps,
    { provider: "codex", account: "none", model: "m1" },
    { class: "rate_limit", message: "429", status: 429, retry_after_ms: 60_000 },
  );
  const { body } = await app.call("GET", "/api/agent/providers");
  expect(body).toMatchObject({
    total: 1,
    providers: [
      {
        name: "codex",
        ready: false,
        detail: "no key",
        remedy: "set one",
        models: ["m1", "m2"],
        cooling_until: null,
        cooldowns: [{ model: "m1", class: "rate_limit", until: expect.stringMatching(/Z$/) as string }],
      },
    ],
  });
});

it("workers show what they have in hand, never the token that an execution waits on", async () => {
  await Worker.register(app.deps, { id: "w1", capabilities: ["codex"], capacity: 2 });
  const worker = await Worker.find(app.deps, "w1");
  if (!worker) throw new Error("no worker");
  await Worker.reserve(app.deps, worker, { task: "task_0000000000000001", attempt: 1, turn: 1, token: "the-token" });
  const live = await app.call("GET", "/api/agent/workers");
  expect(live.body).toMatchObject({
    total: 1,
    workers: [
      {
        id: "w1",
        capabilities: ["codex"],
        slots: 2,
        live: true,
        doing: [{ task_id: "task_0000000000000001", attempt: 1, step: null }],
      },
    ],
  });
  expect(live.text).not.toContain("the-token");
  await Store.write(app.deps.store, { kind: "update", key: Keys.worker("w1"), set: { until: 1 } });
  expect((await app.call("GET", "/api/agent/workers")).body).toMatchObject({ workers: [{ live: false }] });
});
