import { beforeAll, describe, expect, it } from "vitest";
import { AttentionList, expectShape, TaskCount, TaskList } from "./shapes.ts";
import { contract, inStatus, type Contract } from "./support.ts";
import { withApp } from "./tasks-support.ts";

withApp();

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
