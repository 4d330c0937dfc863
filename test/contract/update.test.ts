import { beforeAll, describe, expect, it } from "vitest";
import * as Task from "../../core/work/task/index.ts";
import { expectShape, Task as TaskShape } from "./shapes.ts";
import { contract, inStatus, ms, NOBODY, OWNER, refused, type Body, type Contract, type Status } from "./support.ts";

/** Contract 1.1.2, 2.4, 2.5 and DESIGN 4: what a PATCH changes, who may make it, what follows from it. */

let app: Contract;
beforeAll(async () => {
  app = await contract();
});
const ok = async (id: string, body: unknown, on = app) => {
  const answer = await on.patch(id, body);
  expect(answer.status, answer.text).toBe(200);
  expectShape(TaskShape, answer.body);
  return answer.body as Body & { context: Body };
};
const metrics = async (on = app) => (await on.get("/api/agent/metrics")).body as Record<string, Body>;

describe("the fields of a PATCH", () => {
  it.each([{}, { output: null }, { status: null, context: null }, { nonsense: 1 }])(
    "%j is 400 before the task is looked for",
    async (body) => {
      for (const id of [NOBODY, await app.create()]) {
        const answer = await app.patch(id, body);
        expect([answer.status, answer.body]).toEqual([400, { detail: "At least one field required" }]);
      }
    },
  );

  it("an unknown task is 404", async () => {
    const answer = await app.patch(NOBODY, { current_step: "x" });
    expect([answer.status, answer.body]).toEqual([404, { detail: "Task not found" }]);
  });

  it.each([{ context: {} }, { worker_id: "x" }])("%j alone only moves updated_at", async (body) => {
    const id = await app.create();
    const { updated_at: never, ...before } = await app.task(id);
    expect(never).toBeNull();
    await app.clock.advance(5000);
    const { updated_at, ...after } = await ok(id, body);
    expect(after).toEqual(before);
    expect(ms(updated_at)).toBe(app.clock.now());
  });

  it.each<[string, Body]>([
    ["output", { output: "half way" }],
    ["progress", { progress_pct: 50 }],
    ["step", { current_step: "reading" }],
    ["prompt", { decision_prompt: "why?" }],
    ["decision", { decision: "because" }],
    ["target", { target_state: "done", success_evidence: ["a"], abort_evidence: ["b"], observation_window_sec: 60 }],
  ])("sets %s and leaves the rest", async (_name, body) => {
    const id = await app.create({ context: { mine: 1 } });
    const before = await app.task(id);
    await app.clock.advance(1000);
    const after = await ok(id, body);
    // The target contract lies in the context too.
    expect({ ...after, context: 0 }).toEqual({ ...before, ...body, updated_at: after.updated_at, context: 0 });
    expect(after.context).toMatchObject({ mine: 1 });
  });

  it("null clears nothing", async () => {
    const id = await app.create();
    const said = { output: "o", progress_pct: 5, current_step: "s", decision_prompt: "p", decision: "d" };
    await ok(id, said);
    const nulls = Object.fromEntries(Object.keys(said).map((key) => [key, null]));
    expect(await ok(id, { ...nulls, context: { a: 1 } })).toMatchObject(said);
  });

  it("a context is merged one level deep", async () => {
    const id = await app.create({ context: { a: { x: 1 }, b: 2 } });
    const { context } = await ok(id, { context: { a: { y: 2 }, c: null } });
    expect(context).toMatchObject({ a: { y: 2 }, b: 2, c: null });
    expect(context.a).not.toHaveProperty("x");
  });

  describe("the target contract lies in the context (2.1, 2.2): both say the same", () => {
    const contracts = [
      { target_state: "reached" },
      { success_evidence: ["green"] },
      { abort_evidence: ["red"] },
      { observation_window_sec: 77 },
    ];
    it.each(contracts)("after a PATCH of %j", async (body) => {
      const id = await app.create();
      const after = await ok(id, body);
      expect(after).toMatchObject(body);
      expect(after.context).toMatchObject({ ...body, target_state_contract: body });
    });
    it.each(contracts)("after a PATCH of a context with %j", async (body) => {
      const after = await ok(await app.create(), { context: body });
      expect(after).toMatchObject(body);
      expect(after.context).toMatchObject(body);
    });
  });

  it("everything at once", async () => {
    const id = await app.create();
    const all = {
      output: "o",
      progress_pct: 10,
      current_step: "s",
      decision_prompt: "p",
      target_state: "t",
      success_evidence: ["e"],
      abort_evidence: ["f"],
      observation_window_sec: 99,
    };
    const done = await ok(id, { ...all, status: "running", worker_id: OWNER, context: { k: 1 } });
    expect(done).toMatchObject({ ...all, status: "running", claimed_by: OWNER, context: { k: 1 } });
  });
});

