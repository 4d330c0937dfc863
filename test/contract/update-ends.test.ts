import { describe, expect, it } from "vitest";
import { contract, inStatus, ms, OWNER, type Body } from "./support.ts";
import { withApp, app, ok } from "./update-support.ts";

withApp();

const metrics = async (on = app) => (await on.get("/api/agent/metrics")).body as Record<string, Body>;

describe("decisions", () => {
  it("answer 200 with status pending, and need no worker", async () => {
    const id = await inStatus(app, "needs_decision");
    const decided = await ok(id, { decision: "blue" });
    expect(decided).toMatchObject({
      status: "pending",
      decision: "blue",
      decision_prompt: "red or blue?",
      claimed_by: null,
    });
  });

  it("with the status pending beside them are the same", async () => {
    const id = await inStatus(app, "needs_decision");
    expect(await ok(id, { status: "pending", decision: "red" })).toMatchObject({ status: "pending", decision: "red" });
  });

  it("reach the next attempt of any worker", async () => {
    const id = await inStatus(app, "needs_decision");
    await ok(id, { decision: "blue" });
    expect(await ok(id, { status: "running", worker_id: "other" })).toMatchObject({ decision: "blue" });
  });

  it("beside a claim are kept", async () => {
    const id = await inStatus(app, "needs_decision");
    const claimed = await ok(id, { status: "running", worker_id: OWNER, decision: "blue" });
    expect(claimed).toMatchObject({ status: "running", claimed_by: OWNER, decision: "blue" });
  });

  it.each(["pending", "running", "completed"] as const)(
    "in %s the first is stored, the second is not",
    async (status) => {
      const id = await inStatus(app, status);
      expect(await ok(id, { decision: "first" })).toMatchObject({ status, decision: "first" });
      expect(await ok(id, { decision: "second" })).toMatchObject({ status, decision: "first" });
    },
  );

  it("a new question forgets the old answer", async () => {
    const id = await inStatus(app, "needs_decision");
    await ok(id, { decision: "blue" });
    await ok(id, { status: "running", worker_id: OWNER });
    const asked = await ok(id, { status: "needs_decision", worker_id: OWNER, decision_prompt: "and now?" });
    expect(asked).toMatchObject({ decision: null, decision_prompt: "and now?" });
    expect(await ok(id, { decision: "green" })).toMatchObject({ status: "pending", decision: "green" });
  });
});

describe("what follows (2.5)", () => {
  it("every change moves updated_at, which is null before the first", async () => {
    const id = await app.create();
    expect((await app.task(id)).updated_at).toBeNull();
    for (const body of [{ current_step: "a" }, { status: "running", worker_id: OWNER }, { context: { a: 1 } }]) {
      await app.clock.advance(1000);
      expect(ms((await ok(id, body)).updated_at)).toBe(app.clock.now());
    }
  });

  it.each(["completed", "failed"] as const)(
    "a task that %s is one record, however often it is said",
    async (status) => {
      const own = await contract();
      const id = await inStatus(own, status);
      for (let i = 0; i < 3; i++) {
        await own.clock.advance(1000);
        await ok(id, { status, worker_id: OWNER, output: "again" }, own);
      }
      const { success_rate } = await metrics(own);
      expect(success_rate).toMatchObject({ total: 1, [status]: 1 });
    },
  );

  it("32. the record counts the run, not the queue, and its type is the plain word", async () => {
    const own = await contract();
    const id = await own.create({ task_type: "test" });
    await own.clock.advance(600_000);
    await ok(id, { status: "running", worker_id: OWNER }, own);
    await own.clock.advance(10_000);
    await ok(id, { status: "completed", worker_id: OWNER, output: "took ten seconds" }, own);
    const { execution_time, by_task_type } = await metrics(own);
    expect(execution_time).toMatchObject({ p50_seconds: 10, p95_seconds: 10 });
    expect(by_task_type).toEqual({ test: { count: 1, completed: 1, failed: 0, success_rate: 1 } });
  });

  it.each(["pending", "needs_decision"] as const)("a task that becomes %s has not ended", async (status) => {
    const own = await contract();
    const id = await inStatus(own, "running");
    await ok(id, { status, worker_id: OWNER }, own);
    expect((await metrics(own)).success_rate).toMatchObject({ completed: 0, failed: 0, total: 0, rate: 0 });
  });

  it("the second word counts once, as what it says", async () => {
    const own = await contract();
    const id = await inStatus(own, "completed");
    await own.clock.advance(1000);
    await ok(id, { status: "failed", worker_id: OWNER, output: "push refused" }, own);
    expect((await metrics(own)).success_rate).toMatchObject({ completed: 0, failed: 1, total: 1, rate: 0 });
    await own.clock.advance(1000);
    await ok(id, { status: "needs_decision", worker_id: OWNER, decision_prompt: "merge?" }, own);
    expect((await metrics(own)).success_rate).toMatchObject({ completed: 0, failed: 0, total: 0 });
  });

  it("a pending task that is finished at once has been claimed and finished", async () => {
    const id = await app.create();
    const done = await ok(id, { status: "completed", output: "done in one", worker_id: OWNER });
    expect(done).toMatchObject({ status: "completed", claimed_by: OWNER, output: "done in one" });
    expect(done.claimed_at).not.toBeNull();
  });

  it("`failed` without a reason is taken and says so", async () => {
    const id = await inStatus(app, "running");
    const failed = await ok(id, { status: "failed", worker_id: OWNER });
    expect(failed).toMatchObject({ status: "failed", error: { class: "unreported" } });
  });

  it("the end that a runner sends first, 4 000 characters, is kept whole", async () => {
    const id = await inStatus(app, "running");
    const output = "o".repeat(4000);
    expect(await ok(id, { status: "completed", worker_id: OWNER, output })).toMatchObject({ output });
  });
});
