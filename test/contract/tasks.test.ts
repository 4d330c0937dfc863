import { beforeAll, describe, expect, it } from "vitest";
import * as Attempt from "../../core/work/attempt/index.ts";
import { AttentionList, expectShape, Task, TaskCount, TaskList, TaskLog, Upserted } from "./shapes.ts";
import { contract, inStatus, ms, NOBODY, OWNER, type Body, type Contract } from "./support.ts";

/** Contract 1.1 without PATCH: creating, listing, reading. 2.1, 2.2.1, 2.3. */

let app: Contract;
beforeAll(async () => {
  app = await contract();
});
const post = async (body: Body) => {
  const answer = await app.post("/api/agent/tasks", { direction: "do it", task_type: "impl", ...body });
  expect(answer.status, answer.text).toBe(201);
  return answer.body as Body & { context: Body };
};

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

describe("lists", () => {
  let own: Contract;
  /** Ids, oldest first; their types and statuses by the tables below. */
  const ids: string[] = [];
  beforeAll(async () => {
    own = await contract();
    for (let i = 0; i < 45; i++) {
      const status = i % 9 === 0 ? "failed" : i % 9 === 1 ? "needs_decision" : i % 9 === 2 ? "completed" : "pending";
      ids.push(await inStatus(own, status, { task_type: i % 2 === 0 ? "impl" : "test" }));
      await own.clock.advance(10);
    }
  });
  const newest = [...Array(45).keys()].reverse();
  const list = async (query: string) => {
    const { status, body, text } = await own.get(`/api/agent/tasks${query}`);
    expect(status, text).toBe(200);
    expectShape(TaskList, body);
    const tasks = body.tasks as { id: string }[];
    return { at: tasks.map(({ id }) => ids.indexOf(id)), total: body.total, tasks };
  };

  it("are newest first, 20 at a time, with the total of all", async () => {
    const { at, total } = await list("");
    expect(at).toEqual(newest.slice(0, 20));
    expect(total).toBe(45);
  });

  it.each([
    ["?limit=1", (i: number) => i >= 0, 0, 1],
    ["?limit=100", () => true, 0, 100],
    ["?offset=40", () => true, 40, 20],
    ["?offset=45", () => true, 45, 20],
    ["?offset=44&limit=1", () => true, 44, 1],
    ["?offset=3&limit=4", () => true, 3, 4],
    ["?status=failed", (i: number) => i % 9 === 0, 0, 20],
    ["?status=pending&limit=5", (i: number) => i % 9 > 2, 0, 5],
    ["?status=pending&offset=28&limit=5", (i: number) => i % 9 > 2, 28, 5],
    ["?task_type=test", (i: number) => i % 2 === 1, 0, 20],
    ["?task_type=test&offset=20", (i: number) => i % 2 === 1, 20, 20],
    ["?status=completed&task_type=impl", (i: number) => i % 9 === 2 && i % 2 === 0, 0, 20],
    ["?status=needs_decision&task_type=test&limit=1", (i: number) => i % 9 === 1 && i % 2 === 1, 0, 1],
    ["?status=running", () => false, 0, 20],
    ["?task_type=heal", () => false, 0, 20],
  ] as const)("%s: filters first, then the total, then the page", async (query, holds, offset, limit) => {
    const all = newest.filter(holds);
    const { at, total } = await list(query);
    expect(total).toBe(all.length);
    expect(at).toEqual(all.slice(offset, offset + limit));
  });

  it("leave out command, output and context", async () => {
    for (const task of (await list("")).tasks)
      for (const key of ["command", "output", "context"]) expect(task).not.toHaveProperty(key);
  });

  it.each([
    [20, ""],
    [1, "?limit=1"],
    [100, "?limit=100"],
  ])("attention shows at most %i of what failed or asks, newest first, with its output", async (most, query) => {
    const { status, body } = await own.get(`/api/agent/tasks/attention${query}`);
    expect(status).toBe(200);
    expectShape(AttentionList, body);
    const wanted = newest.filter((i) => i % 9 < 2);
    const tasks = body.tasks as { id: string; status: string; output: string | null }[];
    expect(tasks.map(({ id }) => ids.indexOf(id))).toEqual(wanted.slice(0, most));
    expect(body.total).toBe(wanted.length);
    for (const one of tasks) expect(one.output).toBe(one.status === "failed" ? "it failed after a second" : null);
  });

  it("count has every status that there is, and no other", async () => {
    const { body } = await own.get("/api/agent/tasks/count");
    expectShape(TaskCount, body);
    expect(body).toEqual({ total: 45, by_status: { failed: 5, needs_decision: 5, completed: 5, pending: 30 } });
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

describe("POST /tasks/upsert-active", () => {
  let session = 0;
  const upsert = async (body: Body, status = 200) => {
    const answer = await app.post("/api/agent/tasks/upsert-active", { direction: "chat", ...body });
    expect(answer.status, answer.text).toBe(status);
    if (status === 200) expectShape(Upserted, answer.body);
    return answer.body as { created: boolean; task: Body & { context: Body }; detail: string };
  };
  const key = () => `session-${session++}`;

  it("makes a task that its worker runs at once: 200, created", async () => {
    const session_key = key();
    const { created, task } = await upsert({ session_key, worker_id: OWNER, context: { mine: 1 } });
    expect(created).toBe(true);
    expect(task).toMatchObject({ status: "running", task_type: "impl", direction: "chat", claimed_by: OWNER });
    expect(task.context).toMatchObject({ mine: 1, session_key, source: "external_active_session" });
    expect(task.claimed_at).not.toBeNull();
  });

  it("keeps a source that is given, and a type", async () => {
    const { task } = await upsert({ session_key: key(), task_type: "review", context: { source: "bot" } });
    expect(task).toMatchObject({ task_type: "review", context: { source: "bot" } });
  });

  it("without a worker the claim is `unknown`'s", async () => {
    expect((await upsert({ session_key: key() })).task.claimed_by).toBe("unknown");
  });

  it("finds the session's own task again and changes neither direction nor context", async () => {
    const session_key = key();
    const first = await upsert({ session_key, worker_id: OWNER, context: { a: 1 } });
    const again = await upsert({ session_key, worker_id: OWNER, direction: "other", context: { a: 2, b: 3 } });
    expect(again.created).toBe(false);
    expect(again.task).toMatchObject({ id: first.task.id, direction: "chat", context: { a: 1 } });
    expect(again.task.context).not.toHaveProperty("b");
  });

  it("keys are compared after trimming", async () => {
    const session_key = key();
    const first = await upsert({ session_key, worker_id: OWNER });
    const again = await upsert({ session_key: `  ${session_key} `, worker_id: OWNER });
    expect([again.created, again.task.id]).toEqual([false, first.task.id]);
  });

  it("another worker is refused and nothing changes", async () => {
    const session_key = key();
    const { task } = await upsert({ session_key, worker_id: OWNER });
    const before = await app.items(String(task.id));
    const total = (await app.get("/api/agent/tasks/count")).body;
    const { detail } = await upsert({ session_key, worker_id: "other" }, 409);
    expect(detail).toBe(`Task already claimed by ${OWNER}`);
    expect(await app.items(String(task.id))).toEqual(before);
    expect((await app.get("/api/agent/tasks/count")).body).toEqual(total);
  });

  it.each(["pending", "needs_decision"] as const)("claims the session's task when it is %s", async (status) => {
    const session_key = key();
    const { task } = await upsert({ session_key, worker_id: OWNER });
    expect((await app.patch(String(task.id), { status, worker_id: OWNER })).status).toBe(200);
    const again = await upsert({ session_key, worker_id: "other" });
    expect(again.created).toBe(false);
    expect(again.task).toMatchObject({ id: task.id, status: "running", claimed_by: "other" });
  });

  it.each(["completed", "failed"] as const)("a task that %s is over: the session gets a new one", async (status) => {
    const session_key = key();
    const { task } = await upsert({ session_key, worker_id: OWNER });
    expect((await app.patch(String(task.id), { status, worker_id: OWNER, output: "over" })).status).toBe(200);
    const next = await upsert({ session_key, worker_id: OWNER });
    expect(next.created).toBe(true);
    expect(next.task.id).not.toBe(task.id);
  });

  it("finds a task that was posted with the session's key", async () => {
    const session_key = key();
    const posted = await post({ context: { session_key } });
    const { created, task } = await upsert({ session_key, worker_id: OWNER });
    expect([created, task.id, task.status]).toEqual([false, posted.id, "running"]);
  });

  it("16 at once from one worker make one task", async () => {
    const session_key = key();
    const all = await Promise.all(
      Array.from({ length: 16 }, () =>
        app.post("/api/agent/tasks/upsert-active", { session_key, direction: "chat", worker_id: OWNER }),
      ),
    );
    const made = all.filter((answer) => answer.status === 200).map((answer) => answer.body as Body & { task: Body });
    expect(all.map((answer) => answer.status)).toEqual(Array(16).fill(200));
    expect(new Set(made.map(({ task }) => task.id)).size).toBe(1);
    expect(made.filter(({ created }) => created === true)).toHaveLength(1);
  });
});
