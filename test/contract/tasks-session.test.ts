import { describe, expect, it } from "vitest";
import { expectShape, Upserted } from "./shapes.ts";
import { OWNER, type Body } from "./support.ts";
import { withApp, app, post } from "./tasks-support.ts";

withApp();

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

  it.each([
    ["pending", "other"],
    ["needs_decision", OWNER],
  ] as const)("claims the session's task when it is %s, for %s", async (status, worker_id) => {
    const session_key = key();
    const { task } = await upsert({ session_key, worker_id: OWNER });
    expect((await app.patch(String(task.id), { status, worker_id: OWNER })).status).toBe(200);
    const again = await upsert({ session_key, worker_id });
    expect(again.created).toBe(false);
    expect(again.task).toMatchObject({ id: task.id, status: "running", claimed_by: worker_id });
  });

  it("a question of another's is not claimed: 409, and nothing changes", async () => {
    const session_key = key();
    const { task } = await upsert({ session_key, worker_id: OWNER });
    expect((await app.patch(String(task.id), { status: "needs_decision", worker_id: OWNER })).status).toBe(200);
    const before = await app.items(String(task.id));
    const { detail } = await upsert({ session_key, worker_id: "other" }, 409);
    expect(detail).toBe(`Task already claimed by ${OWNER}`);
    expect(await app.items(String(task.id))).toEqual(before);
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
