import { beforeAll, describe, expect, it } from "vitest";
import { createApp } from "../../functions/api/app.ts";
import { api, ORIGIN } from "../functions/api/support.ts";
import { itemOf, pushItems, testPipeline, untilStill } from "../support/pipeline.ts";
import { expectShape, ListItem } from "./shapes.ts";
import { contract, inStatus, NOBODY, OWNER, type Body, type Contract } from "./support.ts";

/** Contract 1.2: execute and pickup-and-execute. */

const TOKEN = { "x-agent-execute-token": "sesame" };
let app: Contract;
beforeAll(async () => {
  app = await (await contract()).with({ AGENT_EXECUTE_TOKEN: "sesame" });
});
const execute = (id: string, query = "", headers: Record<string, string> = TOKEN, on = app) =>
  on.post(`/api/agent/tasks/${id}/execute${query}`, undefined, headers);
const pickup = (query = "", headers: Record<string, string> = TOKEN, on = app) =>
  on.post(`/api/agent/tasks/pickup-and-execute${query}`, undefined, headers);
const contextOf = async (id: string) => (await app.task(id)).context as Body;

describe("the token", () => {
  const ON = { AGENT_EXECUTE_TOKEN: "sesame" };
  const OPEN = { AGENT_EXECUTE_TOKEN_ALLOW_UNAUTH: "1" };

  it.each<[Record<string, string>, string | undefined, number, number]>([
    [ON, "sesame", 200, 200],
    [ON, "  sesame ", 200, 200],
    [ON, undefined, 403, 403],
    [ON, "", 403, 403],
    [ON, "Sesame", 403, 403],
    [ON, "sesam", 403, 403],
    [ON, "sesame2", 403, 403],
    [{ ...ON, ...OPEN }, undefined, 403, 403],
    [{ ...ON, ...OPEN }, "sesame", 200, 200],
    [{}, undefined, 403, 403],
    [{}, "", 403, 403],
    [{}, "sesame", 403, 403],
    [OPEN, undefined, 200, 403],
    [OPEN, "anything", 200, 403],
    [{ AGENT_EXECUTE_TOKEN_ALLOW_UNAUTH: "true" }, undefined, 200, 403],
    [{ AGENT_EXECUTE_TOKEN_ALLOW_UNAUTH: "yes" }, undefined, 200, 403],
    [{ AGENT_EXECUTE_TOKEN_ALLOW_UNAUTH: "0" }, undefined, 403, 403],
    [{ AGENT_EXECUTE_TOKEN_ALLOW_UNAUTH: "no" }, undefined, 403, 403],
  ])("settings %j, header %j: execute %i, pickup %i", async (env, token, executes, picks) => {
    const own = await app.with(env);
    const id = await own.create();
    const headers: Record<string, string> = token === undefined ? {} : { "x-agent-execute-token": token };
    for (const [answer, status] of [
      [await execute(id, "", headers, own), executes],
      [await pickup(`?task_id=${id}`, headers, own), picks],
    ] as const) {
      expect(answer.status, answer.text).toBe(status);
      if (status === 403) expect(answer.body).toEqual({ detail: "Forbidden" });
    }
  });

  it("is looked at before the task", async () => {
    expect((await execute(NOBODY, "", {})).status).toBe(403);
    expect((await pickup(`?task_id=${NOBODY}`, {})).status).toBe(403);
  });

  it("a refused call changes nothing", async () => {
    const id = await app.create();
    const before = await app.items(id);
    await execute(id, "?force_paid_providers=1", {});
    await pickup(`?task_id=${id}&force_paid_providers=1`, {});
    expect(await app.items(id)).toEqual(before);
  });
});

describe("execute", () => {
  it("answers at once, with the task's id and no more to say", async () => {
    const id = await app.create();
    const { status, body } = await execute(id);
    expect([status, body]).toMatchObject([200, { ok: true, task_id: id }]);
  });

  it("an unknown task is 404", async () => {
    const { status, body } = await execute(NOBODY);
    expect([status, body]).toEqual([404, { detail: "Task not found" }]);
  });

  it.each(["running", "completed", "failed", "needs_decision", "cancelled"] as const)(
    "one that is %s answers 200 all the same and stays what it is",
    async (status) => {
      const id = await inStatus(app, status);
      const before = await app.task(id);
      const answer = await execute(id);
      expect([answer.status, answer.body]).toMatchObject([200, { ok: true, task_id: id }]);
      const after = await app.task(id);
      expect([after.status, after.claimed_by, after.output]).toEqual([before.status, before.claimed_by, before.output]);
    },
  );
});

