import { describe, expect, it } from "vitest";
import { inStatus, ms, NOBODY, OWNER, refused, type Body, type Status } from "./support.ts";
import { withApp, app, ok } from "./update-support.ts";

withApp();

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
