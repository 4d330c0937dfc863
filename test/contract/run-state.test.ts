import { beforeAll, describe, expect, it } from "vitest";
import * as Pipeline from "../../core/flow/pipeline/index.ts";
import * as Task from "../../core/work/task/index.ts";
import { createApp } from "../../functions/api/app.ts";
import { api } from "../functions/api/support.ts";
import { hold, newTask, testPipeline } from "../support/pipeline.ts";
import { expectShape, RunState, Written } from "./shapes.ts";
import { contract, inStatus, ms, NOBODY, OWNER, type Body, type Contract } from "./support.ts";

/** Contract 1.3 with its decisions: leases of runs. */

let app: Contract;
beforeAll(async () => {
  app = await contract();
});
type Snapshot = Body & { claimed: boolean };

const A = { run_id: "run_aaaaaaaaaaaa", worker_id: OWNER };
const B = { run_id: "run_bbbbbbbbbbbb", worker_id: "host-2:77" };
const DENIED = "lease_owned_by_other_worker";

async function say(verb: "claim" | "heartbeat" | "update", body: Body, on = app): Promise<Snapshot> {
  const answer = await on.post(`/api/agent/run-state/${verb}`, body);
  expect(answer.status, answer.text).toBe(200);
  expectShape(RunState, answer.body);
  return answer.body as Snapshot;
}
const claim = (task_id: string, body: Body = A, on = app) => say("claim", { task_id, ...body }, on);
const beat = (task_id: string, body: Body = A) => say("heartbeat", { task_id, ...body });
const update = (task_id: string, patch: Body, body: Body = A) => say("update", { task_id, ...body, patch });
const read = async (id: string) => (await app.get(`/api/agent/run-state/${id}`)).body as Snapshot;
const leaseMs = (snapshot: Snapshot) => ms(snapshot.lease_expires_at) - app.clock.now();

