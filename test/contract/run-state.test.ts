import { describe, expect, it } from "vitest";
import * as Task from "../../core/work/task/index.ts";
import { expectShape, RunState, Written } from "./shapes.ts";
import { ms, NOBODY } from "./support.ts";
import { withApp, app, A, B, claim, say, update, read, leaseMs } from "./run-state-support.ts";

withApp();

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

  it("skipped is no end (1.3): the lease runs out by itself, and until then keeps others away", async () => {
    const id = await app.create();
    const granted = await claim(id);
    const skipped = await update(id, { status: "skipped", failure_class: "claim_conflict", next_action: "skip" });
    expect(skipped).toMatchObject({ claimed: true, status: "skipped", lease_expires_at: granted.lease_expires_at });
    expect(await claim(id, B)).toMatchObject({ claimed: false, detail: "lease_owned_by_other_worker", ...A });
    expect(await say("heartbeat", { task_id: id, ...A })).toMatchObject({ claimed: true, status: "running" });
    await update(id, { status: "skipped" });
    await app.clock.advance(120_000);
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