describe("statuses (DESIGN 4)", () => {
  /** What a PATCH of the task's owner may make of each status; the rest of the square is refused. */
  const MAY: Readonly<Record<Status, readonly Status[]>> = {
    pending: ["running", "needs_decision", "failed", "completed"],
    running: ["completed", "failed", "needs_decision", "pending"],
    needs_decision: ["running", "completed", "failed"],
    failed: ["needs_decision"],
    cancelled: [],
    completed: ["failed", "needs_decision"],
  };
  const FROM = Object.keys(MAY) as Status[];
  const TO = ["pending", "running", "completed", "failed", "needs_decision"] as const;
  const square = FROM.flatMap((from) => TO.filter((to) => to !== from).map((to) => [from, to] as const));

  it.each(square.filter(([from, to]) => MAY[from].includes(to)))("%s → %s", async (from, to) => {
    const id = await inStatus(app, from);
    expect(await ok(id, { status: to, worker_id: OWNER, output: "long enough" })).toMatchObject({ id, status: to });
    expect((await app.task(id)).status).toBe(to);
  });

  it.each(square.filter(([from, to]) => !MAY[from].includes(to)))(
    "%s → %s is 409 and changes nothing",
    async (from, to) => {
      const id = await inStatus(app, from);
      await refused(app, id, { status: to, worker_id: OWNER, output: "late", context: { late: 1 } }, 409);
    },
  );

  it.each(["pending", "running", "completed", "failed"] as const)("%s again, by its owner, is 200", async (status) => {
    const id = await inStatus(app, status);
    const counts = (await app.get("/api/agent/tasks/count")).body;
    expect(await ok(id, { status, worker_id: OWNER })).toMatchObject({ status });
    expect((await app.get("/api/agent/tasks/count")).body).toEqual(counts);
  });

  it("`cancelled` is no word of a PATCH", async () => {
    expect((await app.patch(await app.create(), { status: "cancelled" })).status).toBe(422);
  });

  it.each(["completed", "failed"] as const)("who would run one that %s is told who had it", async (status) => {
    const id = await inStatus(app, status);
    for (const worker_id of [OWNER, "other"])
      await refused(app, id, { status: "running", worker_id }, 409, `Task already claimed by ${OWNER}`);
  });
});

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

  it("a question is claimed like what is pending", async () => {
    const id = await inStatus(app, "needs_decision");
    expect(await ok(id, { status: "running", worker_id: "other" })).toMatchObject({ claimed_by: "other" });
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
    const claimed = await ok(id, { status: "running", worker_id: "other", decision: "blue" });
    expect(claimed).toMatchObject({ status: "running", claimed_by: "other", decision: "blue" });
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

describe("context keys that runners keep there (2.8, 2.9)", () => {
  it("are stored as they are", async () => {
    const id = await app.create();
    const context = {
      active_run_id: "run_1",
      active_worker_id: OWNER,
      active_branch: "codex/x",
      last_attempt: 2,
      retry_not_before: "2026-05-20T12:00:05+00:00",
      runner_retry_max: 1,
      runner_metrics: { runs_total: 3 },
      resume_ready: true,
      hold_pattern_score: 0.5,
      diagnostic_request: { id: "d", command: "git status", timeout_seconds: 5 },
      control: { abort: true, action: "abort", reason: "no" },
      abort_requested: true,
      observer_context_snapshots: Array.from({ length: 40 }, (_, i) => ({ transition: "claim", at: i })),
      next_action: "execute_command",
    };
    await ok(id, { context });
    expect((await app.task(id)).context).toMatchObject(context);
  });
});
