import { describe, expect, it } from "vitest";
import * as Pipeline from "../../core/flow/pipeline/index.ts";
import { api } from "../functions/api/support.ts";
import { meanwhile, newTask, testPipeline } from "../support/pipeline.ts";
import { inStatus, OWNER, refused, standing, type Body, type Contract } from "./support.ts";
import { withApp, app, ok } from "./update-support.ts";

withApp();

/** Who has a task: nobody else gets it, and whoever asks is told who has it now. */

const A = { run_id: "run_aaaaaaaaaaaa", worker_id: OWNER };
const B = { run_id: "run_bbbbbbbbbbbb", worker_id: "host-2:77" };
const HELD = `Task already claimed by ${OWNER}`;

const claimRun = async (task_id: string, body: Body = A, on: Contract = app) =>
  (await on.post("/api/agent/run-state/claim", { task_id, ...body })).body;
const leased = async (more: Body = {}, lease_seconds = 60) => {
  const id = await app.create(more);
  expect(await claimRun(id, { ...A, lease_seconds })).toMatchObject({ claimed: true });
  return id;
};

describe("a live run-state lease keeps its pending task", () => {
  const WORDS: Body[] = [
    { status: "running" },
    { status: "completed", output: "all is done" },
    { status: "failed" },
    { status: "needs_decision", decision_prompt: "?" },
  ];

  it.each(WORDS)("from %j of another and of nobody by name: 409 naming the holder", async (body) => {
    const id = await leased();
    for (const who of [{ worker_id: B.worker_id }, { context: { runner_id: B.worker_id } }, {}])
      await refused(app, id, { ...body, ...who }, 409, HELD);
    await app.clock.advance(59_999);
    await refused(app, id, { ...body, worker_id: B.worker_id }, 409, HELD);
    await app.clock.advance(1);
    expect(await ok(id, { ...body, worker_id: B.worker_id })).toMatchObject({ status: body.status });
  });

  it.each(WORDS)("not from %j of its own worker", async (body) => {
    expect(await ok(await leased(), { ...body, worker_id: OWNER })).toMatchObject({ status: body.status });
  });

  it("from another run's claim, which is told who has it", async () => {
    const id = await leased();
    const before = await standing(app, id);
    for (const other of [B, { ...B, worker_id: OWNER }])
      expect(await claimRun(id, other)).toMatchObject({
        claimed: false,
        detail: "lease_owned_by_other_worker",
        ...A,
        status: "running",
      });
    expect(await standing(app, id)).toEqual(before);
  });

  it("from a session of another's", async () => {
    const session_key = "leased";
    const id = await leased({ context: { session_key } });
    const before = await standing(app, id);
    const upsert = (worker_id: string) =>
      app.post("/api/agent/tasks/upsert-active", { session_key, direction: "x", worker_id });
    const answer = await upsert(B.worker_id);
    expect([answer.status, answer.body]).toEqual([409, { detail: HELD }]);
    expect(await standing(app, id)).toEqual(before);
    expect((await upsert(OWNER)).body).toMatchObject({ created: false, task: { id, claimed_by: OWNER } });
  });

  it("a runner that was denied may say that it waits, as the contract has it", async () => {
    const said = { current_step: "waiting for lease", context: { retry_not_before: "2026-05-20T12:00:05+00:00" } };
    expect(await ok(await leased(), said)).toMatchObject({ status: "pending", ...said });
  });
});

describe("a live run-state lease and our own runner", () => {
  const TOKEN = { "x-agent-execute-token": "t" };

  it("execute answers 200 and starts nothing, pickup takes another; when it has run out both may", async () => {
    const deps = await testPipeline({ env: { AGENT_EXECUTE_TOKEN: "t" } });
    const one = await api({ on: deps });
    const id = await newTask(deps, { context: { dispatch: "external" } });
    await one.call("POST", "/api/agent/run-state/claim", { task_id: id, ...A, lease_seconds: 60 });
    const before = await one.items(id);
    const execute = () => one.call("POST", `/api/agent/tasks/${id}/execute`, undefined, TOKEN);
    const pickup = () => one.call("POST", "/api/agent/tasks/pickup-and-execute", undefined, TOKEN);
    expect([(await execute()).status, (await pickup()).body.picked]).toEqual([200, false]);
    expect(await one.items(id)).toEqual(before);
    expect(await Pipeline.dispatch(deps)).toEqual([]);
    // Its worker starts it and gives it back: it is for runners as before, not ours.
    for (const body of [{ status: "running" }, { status: "pending" }])
      await one.call("PATCH", `/api/agent/tasks/${id}`, { ...body, worker_id: OWNER });
    expect(await Pipeline.dispatch(deps)).toEqual([]);
    expect((await execute()).status).toBe(200);
    expect(await Pipeline.dispatch(deps)).toEqual([id]);
  });

  it.each(["execute", "pickup-and-execute"])("a lease that comes while %s looks keeps it", async (verb) => {
    const deps = await testPipeline({ env: { AGENT_EXECUTE_TOKEN: "t" } });
    const one = await api({ on: deps });
    const id = await newTask(deps, { context: { dispatch: "external" } });
    let after: unknown;
    meanwhile(deps.store, "write", `T#${id}`, async () => {
      await one.call("POST", "/api/agent/run-state/claim", { task_id: id, ...A, lease_seconds: 60 });
      after = await one.items(id);
    });
    const path = verb === "execute" ? `${id}/execute` : verb;
    expect((await one.call("POST", `/api/agent/tasks/${path}`, undefined, TOKEN)).status).toBe(200);
    expect(after).toBeDefined();
    expect(await one.items(id)).toEqual(after);
  });
});

