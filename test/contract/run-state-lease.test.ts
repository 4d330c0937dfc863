import { describe, expect, it } from "vitest";
import * as Pipeline from "../../core/flow/pipeline/index.ts";
import { createApp } from "../../functions/api/app.ts";
import { api } from "../functions/api/support.ts";
import { newTask, testPipeline } from "../support/pipeline.ts";
import { inStatus, OWNER, type Body } from "./support.ts";
import { withApp, app, A, B, claim, update } from "./run-state-support.ts";

withApp();

describe("a lease and its task", () => {
  const run = (id: string, worker_id: string) => app.patch(id, { status: "running", worker_id });

  it("only its worker may start the task while it lasts", async () => {
    const id = await app.create();
    await claim(id);
    const before = await app.items(id);
    expect((await run(id, B.worker_id)).status).toBe(409);
    expect((await app.patch(id, { status: "completed", worker_id: B.worker_id })).status).toBe(409);
    expect(await app.items(id)).toEqual(before);
    expect((await run(id, A.worker_id)).status).toBe(200);
  });

  it("when it has run out anybody may", async () => {
    const id = await app.create();
    await claim(id, { ...A, lease_seconds: 15 });
    await app.clock.advance(15_000);
    expect((await run(id, B.worker_id)).body).toMatchObject({ status: "running", claimed_by: B.worker_id });
  });

  it("a lease that is asked for later takes nothing from who runs the task without one", async () => {
    const id = await inStatus(app, "running");
    await claim(id, B);
    expect((await run(id, B.worker_id)).status).toBe(409);
    expect((await app.patch(id, { progress_pct: 5, worker_id: B.worker_id })).status).toBe(409);
    expect((await app.patch(id, { progress_pct: 5, worker_id: OWNER })).status).toBe(200);
    const done = await app.patch(id, { status: "completed", output: "all is done", worker_id: OWNER });
    expect([done.status, done.body.status]).toEqual([200, "completed"]);
  });

  it("the attempt's lease follows it: a runner that dies gives the task back with its lease", async () => {
    const deps = await testPipeline({ env: { AGENT_AUTO_EXECUTE: "0" } });
    const one = await api({ on: deps });
    const id = await one.create();
    const post = async (path: string, body: Body) =>
      (await one.call("POST", `/api/agent/run-state/${path}`, body)).body;
    expect(await post("claim", { task_id: id, ...A, lease_seconds: 60 })).toMatchObject({ claimed: true });
    await one.call("PATCH", `/api/agent/tasks/${id}`, { status: "running", worker_id: A.worker_id });
    const status = async () => (await one.call("GET", `/api/agent/tasks/${id}`)).body.status;
    // Kept by heartbeats of the run alone.
    for (let i = 0; i < 40; i++) {
      await deps.clock.advance(50_000);
      expect(await post("heartbeat", { task_id: id, ...A, lease_seconds: 60 })).toMatchObject({ claimed: true });
      await Pipeline.reap(deps);
    }
    expect(await status()).toBe("running");
    await deps.clock.advance(59_000);
    await Pipeline.reap(deps);
    expect(await status()).toBe("running");
    await deps.clock.advance(1001);
    await Pipeline.reap(deps);
    expect(await status()).toBe("pending");
    expect(await post("claim", { task_id: id, ...B })).toMatchObject({ claimed: true, ...B });
    const late = await one.call("PATCH", `/api/agent/tasks/${id}`, { status: "completed", worker_id: A.worker_id });
    expect(late.status).toBe(409);
  });

  it("a final word about the run ends no attempt: the task waits for its PATCH", async () => {
    const id = await app.create();
    await claim(id);
    await run(id, A.worker_id);
    await update(id, { status: "completed" });
    expect((await app.task(id)).status).toBe("running");
    const done = await app.patch(id, { status: "completed", output: "all is done", worker_id: A.worker_id });
    expect([done.status, done.body.status]).toEqual([200, "completed"]);
  });

  it("nothing that has a live one is started by us", async () => {
    const deps = await testPipeline();
    const hono = createApp({ deps, authenticate: () => ({ kind: "operator" }) });
    const id = await newTask(deps);
    const response = await hono.request("http://127.0.0.1:8000/api/agent/run-state/claim", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ task_id: id, ...A }),
    });
    expect(await response.json()).toMatchObject({ claimed: true });
    expect(await Pipeline.dispatch(deps)).toEqual([]);
    await deps.clock.advance(120_000);
    expect(await Pipeline.dispatch(deps)).toEqual([id]);
  });
});
