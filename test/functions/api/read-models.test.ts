import { beforeAll, describe, expect, it } from "vitest";
import { readModels } from "../../../functions/api/routes/read-models.ts";
import { api, type Api } from "./support.ts";

let app: Api;
beforeAll(async () => {
  app = await api();
});

describe.each(readModels.map(({ path }) => path))("%s", (path) => {
  it("answers 200 for an empty store, with exactly what its row says", async () => {
    expect((await app.call("GET", path)).status).toBe(200);
  });

  it("takes no parameters: what is given is passed over", async () => {
    expect((await app.call("GET", `${path}?limit=many&status=%00&__proto__=1`)).status).toBe(200);
  });

  it("is read only", async () => {
    const answer = await app.call("POST", path, {});
    expect([answer.status, answer.headers.get("allow")]).toEqual([405, "GET"]);
  });
});

it("usage counts a client's run by its worker", async () => {
  const id = await app.create();
  await app.call("PATCH", `/api/agent/tasks/${id}`, { status: "running", worker_id: "openai-codex:1" });
  await app.call("PATCH", `/api/agent/tasks/${id}`, { status: "completed", worker_id: "openai-codex:1" });
  const { body } = await app.call("GET", "/api/agent/usage");
  expect(body).toMatchObject({
    execution: {
      tracked_runs: 1,
      success_rate: 1,
      codex_runs: 1,
      by_agent: { "openai-codex": { count: 1, completed: 1, failed: 0 } },
      recent_runs: [{ task_id: id, is_openai_codex: true, status_code: 200 }],
    },
  });
  expect((await app.call("GET", "/api/agent/visibility")).body).toMatchObject({
    pipeline: { recent_completed_count: 1 },
    usage: body,
    remaining_usage: { coverage_rate: 1, health: "green" },
  });
});