describe("pickup-and-execute", () => {
  it("with nothing to pick up says so with 200", async () => {
    const empty = await (await contract()).with({ AGENT_EXECUTE_TOKEN: "sesame" });
    for (const query of ["", "?task_type=impl"]) {
      const { status, body } = await pickup(query, TOKEN, empty);
      expect([status, body]).toEqual([200, { ok: false, picked: false, reason: "No pending tasks" }]);
    }
  });

  it("takes the oldest pending task, and shows it as it was", async () => {
    const own = await (await contract()).with({ AGENT_EXECUTE_TOKEN: "sesame" });
    await inStatus(own, "completed");
    await own.clock.advance(10);
    const oldest = await own.create({ task_type: "spec" });
    await own.clock.advance(10);
    const heal = await own.create({ task_type: "heal" });
    await own.clock.advance(10);
    const newest = await own.create({ task_type: "spec" });
    for (const [query, id] of [
      ["?task_type=heal", heal],
      ["?task_type=spec", oldest],
      ["", newest],
    ] as const) {
      const { status, body } = await pickup(query, TOKEN, own);
      expect([status, body]).toMatchObject([200, { ok: true, picked: true, task: { id, status: "pending" } }]);
      expectShape(ListItem, body.task);
    }
    const none = await pickup("?task_type=test", TOKEN, own);
    expect(none.body).toEqual({ ok: false, picked: false, reason: "No pending tasks" });
  });

  it.each(["at once", "one after the other"])("five callers %s get five tasks, a sixth none", async (how) => {
    const own = await (await contract()).with({ AGENT_EXECUTE_TOKEN: "sesame" });
    const ids = [];
    for (let i = 0; i < 5; i++) ids.push(await own.create({ task_type: "impl" }));
    const answers = [];
    if (how === "at once") answers.push(...(await Promise.all(ids.map(() => pickup("", TOKEN, own)))));
    else for (const _ of ids) answers.push(await pickup("", TOKEN, own));
    const picked = answers.map(({ body }) => (body.task as Body).id);
    expect(picked.sort()).toEqual(ids.sort());
    expect((await pickup("", TOKEN, own)).body).toMatchObject({ picked: false });
  });

  it.each(["pending", "running", "completed", "failed", "needs_decision"] as const)(
    "a task that is named is taken though it is %s",
    async (status) => {
      const id = await inStatus(app, status);
      const answer = await pickup(`?task_id=${id}`);
      expect([answer.status, answer.body]).toMatchObject([200, { ok: true, picked: true, task: { id, status } }]);
      expect((await app.task(id)).status).toBe(status);
    },
  );

  it("one that is named and unknown is 404", async () => {
    const { status, body } = await pickup(`?task_id=${NOBODY}`);
    expect([status, body]).toEqual([404, { detail: "Task not found" }]);
  });
});

describe("forcing paid providers", () => {
  const FORCED = [
    ...["force_paid_providers", "force_paid_provider", "force_allow_paid_providers"].map((name) => `${name}=1`),
    ...["allow_paid_providers", "allow_paid_provider", "force_paid"].map((name) => `${name}=true`),
    ...["1", "true", "TRUE", "yes", "Yes", "on", "y", "Y"].map((word) => `force_paid_providers=${word}`),
    "force_paid_providers",
    "force_paid_providers=",
    "FoRcE-PaId-PrOvIdErS",
    "Force.Paid.Provider=1",
    "force%20paid=on",
    "allow-paid-providers=y&limit=3",
    "FORCE_PAID=",
    "force_paid_providers=0&allow_paid_provider=1",
  ];
  const NOT_FORCED = [
    "",
    ...["0", "false", "no", "off", "n", "maybe", "2"].map((word) => `force_paid_providers=${word}`),
    "force_paid_providersx=1",
    "xforce_paid=1",
    "paid=1",
    "forcepaid=1",
  ];

  it.each(FORCED)("?%s forces, and the task says from where", async (query) => {
    for (const send of [execute, (id: string, q: string) => pickup(`${q}&task_id=${id}`)]) {
      const id = await app.create();
      expect((await send(id, `?${query}`)).status).toBe(200);
      expect(await contextOf(id)).toMatchObject({ force_paid_providers: true, force_paid_override_source: "query" });
    }
  });

  it.each(NOT_FORCED)("?%s does not", async (query) => {
    for (const send of [execute, (id: string, q: string) => pickup(`${q}&task_id=${id}`)]) {
      const id = await app.create();
      expect((await send(id, `?${query}`)).status).toBe(200);
      const context = await contextOf(id);
      for (const key of ["force_paid_providers", "force_paid_override_source"]) expect(context).not.toHaveProperty(key);
    }
  });

  it.each([
    ["1", true],
    ["true", true],
    ["YES", true],
    ["on", true],
    ["y", true],
    ["0", false],
    ["false", false],
    ["maybe", false],
    ["", false],
  ])("the header X-Force-Paid-Providers: %j → %s", async (word, forced) => {
    const id = await app.create();
    expect((await execute(id, "", { ...TOKEN, "x-force-paid-providers": word })).status).toBe(200);
    const context = await contextOf(id);
    if (forced) expect(context).toMatchObject({ force_paid_providers: true, force_paid_override_source: "header" });
    else expect(context).not.toHaveProperty("force_paid_providers");
  });

  it("pickup calls the source `query` even when it was the header", async () => {
    const id = await app.create();
    expect((await pickup(`?task_id=${id}`, { ...TOKEN, "x-force-paid-providers": "1" })).status).toBe(200);
    expect(await contextOf(id)).toMatchObject({ force_paid_providers: true, force_paid_override_source: "query" });
  });

  it("a context that forces already stays as it is", async () => {
    const id = await app.create({ context: { force_paid_providers: "yes" } });
    expect((await execute(id, "?force_paid_providers=1")).status).toBe(200);
    const context = await contextOf(id);
    expect(context.force_paid_providers).toBe("yes");
    expect(context).not.toHaveProperty("force_paid_override_source");
  });
});

