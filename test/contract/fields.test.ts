import { beforeAll, describe, expect, it } from "vitest";
import { describeBody, describeFields, type Endpoint, type Field, type Ready } from "./fields.ts";
import { contract, type Body, type Contract } from "./support.ts";
import * as Tables from "./tables.ts";

/** Every field of every endpoint (1.1 to 1.5) at its bounds, beyond them, and of every other type. */

let app: Contract;
/** With a token, without which execute is closed. */
let open: Contract;
beforeAll(async () => {
  app = await contract();
  open = await app.with({ AGENT_EXECUTE_TOKEN: "t" });
});
let made = 0;
const TOKEN = { "x-agent-execute-token": "t" };
const count = async () => (await app.get("/api/agent/tasks/count")).body;

const create: Endpoint = {
  place: "body",
  fields: Tables.CREATE,
  status: 201,
  begin: async () => ({
    good: { direction: "do it", task_type: "impl" },
    send: (body) => app.post("/api/agent/tasks", body),
    state: count,
  }),
};
describeFields("POST /tasks", create);
describeBody("POST /tasks", create);

const update: Endpoint = {
  place: "body",
  fields: Tables.UPDATE,
  async begin() {
    const id = await app.create();
    return { good: { context: {}, progress_pct: 1 }, send: (body) => app.patch(id, body), state: () => app.items(id) };
  },
};
describeFields("PATCH /tasks/{id}", update);
describeBody("PATCH /tasks/{id}", update);

const upsert: Endpoint = {
  place: "body",
  fields: Tables.UPSERT,
  shows: (body) => body.task as Body,
  begin: async () => ({
    // A session of its own each time, so that each one creates.
    good: { session_key: `session-${made++}`, direction: "do it" },
    send: (body) => app.post("/api/agent/tasks/upsert-active", body),
    state: count,
  }),
};
describeFields("POST /tasks/upsert-active", upsert);
describeBody("POST /tasks/upsert-active", upsert);

const executed = (path: (id: string) => string): Endpoint => ({
  place: "query",
  fields: Tables.EXECUTE,
  shows: null,
  async begin() {
    const id = await app.create();
    return {
      good: {},
      send: (query) => open.post(`/api/agent/tasks/${path(id)}?${String(query)}`, undefined, TOKEN),
      state: () => app.items(id),
    };
  },
});
describeFields(
  "POST /tasks/{id}/execute",
  executed((id) => `${id}/execute`),
);
const pickup = executed(() => "pickup-and-execute");
describeFields("POST /tasks/pickup-and-execute", {
  ...pickup,
  fields: [...pickup.fields, { name: "task_type", kind: "word", words: Tables.TYPES }],
});

/** A body about a run on a task of its own; `begun`: the run has its lease. */
const run = (path: string, fields: readonly Field[], begun: boolean): Endpoint => ({
  place: "body",
  fields,
  async begin() {
    const good = { task_id: await app.create(), run_id: "run_1", worker_id: "host-1:42" };
    if (begun) expect((await app.post("/api/agent/run-state/claim", good)).body).toMatchObject({ claimed: true });
    return {
      good,
      send: (body) => app.post(`/api/agent/run-state/${path}`, body),
      state: async () => [await app.items(good.task_id), (await app.get(`/api/agent/run-state/${good.task_id}`)).body],
    };
  },
});
for (const [path, fields, begun] of [
  ["claim", Tables.CLAIM, false],
  ["heartbeat", Tables.HEARTBEAT, true],
  ["update", Tables.RUN_UPDATE, true],
] as const) {
  describeFields(`POST /run-state/${path}`, run(path, fields, begun));
  describeBody(`POST /run-state/${path}`, run(path, fields, begun));
}

const runner: Endpoint = {
  place: "body",
  fields: Tables.RUNNER,
  begin: async () => ({
    good: { runner_id: `runner-${made++}` },
    send: (body) => app.post("/api/agent/runners/heartbeat", body),
    state: async () => (await app.get("/api/agent/runners?include_stale=1&limit=500")).body,
  }),
};
describeFields("POST /runners/heartbeat", runner);
describeBody("POST /runners/heartbeat", runner);

const query = (path: string, fields: readonly Field[], good: Body = {}): void =>
  describeFields(`GET ${path}`, {
    place: "query",
    fields,
    shows: null,
    begin: async (): Promise<Ready> => ({
      good,
      send: (sent) => app.get(`/api/agent${path}?${String(sent)}`),
      state: async () => undefined,
    }),
  });
query("/tasks", Tables.LIST);
query("/tasks/attention", Tables.ATTENTION);
query("/runners", Tables.RUNNERS);
query("/route", Tables.ROUTE, { task_type: "impl" });

describe("a length is counted in characters, not in UTF-16 units", () => {
  it.each([
    ["direction", 5000],
    ["target_state", 600],
  ])("%s of %i smileys is taken, one more is not", async (name, most) => {
    const send = (n: number) =>
      app.post("/api/agent/tasks", { direction: "do it", task_type: "impl", [name]: "🙂".repeat(n) });
    expect((await send(most)).status).toBe(201);
    expect((await send(most + 1)).status).toBe(422);
  });

  it.each([
    ["/tasks/upsert-active", { direction: "x" }, "session_key", 200],
    ["/runners/heartbeat", {}, "runner_id", 200],
  ])("POST %s, %o: %s of %i smileys", async (path, good, name, most) => {
    const send = (n: number) => app.post(`/api/agent${path}`, { ...good, [name]: "🙂".repeat(n) });
    expect((await send(most)).status).toBe(200);
    expect((await send(most + 1)).status).toBe(422);
  });
});