describe("claiming", () => {
  it("is granted on a task that nobody has: running, execute_command, nothing known yet", async () => {
    const id = await app.create();
    const snapshot = await claim(id);
    expect(snapshot).toMatchObject({
      claimed: true,
      task_id: id,
      ...A,
      status: "running",
      attempt: 1,
      next_action: "execute_command",
      detail: null,
    });
    for (const key of ["head_sha", "checkpoint_sha", "failure_class"]) expect(snapshot[key] ?? "").toBe("");
    expect(leaseMs(snapshot)).toBe(120_000);
    for (const key of ["last_heartbeat_at", "updated_at"]) expect(ms(snapshot[key])).toBe(app.clock.now());
  });

  it("keeps what was said: attempt, branch, path, lease", async () => {
    const id = await app.create();
    const said = { attempt: 3, branch: "codex/x", repo_path: "/src/x" };
    const snapshot = await claim(id, { ...A, ...said, lease_seconds: 15, metadata: { a: 1 } });
    expect(snapshot).toMatchObject(said);
    expect(leaseMs(snapshot)).toBe(15_000);
    expect(await read(id)).toMatchObject({ claimed: true, ...A, ...said, status: "running" });
  });

  it("changes nothing of the task", async () => {
    const id = await app.create();
    const before = await app.task(id);
    await claim(id);
    const after = await app.task(id);
    expect([after.status, after.claimed_by, after.context]).toEqual([before.status, before.claimed_by, before.context]);
  });

  it("an unknown task is denied as such", async () => {
    expect(await claim(NOBODY)).toMatchObject({ claimed: false, task_id: NOBODY, detail: "task_not_found" });
    expect((await app.get(`/api/agent/run-state/${NOBODY}`)).status).toBe(404);
  });

  it.each([
    ["another worker's run", B],
    ["another run of the same worker", { ...A, run_id: B.run_id }],
    ["the same run of another worker", { ...A, worker_id: B.worker_id }],
  ])("19. while it lasts %s is denied, told who has it, and changes nothing", async (_name, other) => {
    const id = await app.create();
    const granted = await claim(id, { ...A, attempt: 2, branch: "b" });
    const before = await app.items(id);
    await app.clock.advance(1000);
    expect(await claim(id, { ...other, attempt: 9 })).toMatchObject({
      claimed: false,
      detail: DENIED,
      ...A,
      status: "running",
      attempt: 2,
      branch: "b",
      lease_expires_at: granted.lease_expires_at,
    });
    expect(await app.items(id)).toEqual(before);
  });

  it("again by the same run renews it", async () => {
    const id = await app.create();
    await claim(id);
    await app.clock.advance(60_000);
    const again = await claim(id);
    expect(again).toMatchObject({ claimed: true, ...A });
    expect(leaseMs(again)).toBe(120_000);
  });

  it("to the millisecond: one that has run out is anybody's, one that has not is not", async () => {
    const id = await app.create();
    await claim(id, { ...A, lease_seconds: 15 });
    await app.clock.advance(14_999);
    expect(await claim(id, B)).toMatchObject({ claimed: false });
    await app.clock.advance(1);
    expect(await claim(id, B)).toMatchObject({ claimed: true, ...B });
  });

  it.each(["completed", "failed", "cancelled", "needs_decision"])(
    "one whose run said %s is anybody's",
    async (status) => {
      const id = await app.create();
      await claim(id);
      await update(id, { status });
      expect(await claim(id, B)).toMatchObject({ claimed: true, ...B, status: "running" });
    },
  );

  it.each(["completed", "failed", "cancelled"] as const)(
    "a task that %s is denied in the one word runners obey",
    async (status) => {
      const id = await inStatus(app, status);
      const before = await app.items(id);
      expect(await claim(id)).toMatchObject({ claimed: false, detail: DENIED });
      expect(await app.items(id)).toEqual(before);
    },
  );

  it("a backlog item's task is denied in the same word", async () => {
    const item = { backlog: "b", item: "i", seq: 1, phase: "spec", round: 0 } as const;
    const made = await Task.create(app.deps, { direction: "x", task_type: "spec" }, { key: "b#i#1", item });
    expect(await claim(made.task.row.id)).toMatchObject({ claimed: false, detail: DENIED });
  });

  it("a task that our own pipeline runs is denied in the same word", async () => {
    const deps = await testPipeline();
    const one = await api({ on: deps });
    const id = await newTask(deps);
    await hold(deps, id);
    const answer = await one.call("POST", "/api/agent/run-state/claim", { task_id: id, ...A });
    expect([answer.status, answer.body]).toMatchObject([200, { claimed: false, detail: DENIED }]);
  });

  it("16 runs at once: one has it", async () => {
    const id = await app.create();
    const all = await Promise.all(
      Array.from({ length: 16 }, (_, i) => claim(id, { run_id: `run_${i}`, worker_id: `w${i}` })),
    );
    const [winner, ...more] = all.filter((one) => one.claimed);
    expect(more).toEqual([]);
    expect(new Set(all.map((one) => one.run_id))).toEqual(new Set([winner?.run_id]));
  });
});