describe("what asks is claimed again by who asked (2.4)", () => {
  it("by another it is 409, by its own worker 200", async () => {
    const id = await inStatus(app, "needs_decision");
    for (const who of [{ worker_id: "other" }, { context: { runner_id: "other" } }, {}])
      await refused(app, id, { status: "running", ...who }, 409, HELD);
    expect(await ok(id, { status: "running", worker_id: OWNER })).toMatchObject({ status: "running" });
  });

  it("what nobody had begun is anybody's", async () => {
    const id = await app.create();
    await ok(id, { status: "needs_decision", decision_prompt: "which?" });
    expect(await ok(id, { status: "running", worker_id: "other" })).toMatchObject({ claimed_by: "other" });
  });

  it("once it is answered it is anybody's", async () => {
    const id = await inStatus(app, "needs_decision");
    await ok(id, { decision: "blue" });
    expect(await ok(id, { status: "running", worker_id: "other" })).toMatchObject({ claimed_by: "other" });
  });
});

describe("who is refused is told who has it now", () => {
  it("a claim that another came before", async () => {
    const id = await app.create();
    meanwhile(app.deps.store, "write", `T#${id}`, () => ok(id, { status: "running", worker_id: "quick" }));
    const answer = await app.patch(id, { status: "running", worker_id: "slow" });
    expect([answer.status, answer.body]).toEqual([409, { detail: "Task already claimed by quick" }]);
  });

  it("a claim that met the lease of another's run", async () => {
    const id = await app.create();
    meanwhile(app.deps.store, "write", `T#${id}`, () => claimRun(id));
    const answer = await app.patch(id, { status: "running", worker_id: "slow" });
    expect([answer.status, answer.body]).toEqual([409, { detail: HELD }]);
  });

  it("a session's claim that another came before", async () => {
    const session_key = "quick";
    const id = await app.create({ context: { session_key } });
    meanwhile(app.deps.store, "write", `T#${id}`, () => ok(id, { status: "running", worker_id: "quick" }));
    const answer = await app.post("/api/agent/tasks/upsert-active", { session_key, direction: "x", worker_id: "slow" });
    expect([answer.status, answer.body]).toEqual([409, { detail: "Task already claimed by quick" }]);
  });

  it("a final word that came after another's claim", async () => {
    const id = await inStatus(app, "running");
    meanwhile(app.deps.store, "write", `T#${id}`, async () => {
      await app.post(`/api/agent/tasks/${id}/release`);
      await ok(id, { status: "running", worker_id: "next" });
    });
    const answer = await app.patch(id, { status: "completed", worker_id: OWNER, output: "all is done" });
    expect([answer.status, answer.body]).toEqual([409, { detail: "Task already claimed by next" }]);
  });

  it("a run-state claim: not of a run that is long over, but who runs it", async () => {
    const id = await app.create();
    await claimRun(id);
    await ok(id, { status: "running", worker_id: OWNER });
    await ok(id, { status: "pending", worker_id: OWNER });
    await app.post("/api/agent/run-state/update", { task_id: id, ...A, patch: { status: "pending" } });
    await ok(id, { status: "running", worker_id: "next" });
    const denied = { claimed: false, detail: "lease_owned_by_other_worker", worker_id: "next", run_id: null };
    for (const other of [A, B]) expect(await claimRun(id, other)).toMatchObject(denied);
  });

  it("a run-state claim on what asks, under the lease of another than who asked", async () => {
    const id = await inStatus(app, "needs_decision");
    expect(await claimRun(id, B)).toMatchObject({ claimed: true });
    expect(await claimRun(id, { run_id: "run_c", worker_id: "w3" })).toMatchObject({ claimed: false, ...B });
  });
});
