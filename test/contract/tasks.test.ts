import { describe, expect, it } from "vitest";
import * as Attempt from "../../core/work/attempt/index.ts";
import { expectShape, Task, TaskLog } from "./shapes.ts";
import { contract, inStatus, ms, NOBODY } from "./support.ts";
import { withApp, app, post } from "./tasks-support.ts";

withApp();

describe("an empty store", () => {
  it.each([
    ["/tasks", { tasks: [], total: 0 }],
    ["/tasks?status=failed&task_type=heal&offset=5", { tasks: [], total: 0 }],
    ["/tasks/attention", { tasks: [], total: 0 }],
    ["/tasks/count", { total: 0, by_status: {} }],
  ])("GET %s", async (path, expected) => {
    const empty = await contract();
    const { status, body } = await empty.get(`/api/agent${path}`);
    expect(status).toBe(200);
    expect(body).toMatchObject(expected);
    if (path.endsWith("count")) expect(body).toEqual(expected);
  });
});

describe("POST /tasks", () => {
  it("answers 201 with the whole task: pending, all that is not known yet is null", async () => {
    const answer = await app.post("/api/agent/tasks", { direction: "  do it\n", task_type: "impl" });
    expect(answer.status).toBe(201);
    expectShape(Task, answer.body);
    expect(answer.body).toMatchObject({ direction: "do it", task_type: "impl", status: "pending" });
    for (const key of [
      "output",
      "progress_pct",
      "current_step",
      "decision_prompt",
      "decision",
      "claimed_by",
      "claimed_at",
      "updated_at",
    ])
      expect(answer.body, key).toHaveProperty(key, null);
    expect(ms(answer.body.created_at)).toBe(app.clock.now());
  });

  it("repeats are not suppressed: the same body twice is two tasks", async () => {
    const [one, two] = [await post({ direction: "again" }), await post({ direction: "again" })];
    expect(one.id).not.toBe(two.id);
  });

  it.each([
    ["spec", "product-manager", undefined],
    ["test", "qa-engineer", undefined],
    ["impl", "dev-engineer", undefined],
    ["review", "reviewer", ["spec-guard"]],
    ["heal", "dev-engineer", undefined],
  ])("a %s is bound to the %s (2.3)", async (type, agent, guards) => {
    const { context } = await post({ task_type: type });
    expect([context.task_agent, context.guard_agents]).toEqual([agent, guards]);
  });

  describe("the target contract (2.2)", () => {
    it("has a default for each part, flat and together in the context", async () => {
      const made = await post({ direction: "Make   the\n\nparser work", task_type: "spec" });
      const expected = {
        target_state: "spec task reaches intended target state: Make the parser work",
        success_evidence: [],
        abort_evidence: [],
        observation_window_sec: 900,
      };
      expect(made.context).toMatchObject({ ...expected, target_state_contract: expected });
      expect(made.target_state).toBe(expected.target_state);
      expect(made.observation_window_sec).toBe(900);
    });

    it("takes 220 characters of a long direction", async () => {
      const made = await post({ direction: "x".repeat(5000) });
      expect(made.target_state).toBe(`impl task reaches intended target state: ${"x".repeat(220)}`);
    });

    it("the body wins over the context, the context over the default", async () => {
      const context = {
        target_state: "from the context",
        success_evidence: ["c"],
        abort_evidence: "one",
        observation_window_sec: 77,
        mine: { kept: true },
      };
      const fromContext = await post({ context });
      expect(fromContext).toMatchObject({
        target_state: "from the context",
        success_evidence: ["c"],
        abort_evidence: ["one"],
        observation_window_sec: 77,
      });
      const body = {
        target_state: "from the body",
        success_evidence: ["b"],
        abort_evidence: [],
        observation_window_sec: 88,
      };
      const made = await post({ context, ...body });
      expect(made).toMatchObject(body);
      expect(made.context).toMatchObject({ ...body, target_state_contract: body, mine: { kept: true } });
    });

    it.each([
      [5, 30],
      [29, 30],
      [30, 30],
      [31, 31],
      [604_800, 604_800],
      ["60", 60],
    ])("a window of %j is kept as %i", async (given, kept) => {
      expect((await post({ observation_window_sec: given })).observation_window_sec).toBe(kept);
    });

    it("AGENT_OBSERVATION_WINDOW_SEC is the default window", async () => {
      const other = await app.with({ AGENT_OBSERVATION_WINDOW_SEC: "120" });
      const { body } = await other.post("/api/agent/tasks", { direction: "x", task_type: "impl" });
      expect(body.observation_window_sec).toBe(120);
    });

    it("an over-long target state in the context is cut to 600, evidence items too", async () => {
      const made = await post({ context: { target_state: "t".repeat(700), success_evidence: ["s".repeat(700)] } });
      expect(made.target_state).toBe("t".repeat(600));
      expect(made.success_evidence).toEqual(["s".repeat(600)]);
    });
  });

  it.each([
    ["quotes", `it's "this" \`id\` $(id) \\ ; rm -rf /`],
    ["lines", "one\ntwo\r\n\tthree"],
    ["other scripts", "日本語 🙂 عربى"],
  ])("a direction of %s is kept as it is", async (_name, direction) => {
    expect((await post({ direction })).direction).toBe(direction);
  });
});

