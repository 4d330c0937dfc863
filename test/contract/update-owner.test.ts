import { describe, expect, it } from "vitest";
import * as Task from "../../core/work/task/index.ts";
import { inStatus, ms, OWNER, refused, type Body, type Status } from "./support.ts";
import { withApp, app, ok } from "./update-support.ts";

withApp();

describe("claims", () => {
  it("the first claim says who and when", async () => {
    const id = await app.create();
    await app.clock.advance(3000);
    const task = await ok(id, { status: "running", worker_id: OWNER });
    expect(task).toMatchObject({ status: "running", claimed_by: OWNER });
    expect(ms(task.claimed_at)).toBe(app.clock.now());
  });

  it("the owner's own again is idempotent, another's is 409 with the owner's name", async () => {
    const id = await inStatus(app, "running");
    const { claimed_at } = await app.task(id);
    await app.clock.advance(1000);
    expect(await ok(id, { status: "running", worker_id: OWNER })).toMatchObject({ claimed_at, claimed_by: OWNER });
    await refused(app, id, { status: "running", worker_id: "other" }, 409, `Task already claimed by ${OWNER}`);
  });

  it.each([{}, { worker_id: " " }, { worker_id: null }])("%j claims as `unknown`", async (body) => {
    const id = await app.create();
    expect(await ok(id, { status: "running", ...body })).toMatchObject({ claimed_by: "unknown" });
    expect(await ok(id, { status: "running", ...body })).toMatchObject({ claimed_by: "unknown" });
    await refused(app, id, { status: "running", worker_id: OWNER }, 409, "Task already claimed by unknown");
  });

  it("`unknown` does not get what another has", async () => {
    await refused(app, await inStatus(app, "running"), { status: "running" }, 409);
  });

  it("a question is claimed by who asked it, and by nobody else", async () => {
    const id = await inStatus(app, "needs_decision");
    await refused(app, id, { status: "running", worker_id: "other" }, 409, `Task already claimed by ${OWNER}`);
    expect(await ok(id, { status: "running", worker_id: OWNER })).toMatchObject({ claimed_by: OWNER });
  });

  it("18. requeueing clears the claim, and any worker may take it", async () => {
    const id = await inStatus(app, "running");
    const queued = await ok(id, { status: "pending", worker_id: OWNER, current_step: "retry scheduled" });
    expect(queued).toMatchObject({ claimed_by: null, claimed_at: null, current_step: "retry scheduled" });
    expect(await ok(id, { status: "running", worker_id: "other" })).toMatchObject({ claimed_by: "other" });
  });

  it("a task of a backlog's item answers 409 from outside, and looks parked for an hour", async () => {
    const item = { backlog: "b", item: "i", seq: 1, phase: "spec", round: 0 } as const;
    const made = await Task.create(app.deps, { direction: "x", task_type: "spec" }, { key: "b#i#1", item });
    const { id } = made.task.row;
    await refused(app, id, { status: "running", worker_id: OWNER }, 409);
    await refused(app, id, { status: "completed", output: "done" }, 409);
    const { context } = (await app.get(`/api/agent/tasks/${id}`)).body as { context: Body };
    expect(ms(context.retry_not_before) - app.clock.now()).toBe(3_600_000);
  });
});

describe("whose word counts", () => {
  const ENDS: readonly Body[] = [
    { status: "completed", output: "mine" },
    { status: "failed", output: "mine" },
    { status: "needs_decision", decision_prompt: "?" },
    { status: "pending" },
  ];
  const cases = ENDS.map((body) => [body.status as Status, body] as const);

  it.each(cases)("another worker cannot make it %s", async (_status, body) => {
    const id = await inStatus(app, "running");
    await refused(app, id, { ...body, worker_id: "other" }, 409);
    await refused(app, id, { ...body, context: { runner_id: "other" } }, 409);
  });

  it.each(cases)("its owner makes it %s, by worker_id or by context.runner_id", async (status, body) => {
    for (const name of [{ worker_id: OWNER }, { context: { runner_id: OWNER } }])
      expect(await ok(await inStatus(app, "running"), { ...body, ...name })).toMatchObject({ status });
  });

  it.each(cases)(
    "a caller who names no worker makes it %s: an operator here, a key elsewhere",
    async (status, body) => {
      expect(await ok(await inStatus(app, "running"), body)).toMatchObject({ status });
      const remote = await app.with({}, { authenticate: () => ({ kind: "key", id: "k", scopes: ["run"] }) });
      expect(await ok(await inStatus(app, "running"), body, remote)).toMatchObject({ status });
    },
  );

  it("after the end only its owner has a second word (completed, then failed)", async () => {
    const id = await inStatus(app, "completed");
    await refused(app, id, { status: "failed", worker_id: "other" }, 409);
    expect(await ok(id, { status: "failed", worker_id: OWNER, output: "push refused" })).toMatchObject({
      status: "failed",
    });
  });

  it.each(["completed", "failed"] as const)("context after it %s is kept and moves no status", async (status) => {
    const id = await inStatus(app, status);
    const { context } = await ok(id, { context: { runner_id: OWNER, runner_last_result: "x" } });
    expect(context).toMatchObject({ runner_last_result: "x" });
    expect((await app.task(id)).status).toBe(status);
  });

  it("context after a requeue is kept and moves no status", async () => {
    const id = await inStatus(app, "running");
    await ok(id, { status: "pending", worker_id: OWNER });
    const after = await ok(id, { context: { runner_id: OWNER, runner_state: "retry_pending" } });
    expect(after).toMatchObject({ status: "pending", claimed_by: null, context: { runner_state: "retry_pending" } });
  });

  it("19. what is said under a lost lease is 409", async () => {
    const id = await inStatus(app, "running");
    await ok(id, { status: "pending", worker_id: OWNER });
    await ok(id, { status: "running", worker_id: "other" });
    for (const body of [{ progress_pct: 99 }, { output: "late" }, { current_step: "late" }, { status: "completed" }])
      await refused(app, id, { ...body, worker_id: OWNER }, 409);
  });
});
