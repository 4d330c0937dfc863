import { beforeAll, describe, expect, it } from "vitest";
import * as Store from "../../../core/ground/store/index.ts";
import * as Attempt from "../../../core/work/attempt/index.ts";
import * as Task from "../../../core/work/task/index.ts";
import { api, BAD_IDS, NOBODY, typesByField, type Api } from "./support.ts";

let app: Api;
beforeAll(async () => {
  app = await api();
});

/** Puts a task into a status by its own transitions. */
async function ended(app: Api, id: string, to: "failed" | "completed", parts: { output?: string } = {}) {
  const attempt = await Attempt.claim(app.deps, id, { by: "client", owner: "me", leaseMs: 60_000 });
  const row = await Task.row(app.deps.store, id);
  if (!row) throw new Error("no task");
  await Store.tx(app.deps.store, (now) => [
    ...Task.transition(app.deps.id, row, to, "client", now),
    Attempt.endWrite(attempt, { status: to, class: null, message: "" }, now, true),
    ...Task.partWrites(id, parts),
  ]);
}

describe("an empty store", () => {
  it.each([
    ["/api/agent/tasks", { tasks: [], total: 0, next_cursor: null }],
    ["/api/agent/tasks/attention", { tasks: [], total: 0 }],
    ["/api/agent/tasks/count", { total: 0, by_status: {} }],
    ["/api/agent/backlogs", { backlogs: [], total: 0 }],
    ["/api/agent/providers", { providers: [], total: 0, limits: [], config: null }],
    ["/api/agent/workers", { workers: [], total: 0 }],
  ])("%s", async (path, expected) => {
    const { status, body } = await app.call("GET", path);
    expect(status).toBe(200);
    expect(body).toEqual(expected);
  });
});

describe("queries", () => {
  it.each([
    ["/api/agent/tasks?limit=1"],
    ["/api/agent/tasks?limit=100"],
    ["/api/agent/tasks?limit=%207%20"],
    ["/api/agent/tasks?limit=x&limit=5"],
    ["/api/agent/tasks?offset=0"],
    ["/api/agent/tasks?offset=10000"],
    ["/api/agent/tasks?status=cancelled&task_type=heal&nonsense=1"],
    ["/api/agent/tasks/attention?limit=1"],
    ["/api/agent/tasks/attention?limit=100"],
    ["/api/agent/tasks/count?limit=rubbish"],
  ])("takes %s", async (path) => {
    const { status, text } = await app.call("GET", path);
    expect(status, text).toBe(200);
  });

  it.each([
    ["/api/agent/tasks?limit=0", { limit: "greater_than_equal" }],
    ["/api/agent/tasks?limit=101", { limit: "less_than_equal" }],
    ["/api/agent/tasks?limit=", { limit: "int_parsing" }],
    ["/api/agent/tasks?limit=ten", { limit: "int_parsing" }],
    ["/api/agent/tasks?limit=1e1", { limit: "int_parsing" }],
    ["/api/agent/tasks?limit=99999999999999999999", { limit: "less_than_equal" }],
    ["/api/agent/tasks?offset=-1", { offset: "greater_than_equal" }],
    ["/api/agent/tasks?status=open", { status: "enum" }],
    ["/api/agent/tasks?status=", { status: "enum" }],
    ["/api/agent/tasks?status=%00", { status: "enum" }],
    ["/api/agent/tasks?task_type=IMPL", { task_type: "enum" }],
    [
      "/api/agent/tasks?limit=0&status=x&offset=y",
      { limit: "greater_than_equal", status: "enum", offset: "int_parsing" },
    ],
    ["/api/agent/tasks?cursor=", { cursor: "string_too_short" }],
    ["/api/agent/tasks/attention?limit=0", { limit: "greater_than_equal" }],
    ["/api/agent/tasks/attention?limit=101", { limit: "less_than_equal" }],
  ])("refuses %s", async (path, expected) => {
    const answer = await app.call("GET", path);
    expect(answer.status).toBe(422);
    expect(typesByField(answer)).toEqual(expected);
    for (const { loc } of answer.body.detail as { loc: unknown[] }[]) expect(loc[0]).toBe("query");
  });

  it("bounds a cursor, and refuses one of another list with 400", async () => {
    const long = await app.call("GET", `/api/agent/tasks?cursor=${"x".repeat(4097)}`);
    expect(typesByField(long)).toEqual({ cursor: "string_too_long" });
    const foreign = await app.call("GET", "/api/agent/tasks?cursor=%00rubbish");
    expect([foreign.status, foreign.headers.get("x-error-code")]).toEqual([400, "input.cursor"]);
  });

  it("takes any offset, and names the words that a filter takes", async () => {
    const offset = await app.call("GET", "/api/agent/tasks?offset=1000000");
    expect([offset.status, offset.body.tasks]).toEqual([200, []]);
    const status = await app.call("GET", "/api/agent/tasks?task_type=x");
    expect(status.body.detail).toEqual([
      {
        type: "enum",
        loc: ["query", "task_type"],
        msg: "Input should be 'spec', 'test', 'impl', 'review' or 'heal'",
        input: "x",
        ctx: { expected: "'spec', 'test', 'impl', 'review' or 'heal'" },
      },
    ]);
  });
});