describe("who runs what is posted", () => {
  const external = { dispatch: "external" };

  it.each<[Record<string, string>, Body, boolean]>([
    [{}, {}, true],
    [{ AGENT_AUTO_EXECUTE: "1" }, {}, true],
    [{ AGENT_AUTO_EXECUTE: "true" }, {}, true],
    [{ AGENT_AUTO_EXECUTE: "0" }, {}, false],
    [{ AGENT_AUTO_EXECUTE: "false" }, {}, false],
    [{}, external, false],
    [{ AGENT_AUTO_EXECUTE: "1" }, external, false],
    [{ AGENT_AUTO_EXECUTE: "0" }, external, false],
  ])("settings %j, context %j: the pipeline itself: %s", async (env, context, ours) => {
    const deps = await testPipeline({ env });
    const one = await api({ on: deps });
    const id = await one.create({ context });
    await untilStill(deps);
    const { status, claimed_by } = (await one.call("GET", `/api/agent/tasks/${id}`)).body;
    expect(status).toBe(ours ? "completed" : "pending");
    if (!ours) expect(claimed_by).toBeNull();
  });

  it("the pipeline's own items are always its own", async () => {
    const deps = await testPipeline({ env: { AGENT_AUTO_EXECUTE: "0" } });
    await pushItems(deps, ["x"]);
    await untilStill(deps);
    expect((await itemOf(deps, "x")).state).toBe("done");
  });
});

describe("what is executed is worked on by the pipeline", () => {
  it.each(["execute", "pickup-and-execute"])("%s of a task that waited for outside runners", async (verb) => {
    const deps = await testPipeline({ env: { AGENT_AUTO_EXECUTE: "0", AGENT_EXECUTE_TOKEN: "sesame" } });
    const hono = createApp({ deps, authenticate: () => ({ kind: "operator" }) });
    const send = async (path: string, body?: unknown) => {
      const response = await hono.request(`${ORIGIN}/api/agent${path}`, {
        method: "POST",
        headers: { ...TOKEN, ...(body ? { "content-type": "application/json" } : {}) },
        ...(body ? { body: JSON.stringify(body) } : {}),
      });
      expect(response.status).toBeLessThan(300);
      return (await response.json()) as Body;
    };
    const read = async (id: string) => (await (await hono.request(`${ORIGIN}/api/agent/tasks/${id}`)).json()) as Body;
    const { id } = (await send("/tasks", { direction: "work", task_type: "review" })) as { id: string };
    const other = (await send("/tasks", { direction: "not this", task_type: "impl" })) as { id: string };
    await untilStill(deps);
    expect((await read(id)).status).toBe("pending");

    await send(verb === "execute" ? `/tasks/${id}/execute` : "/tasks/pickup-and-execute?task_type=review");
    await untilStill(deps);
    expect((await read(id)).status).toBe("completed");
    expect((await read(other.id)).status).toBe("pending");
  });

  it("not while a runner holds it: the runner's own end is the task's", async () => {
    const deps = await testPipeline({ env: { AGENT_AUTO_EXECUTE: "0", AGENT_EXECUTE_TOKEN: "sesame" } });
    const hono = createApp({ deps, authenticate: () => ({ kind: "operator" }) });
    const send = async (method: string, path: string, body?: unknown) => {
      const response = await hono.request(`${ORIGIN}/api/agent/tasks${path}`, {
        method,
        headers: { ...TOKEN, ...(body ? { "content-type": "application/json" } : {}) },
        ...(body ? { body: JSON.stringify(body) } : {}),
      });
      return { status: response.status, body: (await response.json()) as Body };
    };
    const id = String((await send("POST", "", { direction: "work", task_type: "review" })).body.id);
    await send("PATCH", `/${id}`, { status: "running", worker_id: OWNER });
    expect((await send("POST", `/${id}/execute`)).status).toBe(200);
    await untilStill(deps);
    expect(deps.requests).toEqual([]);
    const done = await send("PATCH", `/${id}`, { status: "completed", worker_id: OWNER, output: "the runner's" });
    expect([done.status, done.body]).toMatchObject([200, { status: "completed", output: "the runner's" }]);
  });
});
