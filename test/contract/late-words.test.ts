import { describe, expect, it } from "vitest";
import * as Pipeline from "../../core/flow/pipeline/index.ts";
import { iso } from "../../core/ground/clock.ts";
import { testPipeline, untilStill } from "../support/pipeline.ts";
import { api, typesByField } from "../functions/api/support.ts";
import { inStatus, OWNER, refused, standing, type Body } from "./support.ts";
import { withApp, app, ok } from "./update-support.ts";

withApp();

/** What comes again, too late, blank or without a zone. */

describe("an owner's own end said again", () => {
  const ENDS: Body[] = [
    { status: "completed", output: "all is done", progress_pct: 100, current_step: "done" },
    { status: "failed", output: "no luck" },
    { status: "failed", error: "no luck" },
  ];
  it.each(ENDS)("at once, eight times: all are 200, and it ended once: %j", async (body) => {
    for (const from of ["running", "pending"] as const) {
      const id = await inStatus(app, from);
      const before = (await app.get("/api/agent/metrics")).body as { success_rate: { total: number } };
      const answers = await Promise.all(Array.from({ length: 8 }, () => app.patch(id, { ...body, worker_id: OWNER })));
      expect(answers.map((one) => [one.status, one.body.status])).toEqual(Array(8).fill([200, body.status]));
      const after = (await app.get("/api/agent/metrics")).body as { success_rate: { total: number } };
      expect(after.success_rate.total - before.success_rate.total).toBe(1);
    }
  });
});

describe("progress that comes after the end", () => {
  const LATE: Body[] = [
    { progress_pct: 40, current_step: "running command" },
    { progress_pct: 40, current_step: "running command", worker_id: OWNER },
    { progress_pct: 40, current_step: "running command", context: { runner_id: OWNER, runner_log_tail: "…" } },
  ];
  it.each(["completed", "failed"] as const)("moves nothing of a task that %s; what it adds is kept", async (status) => {
    for (const body of LATE) {
      const id = await inStatus(app, status);
      const { progress_pct, current_step, started_at } = await app.task(id);
      const after = await ok(id, body);
      expect(after).toMatchObject({ status, progress_pct, current_step, started_at });
      if (body.context) expect(after.context).toMatchObject(body.context as Body);
      expect((await app.items(id)).filter((item) => item.sk.startsWith("A#"))).toHaveLength(1);
    }
  });

  it("of a task that was cancelled is 409 to its worker", async () => {
    const id = await inStatus(app, "running");
    expect((await app.post(`/api/agent/tasks/${id}/cancel`)).status).toBe(200);
    await refused(app, id, { progress_pct: 40, worker_id: OWNER }, 409);
  });
});

describe("19. the last word of a run that lost its lease", () => {
  const A = { run_id: "run_aaaaaaaaaaaa", worker_id: OWNER };
  const B = { run_id: "run_bbbbbbbbbbbb", worker_id: "host-2:77" };
  const WORDS: Body[] = [
    { status: "completed", output: "all is done" },
    { status: "failed", output: "no luck" },
    { status: "pending", current_step: "retry scheduled" },
    { status: "needs_decision", decision_prompt: "?" },
  ];
  /** A's lease ran out, the reaper gave the task back, and B has the lease. */
  const lost = async () => {
    const deps = await testPipeline({ env: { AGENT_AUTO_EXECUTE: "0" } });
    const one = await api({ on: deps });
    const id = await one.create();
    const claim = (run: Body) =>
      one.call("POST", "/api/agent/run-state/claim", { task_id: id, ...run, lease_seconds: 60 });
    const say = (body: Body) => one.call("PATCH", `/api/agent/tasks/${id}`, body);
    await claim(A);
    expect((await say({ status: "running", worker_id: OWNER })).status).toBe(200);
    await deps.clock.advance(60_001);
    expect(await Pipeline.reap(deps)).toEqual([id]);
    expect((await claim(B)).body).toMatchObject({ claimed: true, ...B });
    const unchanged = async (body: Body) => {
      const before = await one.items(id);
      const answer = await say(body);
      expect([answer.status, answer.body]).toEqual([409, { detail: `Task already claimed by ${B.worker_id}` }]);
      expect(await one.items(id)).toEqual(before);
    };
    return { say, unchanged };
  };

  it.each(WORDS)("%j under its name is 409, before the next has begun and after", async (body) => {
    const { say, unchanged } = await lost();
    for (const name of [{ worker_id: OWNER }, { context: { runner_id: OWNER } }]) await unchanged({ ...body, ...name });
    expect((await say({ status: "running", worker_id: B.worker_id })).status).toBe(200);
    for (const name of [{ worker_id: OWNER }, { context: { runner_id: OWNER } }]) await unchanged({ ...body, ...name });
    expect((await say({ ...WORDS[0], worker_id: B.worker_id })).body).toMatchObject({ status: "completed" });
  });

  // Contract runners finish, requeue and ask without a name, the one that has the task as well: an operator's word (DESIGN 4).
  it.each(WORDS)("%j under nobody's is taken once the next has begun: it might be his", async (body) => {
    const { say } = await lost();
    expect((await say({ status: "running", worker_id: B.worker_id })).status).toBe(200);
    expect((await say(body)).body).toMatchObject({ status: body.status });
  });
});