describe("heartbeats", () => {
  it("renew the lease and say what runs", async () => {
    const id = await app.create();
    await claim(id, { ...A, lease_seconds: 15 });
    await app.clock.advance(10_000);
    const snapshot = await beat(id);
    expect(snapshot).toMatchObject({ claimed: true, ...A, status: "running", next_action: "execute_command" });
    expect(leaseMs(snapshot)).toBe(120_000);
    expect(ms(snapshot.last_heartbeat_at)).toBe(app.clock.now());
    expect(leaseMs(await beat(id, { ...A, lease_seconds: 3600 }))).toBe(3_600_000);
  });

  it("of a stranger are a mismatch and change nothing", async () => {
    const id = await app.create();
    await claim(id);
    const before = await app.items(id);
    await app.clock.advance(1000);
    for (const other of [B, { ...A, run_id: B.run_id }, { ...A, worker_id: B.worker_id }])
      expect(await beat(id, other)).toMatchObject({ claimed: false, detail: "lease_owner_mismatch" });
    expect(await app.items(id)).toEqual(before);
  });

  it("without a run are not found", async () => {
    for (const id of [await app.create(), NOBODY])
      expect(await beat(id)).toMatchObject({ claimed: false, task_id: id, detail: "run_state_not_found" });
  });

  it("25. of a run whose lease was taken over are a mismatch", async () => {
    const id = await app.create();
    await claim(id, { ...A, lease_seconds: 15 });
    await app.clock.advance(15_000);
    await claim(id, B);
    expect(await beat(id)).toMatchObject({ claimed: false, detail: "lease_owner_mismatch" });
    expect(await read(id)).toMatchObject(B);
  });

  it.each(["completed", "failed", "cancelled", "needs_decision"])(
    "31. never revive a run that said %s",
    async (status) => {
      const id = await app.create();
      await claim(id);
      const end = await update(id, { status });
      await app.clock.advance(1000);
      await beat(id);
      expect(await read(id)).toMatchObject({ status, lease_expires_at: end.lease_expires_at });
      expect(await claim(id, B)).toMatchObject({ claimed: true });
    },
  );
});

