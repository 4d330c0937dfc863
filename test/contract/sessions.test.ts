import { describe, expect, it } from "vitest";
import { between } from "../support/wire.ts";
import { meanwhile } from "../support/pipeline.ts";
import { OWNER, type Answer, type Body } from "./support.ts";
import { withApp, app, post } from "./tasks-support.ts";

withApp();

/** A session's key and its one unfinished task (contract 2.8). */

type Upserted = { created: boolean; task: Body & { id: string; context: Body } };
let sessions = 0;
const key = () => `one-${sessions++}`;
const ask = (session_key: string, worker_id = OWNER) =>
  app.post("/api/agent/tasks/upsert-active", { session_key, direction: "chat", worker_id });
const bodyOf = (answer: Answer) => {
  expect(answer.status, answer.text).toBe(200);
  return answer.body as Upserted;
};
const upsert = async (session_key: string, worker_id = OWNER) => bodyOf(await ask(session_key, worker_id));
const patch = async (id: string, body: Body) => {
  const answer = await app.patch(id, { worker_id: OWNER, ...body });
  expect(answer.status, answer.text).toBe(200);
};
const unfinished = async (session_key: string) => {
  const { tasks } = (await app.get("/api/agent/tasks?limit=100")).body as { tasks: { id: string }[] };
  const all = await Promise.all(tasks.map(({ id }) => app.task(id)));
  return all.filter(
    (task) =>
      (task.context as Body).session_key === session_key && !/completed|failed|cancelled/.test(String(task.status)),
  );
};

describe("one key, one unfinished task", () => {
  it("two at once make one, when both looked before either wrote", async () => {
    const session_key = key();
    let second: Answer | undefined;
    meanwhile(app.deps.store, "write", `SESS#${session_key}`, async () => void (second = await ask(session_key)));
    const first = await upsert(session_key);
    const other = bodyOf(second as Answer);
    expect([first.task.id, first.created, other.created]).toEqual([other.task.id, false, true]);
    expect(await unfinished(session_key)).toHaveLength(1);
  });

  it.each(["completed", "failed", "cancelled"])(
    "once it is %s the key begins a new one, 16 at once one",
    async (end) => {
      const session_key = key();
      const { task } = await upsert(session_key);
      if (end === "cancelled") expect((await app.post(`/api/agent/tasks/${task.id}/cancel`)).status).toBe(200);
      else await patch(task.id, { status: end, output: "it is over" });
      const next = (await Promise.all(Array.from({ length: 16 }, () => ask(session_key)))).map(bodyOf);
      expect(next.filter((one) => one.created)).toHaveLength(1);
      expect(new Set(next.map((one) => one.task.id)).size).toBe(1);
      expect(next[0]?.task.id).not.toBe(task.id);
      expect(await unfinished(session_key)).toHaveLength(1);
    },
  );

  it("a task that ends while it is looked for gives way to a new one", async () => {
    const session_key = key();
    const { task } = await upsert(session_key);
    await patch(task.id, { status: "pending" });
    meanwhile(app.deps.store, "write", `T#${task.id}`, () =>
      patch(task.id, { status: "completed", output: "by then" }),
    );
    const next = await upsert(session_key);
    expect(next.created).toBe(true);
    expect(next.task.id).not.toBe(task.id);
  });

  it("is the one whose context names it: a task that took another key is not found by its old one", async () => {
    const [before, after] = [key(), key()];
    const { task } = await upsert(before);
    await patch(task.id, { context: { session_key: after } });
    expect((await upsert(after)).task.id).toBe(task.id);
    const next = await upsert(before);
    expect(next.created).toBe(true);
    expect(next.task.id).not.toBe(task.id);
    expect([await unfinished(before), await unfinished(after)]).toMatchObject([
      [{ id: next.task.id }],
      [{ id: task.id }],
    ]);
  });

  it("one that was retried is found again, where no other took its place", async () => {
    const session_key = key();
    const { task } = await upsert(session_key);
    await patch(task.id, { status: "failed", output: "no luck" });
    expect((await app.post(`/api/agent/tasks/${task.id}/retry`)).status).toBe(200);
    expect(await upsert(session_key)).toMatchObject({ created: false, task: { id: task.id, status: "running" } });
  });

  it("a PATCH of a key that another's unfinished task has takes it from nobody", async () => {
    const session_key = key();
    const { task } = await upsert(session_key);
    const other = await post({ context: {} });
    expect((await app.patch(String(other.id), { context: { session_key } })).status).toBe(200);
    expect((await upsert(session_key)).task.id).toBe(task.id);
  });

  it("is asked for at the cost of few reads, however many tasks it had", async () => {
    const session_key = key();
    const cost = async () => {
      let reads = 0;
      const end = between(app.deps.store, (operation, _input, next) => {
        if (/^(Get|Query|BatchGet)/.test(operation)) reads++;
        return next();
      });
      await upsert(session_key);
      end();
      return reads;
    };
    const { task } = await upsert(session_key);
    const few = await cost();
    await patch(task.id, { status: "completed", output: "it is over" });
    for (let i = 0; i < 10; i++) {
      const next = await upsert(session_key);
      await patch(next.task.id, { status: "completed", output: "it is over" });
    }
    await upsert(session_key);
    expect(await cost()).toBe(few);
  });
});