describe("one task", () => {
  it.each(["pending", "running", "needs_decision", "completed", "failed", "cancelled"] as const)(
    "that is %s is shown whole",
    async (status) => {
      const id = await inStatus(app, status, { context: { mine: 1 } });
      const { status: code, body } = await app.get(`/api/agent/tasks/${id}`);
      expect(code).toBe(200);
      expectShape(Task, body);
      expect(body).toMatchObject({ id, status, context: { mine: 1 } });
    },
  );

  it.each([NOBODY, "nothing", "task_1", "..%2f", "%00"])("under the id %s is 404, as its log is", async (id) => {
    for (const path of ["", "/log"]) {
      const answer = await app.get(`/api/agent/tasks/${id}${path}`);
      expect([answer.status, answer.body]).toEqual([404, { detail: "Task not found" }]);
    }
  });

  it("2.7: nothing makes a task appear that was never posted", async () => {
    await app.post("/api/runtime/events", {
      source: "worker",
      endpoint: "tool:agent-task-completion",
      runtime_ms: 1,
      metadata: { tracking_kind: "agent_task_completion", task_id: NOBODY, task_final_status: "completed" },
    });
    expect((await app.get(`/api/agent/tasks/${NOBODY}`)).status).toBe(404);
  });
});

describe("the log", () => {
  it("is 404 while there is neither a log nor an output", async () => {
    for (const status of ["pending", "running", "needs_decision"] as const) {
      const { status: code, body } = await app.get(`/api/agent/tasks/${await inStatus(app, status)}/log`);
      expect([code, body], status).toEqual([404, { detail: "Task log not found" }]);
    }
  });

  it("of a task without a log of ours is its output", async () => {
    const id = await inStatus(app, "completed");
    const { status, body } = await app.get(`/api/agent/tasks/${id}/log`);
    expect(status).toBe(200);
    expectShape(TaskLog, body);
    const { command } = await app.task(id);
    const output = "it completed after a second";
    expect(body).toMatchObject({ task_id: id, log: output, command, output });
  });

  it("of ours is what was written, beside the output, which may be null", async () => {
    const id = await app.create();
    const { store, clock } = app.deps;
    const writer = Attempt.logWriter(store, clock, { taskId: id, n: 1, turn: 1 }, ["# task"]);
    writer.line("first line");
    await writer.end({ seconds: 1, exit: 0, status: "completed" });
    const { status, body } = await app.get(`/api/agent/tasks/${id}/log`);
    expect(status).toBe(200);
    expectShape(TaskLog, body);
    expect(body.log).toContain("first line");
    expect(body.output).toBeNull();
  });
});