describe("a blank answer", () => {
  const BLANK = ["", "   ", "\n\t"];

  it.each(BLANK)("%j is 422 and changes nothing", async (decision) => {
    const id = await inStatus(app, "needs_decision");
    const before = await standing(app, id);
    for (const more of [{}, { status: "pending" }, { context: { a: 1 } }, { status: "running", worker_id: OWNER }]) {
      const answer = await app.patch(id, { decision, ...more });
      expect(answer.status, answer.text).toBe(422);
      expect(typesByField(answer)).toEqual({ decision: "value_error" });
    }
    expect((await app.post(`/api/agent/tasks/${id}/decide`, { decision })).status).toBe(422);
    expect(await standing(app, id)).toEqual(before);
  });

  it.each(BLANK)("%j to what asks nothing is none: the first that says something is kept", async (decision) => {
    const id = await inStatus(app, "running");
    expect(await ok(id, { decision })).toMatchObject({ status: "running", decision: null });
    expect(await ok(id, { decision: "blue" })).toMatchObject({ decision: "blue" });
  });
});

describe("34. a time without a zone", () => {
  const ZONELESS = ["2026-05-20T12:00:00", "2026-05-20T12:00", "2026-05-20", "2026-05-20 12:00:00", "May 20, 2026"];

  it.each(ZONELESS)("%j is 422 as context.retry_not_before, in words", async (retry_not_before) => {
    const id = await inStatus(app, "running");
    const context = { retry_not_before };
    const patched = { status: "pending", worker_id: OWNER, context };
    const made = { direction: "x", task_type: "impl", context };
    const before = await standing(app, id);
    for (const answer of [
      await app.patch(id, patched),
      await app.post("/api/agent/tasks", made),
      await app.post("/api/agent/tasks/upsert-active", { session_key: "zone", ...made }),
    ]) {
      expect(answer.status, answer.text).toBe(422);
      expect(answer.body.detail).toEqual([
        {
          type: "value_error",
          loc: ["body", "context", "retry_not_before"],
          msg: "Value error, must be an ISO 8601 time with a zone",
          input: retry_not_before,
          ctx: { error: {} },
        },
      ]);
    }
    expect(await standing(app, id)).toEqual(before);
  });

  it.each(["created_after", "created_before"])("is 422 as %s of a bulk change, in the same words", async (field) => {
    for (const time of ["2026-05-20T12:00:00", "2026-05-20", "yesterday"]) {
      const answer = await app.post("/api/agent/tasks/bulk-cancel", { [field]: time });
      expect(answer.status).toBe(422);
      expect(answer.body.detail).toMatchObject([
        { loc: ["body", field], msg: "Value error, must be an ISO 8601 time with a zone" },
      ]);
    }
    for (const time of ["2026-05-20T12:00:00Z", "2026-05-20T12:00:00.123456+00:00"])
      expect((await app.post("/api/agent/tasks/bulk-cancel", { [field]: time })).status).toBe(200);
  });

  it("what is no time at all is the client's own", async () => {
    const id = await app.create({ context: { retry_not_before: "soon" } });
    expect(await app.task(id)).toMatchObject({ retry_not_before: null, context: { retry_not_before: "soon" } });
    expect((await ok(id, { context: { retry_not_before: null } })).context).toMatchObject({ retry_not_before: null });
  });
});

describe("retry_not_before of a task that is made (2.9: runners pass over it until then)", () => {
  it.each(["pipeline", "external"])(
    "our own runner passes over it too, in the %s queue, for a day at most",
    async (to) => {
      for (const [ahead, waits] of [
        [60_000, 60_000],
        [10 * 86_400_000, 86_400_000],
      ] as const) {
        const deps = await testPipeline({ env: { AGENT_AUTO_EXECUTE: to === "pipeline" ? "1" : "0" } });
        const one = await api({ on: deps });
        const context = { retry_not_before: iso(deps.clock.now() + ahead) };
        const id = await one.create({ context });
        const made = (await one.call("GET", `/api/agent/tasks/${id}`)).body;
        expect(made).toMatchObject({ status: "pending", context, queue: { position: null } });
        expect(Date.parse(String(made.retry_not_before))).toBe(deps.clock.now() + waits);
        const begun = deps.clock.now();
        await untilStill(deps);
        const done = (await one.call("GET", `/api/agent/tasks/${id}`)).body;
        expect(done.status).toBe(to === "pipeline" ? "completed" : "pending");
        expect(done.retry_not_before).toBeNull();
        if (to === "pipeline") expect(Date.parse(String(done.claimed_at)) - begun).toBeGreaterThanOrEqual(waits);
      }
    },
  );

  it("one that is over holds nothing up", async () => {
    const id = await app.create({ context: { retry_not_before: iso(app.clock.now() - 1000) } });
    expect(await app.task(id)).toMatchObject({ retry_not_before: null, wait_reason: null });
  });

  it("a runner that claims it all the same has it", async () => {
    const id = await app.create({ context: { retry_not_before: iso(app.clock.now() + 60_000) } });
    expect(await ok(id, { status: "running", worker_id: OWNER })).toMatchObject({
      claimed_by: OWNER,
      retry_not_before: null,
    });
  });
});
