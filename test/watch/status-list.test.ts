import { beforeAll, describe, expect, it } from "vitest";
import * as Clock from "../../core/ground/clock.ts";
import * as Task from "../../core/work/task/index.ts";
import * as Status from "../../core/watch/status/index.ts";
import { testDeps, type TestDeps } from "../support/deps.ts";
import { between } from "../support/wire.ts";
import { mover } from "./status-helpers.ts";

let deps: TestDeps;
/** What was made, newest first. */
let made: Task.TaskRow[];

// 60 tasks over five months with a gap, of every status and type.
beforeAll(async () => {
  const clock = Clock.virtual(Date.UTC(2026, 0, 30));
  deps = await testDeps({ clock });
  const tasks = mover(deps);
  const ids: string[] = [];
  for (let i = 0; i < 60; i++) {
    const id = await tasks.create(`task ${i}`, Task.TaskType.options[i % 5]);
    ids.unshift(id);
    if (i % 6 === 1) await tasks.move(id, "cancelled", "operator");
    if (i % 6 >= 2) await tasks.claim(id);
    if (i % 6 === 3) await tasks.end(id, "completed", `output ${i}`);
    if (i % 6 === 4) await tasks.end(id, "failed", `output ${i}`);
    if (i % 6 === 5) await tasks.end(id, "needs_decision");
    await clock.advance((i === 30 ? 70 : 1) * 86_400_000);
  }
  made = await Promise.all(ids.map(tasks.row));
});

const idsOf = (rows: readonly { id: string }[]) => rows.map(({ id }) => id);
const page = (query: Partial<Status.ListQuery>) => Status.list(deps, { limit: 20, offset: 0, ...query });

describe("a list", () => {
  const filters: Pick<Status.ListQuery, "status" | "task_type">[] = [
    {},
    ...Task.Status.options.map((status) => ({ status })),
    ...Task.TaskType.options.map((task_type) => ({ task_type })),
    ...Task.Status.options.flatMap((status) => Task.TaskType.options.map((task_type) => ({ status, task_type }))),
  ];
  it.each(filters)("%o is newest first, whole by offset and by cursor, and counted before paging", async (filter) => {
    const expected = idsOf(
      made.filter(
        ({ status, task_type }) =>
          (filter.status ?? status) === status && (filter.task_type ?? task_type) === task_type,
      ),
    );
    for (const limit of [1, 7, 100]) {
      const byOffset: string[] = [];
      for (let offset = 0; offset < expected.length; offset += limit) {
        const { rows, total } = await page({ ...filter, limit, offset });
        expect(total).toBe(expected.length);
        byOffset.push(...idsOf(rows));
      }
      expect(byOffset).toEqual(expected);
      const byCursor: string[] = [];
      let cursor: string | undefined;
      do {
        const listed = await page({ ...filter, limit, cursor });
        byCursor.push(...idsOf(listed.rows));
        cursor = listed.cursor;
      } while (cursor !== undefined);
      expect(byCursor).toEqual(expected);
    }
  });

  it("holds what a list item shows, from either index", async () => {
    const { rows } = await page({ status: "completed", limit: 1 });
    expect(rows[0]).toMatchObject({ status: "completed", claimed_by: "host", output_len: 9, att: 1 });
    const [typed] = (await page({ task_type: "impl", limit: 1 })).rows;
    expect(typed).toMatchObject({ task_type: "impl", direction: expect.stringContaining("task") as string });
  });

  it("is empty behind its end and for what nobody made", async () => {
    expect(await page({ offset: 60 })).toEqual({ rows: [], total: 60 });
    const empty = await testDeps();
    expect(await Status.list(empty, { limit: 20, offset: 0 })).toEqual({ rows: [], total: 0 });
    expect(await Status.list(empty, { status: "failed", task_type: "heal", limit: 20, offset: 0 })).toMatchObject({
      total: 0,
    });
  });

  it.each<[string, Task.TaskType, Task.TaskType]>([
    ["a few old ones of many of a status", "heal", "impl"],
    ["a few of a status among many of a type", "impl", "impl"],
  ])("by status and type costs no read a task: %s", async (_name, wanted, others) => {
    const clock = Clock.virtual(Date.UTC(2026, 0, 5));
    const own = await testDeps({ clock });
    const tasks = mover(own);
    const old = await tasks.create("old", wanted);
    await tasks.claim(old);
    await tasks.end(old, "completed", "");
    for (let i = 0; i < 150; i++) {
      const id = await tasks.create(`task ${i}`, others);
      await clock.advance(1000);
      if (wanted === others) continue;
      await tasks.claim(id);
      await tasks.end(id, "completed", "");
    }
    const asked: string[] = [];
    const stop = between(own.store, (operation, _input, next) => (asked.push(operation), next()));
    const { rows, total } = await Status.list(own, { status: "completed", task_type: wanted, limit: 1, offset: 0 });
    stop();
    expect([idsOf(rows), total]).toEqual([[old], 1]);
    expect(asked.length).toBeLessThan(15);
  });

  it("is empty at any offset behind its end, without a walk", async () => {
    expect(await page({ offset: 1_000_000_000 })).toEqual({ rows: [], total: 60 });
  });

  it("refuses a cursor of another list", async () => {
    const { cursor } = await page({ limit: 1 });
    await expect(page({ status: "failed", cursor })).rejects.toMatchObject({ code: "input.cursor" });
    await expect(page({ cursor: "rubbish" })).rejects.toMatchObject({ code: "input.cursor" });
  });
});

it("attention lists what a person should look at, with its output", async () => {
  const expected = made.filter(({ status }) => status === "failed" || status === "needs_decision");
  const { rows, total } = await Status.attention(deps, { limit: 5 });
  expect(total).toBe(20);
  expect(idsOf(rows)).toEqual(idsOf(expected).slice(0, 5));
  for (const row of rows)
    if (row.status === "failed") expect(row.output).toMatch(/^output /);
    else expect(row.output).toBeNull();
});