describe("updates", () => {
  it("keep every key they may change, and pass over the rest", async () => {
    const id = await app.create();
    await claim(id);
    await app.clock.advance(1000);
    const patch = {
      attempt: 4,
      branch: "codex/y",
      repo_path: "/src/y",
      head_sha: "abc",
      checkpoint_sha: "def",
      failure_class: "timeout",
      next_action: "pr_delivery",
    };
    const snapshot = await update(id, {
      ...patch,
      metadata: { a: 1 },
      worker_id: "thief",
      task_id: NOBODY,
      nonsense: 1,
    });
    expect(snapshot).toMatchObject({ claimed: true, task_id: id, ...A, ...patch, status: "running" });
    for (const key of ["updated_at", "last_heartbeat_at"]) expect(ms(snapshot[key])).toBe(app.clock.now());
    expect(await read(id)).toMatchObject({ task_id: id, ...A, ...patch });
  });

  it.each(["running", "completed", "failed", "skipped", "needs_decision", "pending", "cancelled"])(
    "take the status %s",
    async (status) => {
      const id = await app.create();
      await claim(id);
      expect(await update(id, { status })).toMatchObject({ claimed: true, status });
    },
  );

  it.each([
    "execute_command",
    "finalize",
    "pr_delivery",
    "done",
    "needs_attention",
    "retry_scheduled",
    "steering_required",
    "abort_requested",
    "requeue_for_resume",
    "needs_manual_attention",
    "skip",
  ])("take the next action %s", async (next_action) => {
    const id = await app.create();
    await claim(id);
    expect(await update(id, { next_action })).toMatchObject({ next_action });
  });

  it("without lease_seconds leave the lease's end, with it renew it", async () => {
    const id = await app.create();
    const { lease_expires_at } = await claim(id);
    await app.clock.advance(10_000);
    expect((await update(id, { branch: "b" })).lease_expires_at).toBe(lease_expires_at);
    expect(leaseMs(await update(id, {}, { ...A, lease_seconds: 60 }))).toBe(60_000);
  });

  it.each(["completed", "failed", "cancelled", "needs_decision"])("%s ends the lease now", async (status) => {
    const id = await app.create();
    await claim(id);
    await app.clock.advance(5000);
    const snapshot = await update(id, { status }, { ...A, lease_seconds: 600 });
    expect(leaseMs(snapshot)).toBe(0);
  });

  it.each([{}, { lease_seconds: 600 }])("pending (requeue) ends it too, with %j", async (more) => {
    const id = await app.create();
    await claim(id);
    await update(id, { status: "pending", next_action: "requeue_for_resume" }, { ...A, ...more });
    expect(await claim(id, B)).toMatchObject({ claimed: true, ...B });
  });

  it("of a run that gave its task back do not take it again", async () => {
    const id = await app.create();
    await claim(id);
    await update(id, { status: "pending" });
    const before = await app.items(id);
    const denied = { claimed: false, detail: "lease_owner_mismatch" };
    expect(await update(id, { status: "running" }, { ...A, lease_seconds: 600 })).toMatchObject(denied);
    expect(await app.items(id)).toEqual(before);
    await update(id, { branch: "b" }, { ...A, lease_seconds: 600 });
    expect(await Task.row(app.deps.store, id)).not.toHaveProperty("run_until");
    expect(await claim(id, B)).toMatchObject({ claimed: true, ...B });
  });

  it("of a stranger are a mismatch and change nothing, required or not", async () => {
    const id = await app.create();
    await claim(id);
    const before = await app.items(id);
    expect(await update(id, { status: "failed" }, B)).toMatchObject({ claimed: false, detail: "lease_owner_mismatch" });
    await update(id, { status: "failed" }, { ...B, require_owner: false, lease_seconds: 600 });
    expect(await app.items(id)).toEqual(before);
    expect(await read(id)).toMatchObject({ ...A, status: "running" });
  });

  it("by the owner who requires no owner are his", async () => {
    const id = await app.create();
    await claim(id);
    expect(await update(id, { branch: "b" }, { ...A, require_owner: false })).toMatchObject({
      claimed: true,
      branch: "b",
    });
  });

  it("without a run are not found", async () => {
    for (const id of [await app.create(), NOBODY])
      expect(await update(id, { status: "failed" })).toMatchObject({
        claimed: false,
        task_id: id,
        detail: "run_state_not_found",
      });
  });

  it.each(["started_at", "completed_at", "last_heartbeat_at"])("34. a %s without a zone is 422", async (key) => {
    const id = await app.create();
    await claim(id);
    const before = await app.items(id);
    for (const value of ["2026-05-20T12:00:00", "2026-05-20T12:00:00.123456", "yesterday"]) {
      const answer = await app.post("/api/agent/run-state/update", { task_id: id, ...A, patch: { [key]: value } });
      expect(answer.status, `${JSON.stringify(value)} ${answer.text}`).toBe(422);
    }
    expect(await app.items(id)).toEqual(before);
    await update(id, { [key]: "2026-05-20T12:00:00+02:00" });
    await update(id, { [key]: "2026-05-20T12:00:00.123456Z" });
  });

  it("an attempt is at least 1", async () => {
    const id = await app.create();
    await claim(id);
    const answer = await app.post("/api/agent/run-state/update", { task_id: id, ...A, patch: { attempt: 0 } });
    if (answer.status === 200) expect(answer.body.attempt).toBe(1);
    else expect(answer.status).toBe(422);
  });
});

describe("reading", () => {
  it("a run is shown whole, its times with +00:00", async () => {
    const id = await app.create();
    await claim(id);
    const snapshot = await read(id);
    expectShape(RunState, snapshot);
    expect(snapshot).toMatchObject({ claimed: true, task_id: id, ...A });
    for (const key of ["lease_expires_at", "last_heartbeat_at", "updated_at"]) expectShape(Written, snapshot[key]);
  });

  it("is still claimed in its answer when the lease has run out or the run has ended", async () => {
    const id = await app.create();
    await claim(id);
    await app.clock.advance(1_000_000);
    expect(await read(id)).toMatchObject({ claimed: true, ...A });
    const other = await app.create();
    await claim(other);
    await update(other, { status: "failed" });
    expect(await read(other)).toMatchObject({ claimed: true, status: "failed" });
  });

  it.each([
    ["a task without a run", true],
    ["an unknown task", false],
  ])("%s is 404", async (_name, there) => {
    const answer = await app.get(`/api/agent/run-state/${there ? await app.create() : NOBODY}`);
    expect([answer.status, answer.body]).toEqual([404, { detail: "Run state not found" }]);
  });
});

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