describe("one task", () => {
  it("is read whole, and its fixed neighbours are no ids", async () => {
    const id = await app.create({ context: { k: "v" } });
    const { status, body } = await app.call("GET", `/api/agent/tasks/${id}`);
    expect(status).toBe(200);
    expect(body).toMatchObject({ id, context: { k: "v" }, command: expect.stringContaining("codex exec '") as string });
    for (const fixed of ["upsert-active", "pickup-and-execute"])
      expect((await app.call("GET", `/api/agent/tasks/${fixed}`)).status).toBe(405);
  });

  it.each([NOBODY, ...BAD_IDS].map((id) => [id.slice(0, 20), id] as const))(
    "is 404 under the id %s, for every verb",
    async (_name, id) => {
      for (const [method, path, body] of [
        ["GET", "", undefined],
        ["GET", "/log", undefined],
        ["GET", "/attempts", undefined],
        ["PATCH", "", { current_step: "x" }],
        ["POST", "/cancel", undefined],
        ["POST", "/retry", undefined],
        ["POST", "/release", undefined],
        ["POST", "/decide", { decision: "x" }],
      ] as const) {
        const answer = await app.call(method, `/api/agent/tasks/${id}${path}`, body);
        expect(answer.status, `${method} ${path} ${answer.text}`).toBe(404);
        // `..` is resolved by whoever writes the URL: then it is another route, or none.
        if (id !== "%2e%2e") expect(answer.body).toEqual({ detail: "Task not found" });
      }
    },
  );

  it("of an item looks parked to outside runners while it is pending", async () => {
    const item = { backlog: "b", item: "i", seq: 0, phase: "spec", round: 0 } as const;
    const made = await Task.create(app.deps, { direction: "x", task_type: "spec" }, { key: "b#i#0", item });
    const { body } = await app.call("GET", `/api/agent/tasks/${made.task.row.id}`);
    const until = (body.context as { retry_not_before: string }).retry_not_before;
    expect(until).toMatch(/\+00:00$/);
    expect(Date.parse(until) - app.deps.clock.now()).toBeGreaterThan(3_500_000);
    expect(body).toMatchObject({ item, retry_not_before: null });
    await Attempt.claim(app.deps, made.task.row.id, { by: "pipeline", owner: "host", leaseMs: 60_000 });
    const running = await app.call("GET", `/api/agent/tasks/${made.task.row.id}`);
    expect(running.body.context).not.toHaveProperty("retry_not_before");
  });
});

describe("lists", () => {
  it("are newest first with the total before paging; attention shows the output, the list neither it nor the command", async () => {
    const own = await api();
    const ids = [];
    for (const type of ["impl", "impl", "spec"]) ids.push(await own.create({ task_type: type }));
    await ended(own, ids[0] ?? "", "failed", { output: "broken" });
    const list = await own.call("GET", "/api/agent/tasks?task_type=impl&limit=1");
    expect(list.body.total).toBe(2);
    expect(list.body.tasks).toMatchObject([{ id: ids[1], status: "pending", att: 0 }]);
    for (const hidden of ["command", "output", "context"])
      expect((list.body.tasks as object[])[0]).not.toHaveProperty(hidden);
    const attention = await own.call("GET", "/api/agent/tasks/attention");
    expect(attention.body).toMatchObject({ total: 1, tasks: [{ id: ids[0], status: "failed", output: "broken" }] });
    expect((await own.call("GET", "/api/agent/tasks/count")).body).toEqual({
      total: 3,
      by_status: { pending: 2, failed: 1 },
    });
  });
});

describe("the log", () => {
  const log = (id: string, query = "") => app.call("GET", `/api/agent/tasks/${id}/log${query}`);

  it("is 404 while there is none, the output of a client's task, our own chunks when there are", async () => {
    const id = await app.create();
    const none = await log(id);
    expect([none.status, none.body]).toEqual([404, { detail: "Task log not found" }]);
    await ended(app, id, "completed", { output: "déjà" });
    const { command } = (await app.call("GET", `/api/agent/tasks/${id}`)).body;
    expect((await log(id)).body).toEqual({
      task_id: id,
      log: "déjà",
      command,
      output: "déjà",
      truncated: false,
      next_offset: 6,
      next_cursor: null,
    });
    expect((await log(id, "?offset=3")).body).toMatchObject({ log: "jà", next_offset: 6 });
    expect((await log(id, "?offset=99")).body).toMatchObject({ log: "", next_offset: 99 });

    const writer = Attempt.logWriter(
      app.deps.store,
      app.deps.clock,
      { taskId: id, n: 1, turn: 1 },
      ["# task"],
      undefined,
    );
    writer.line("hello");
    await writer.end({ seconds: 1.25, exit: 0, status: "completed" });
    const whole = await log(id);
    expect(whole.body).toMatchObject({ output: "déjà", truncated: false });
    expect(whole.body.log).toMatch(/^# task\n---\nhello\n# duration_seconds=1\.\d exit=0 status=completed\n$/);
    const followed = await log(id, `?offset=${String(whole.body.next_offset)}`);
    expect(followed.body).toMatchObject({ log: "", next_offset: whole.body.next_offset });

    const cursor = String(whole.body.next_cursor);
    const after = () => log(id, `?cursor=${encodeURIComponent(cursor)}`);
    const { log: _, ...same } = whole.body;
    expect((await after()).body).toEqual({ ...same, log: "" });
    const second = Attempt.logWriter(app.deps.store, app.deps.clock, { taskId: id, n: 1, turn: 2 }, ["# more"]);
    await second.end({ seconds: 1, exit: 0, status: "completed" });
    const added = (await after()).body;
    expect(added.log).toMatch(/^# more\n---\n# duration/);
    expect(added.next_offset).toBe((await log(id)).body.next_offset);
    expect((await log(id, "?cursor=rubbish")).headers.get("x-error-code")).toBe("input.cursor");
  });

  it.each([
    ["-1", "greater_than_equal"],
    ["x", "int_parsing"],
    ["99999999999999999999", "less_than_equal"],
  ])("refuses the offset %s", async (offset, type) => {
    expect(typesByField(await log(NOBODY, `?offset=${offset}`))).toEqual({ offset: type });
  });
});

it("attempts are listed oldest first, without the keys of the table", async () => {
  const id = await app.create();
  expect((await app.call("GET", `/api/agent/tasks/${id}/attempts`)).body).toEqual({ attempts: [], total: 0 });
  await ended(app, id, "failed");
  const { body } = await app.call("GET", `/api/agent/tasks/${id}/attempts`);
  expect(body).toMatchObject({
    total: 1,
    attempts: [{ n: 1, by: "client", owner: "me", end: { status: "failed" }, tried: [] }],
  });
  expect((body.attempts as object[])[0]).not.toHaveProperty("pk");
});
