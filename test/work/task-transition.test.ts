import { beforeAll, describe, expect, it } from "vitest";
import * as Store from "../../core/ground/store/index.ts";
import * as Task from "../../core/work/task/index.ts";
import { newTask, partition, rowOf, testPipeline, type TestPipeline } from "../support/pipeline.ts";

const STATUSES = Task.Status.options;
const ACTORS: readonly Task.Actor[] = ["claim", "settle", "client", "operator", "reaper"];

/** DESIGN 4's table, written down a second time: who may make which change. */
const MAY = new Set([
  "pending running claim",
  "pending needs_decision client",
  "pending needs_decision operator",
  "pending needs_decision settle",
  "pending failed client",
  "pending failed operator",
  "pending failed settle",
  "pending failed reaper",
  "pending completed client",
  "pending cancelled operator",
  "running completed settle",
  "running completed client",
  "running failed settle",
  "running failed client",
  "running failed reaper",
  "running needs_decision settle",
  "running needs_decision client",
  "running cancelled operator",
  "running pending settle",
  "running pending client",
  "running pending operator",
  "running pending reaper",
  "needs_decision pending operator",
  "needs_decision running claim",
  "needs_decision completed client",
  "needs_decision completed operator",
  "needs_decision failed client",
  "needs_decision failed operator",
  "needs_decision failed reaper",
  "needs_decision cancelled operator",
  "failed pending operator",
  "failed needs_decision client",
  "failed needs_decision operator",
  "cancelled pending operator",
  "completed failed client",
  "completed needs_decision client",
]);

let deps: TestPipeline;
beforeAll(async () => {
  deps = await testPipeline();
});

const ways: Partial<Record<Task.Status, [Task.Status, Task.Actor][]>> = {
  running: [["running", "claim"]],
  completed: [["completed", "client"]],
  failed: [["failed", "client"]],
  needs_decision: [["needs_decision", "client"]],
  cancelled: [["cancelled", "operator"]],
};

/** A task brought to a status over the table's own ways. */
async function inStatus(status: Task.Status): Promise<Task.TaskRow> {
  const id = await newTask(deps);
  for (const [to, actor] of ways[status] ?? []) {
    const row = await rowOf(deps, id);
    await Store.tx(deps.store, Task.transition(deps.id, row, to, actor, deps.clock.now()));
  }
  return rowOf(deps, id);
}

describe("FAILURES 28: the transition table", () => {
  const pairs = STATUSES.flatMap((from) => STATUSES.map((to) => [from, to] as const));
  it.each(pairs)("%s → %s, for every actor", async (from, to) => {
    const row = await inStatus(from);
    const before = await partition(deps, row.id);
    for (const actor of ACTORS) {
      const may = MAY.has(`${from} ${to} ${actor}`);
      expect(Task.allowed(from, to, actor), actor).toBe(may);
      const make = () => Task.transition(deps.id, row, to, actor, deps.clock.now());
      if (may) expect(make().length, actor).toBeGreaterThan(0);
      else expect(make, actor).toThrow(expect.objectContaining({ code: "task.transition" }) as Error);
    }
    expect(await partition(deps, row.id)).toEqual(before);
  });

  it("knows 36 changes and no other", () => {
    expect(MAY.size).toBe(36);
    const known = pairs.flatMap(([from, to]) => ACTORS.filter((actor) => Task.allowed(from, to, actor)));
    expect(known).toHaveLength(MAY.size);
  });

  it.each([...MAY].map((way) => way.split(" ") as [Task.Status, Task.Status, Task.Actor]))(
    "%s → %s by %s is written once: a second writer with the same reading is refused and changes nothing",
    async (from, to, actor) => {
      const row = await inStatus(from);
      const writes = () => Task.transition(deps.id, row, to, actor, deps.clock.now());
      expect(await Store.tx(deps.store, writes())).toEqual({ ok: true });
      const after = await partition(deps, row.id);
      expect((await rowOf(deps, row.id)).status).toBe(to);
      const again = await Store.tx(deps.store, writes());
      expect(again).toMatchObject({ ok: false });
      expect(again.ok ? [] : again.refused[0]?.conditions).toContain("status");
      expect(await partition(deps, row.id)).toEqual(after);
    },
  );

  it("is conditional on the attempt that was read as well", async () => {
    const row = await inStatus("running");
    await Store.write(deps.store, { kind: "update", key: { pk: row.pk, sk: row.sk }, set: { att: 9 } });
    const refused = await Store.tx(deps.store, Task.transition(deps.id, row, "completed", "client", 0));
    expect(refused).toMatchObject({ ok: false, refused: [{ conditions: ["attempt"] }] });
  });
});

describe("the lists that a status change keeps", () => {
  const listed = async (index: "gsi1" | "gsi3", pk: string) =>
    (await Store.queryAll(deps.store, { index, pk })).map((item) => item.pk.slice(2));

  it.each(STATUSES)("a %s task is in its status list and in no other", async (status) => {
    const row = await inStatus(status);
    for (const one of STATUSES)
      expect((await listed("gsi1", Store.Keys.statusPartition(one, row.created_at))).includes(row.id)).toBe(
        one === status,
      );
  });

  it.each(STATUSES)("a %s task is in the queue only when it may be claimed", async (status) => {
    const row = await inStatus(status);
    expect((await listed("gsi3", Store.Keys.queuePartition(row.queue))).includes(row.id)).toBe(status === "pending");
  });

  it("a task that waits for a time is in the delayed list instead, and stands in the queue with the age it had", async () => {
    const row = await inStatus("running");
    const until = deps.clock.now() + 60_000;
    const change = { set: { retry_not_before: until, wait_reason: "later" }, until };
    await Store.tx(deps.store, Task.transition(deps.id, row, "pending", "settle", deps.clock.now(), change));
    const queue = Store.Keys.queuePartition(row.queue);
    expect(await listed("gsi3", Store.Keys.DELAYED)).toContain(row.id);
    expect(await listed("gsi3", queue)).not.toContain(row.id);
    const parked = await rowOf(deps, row.id);
    await deps.clock.advance(5000);
    await Store.write(deps.store, Task.wake(parked));
    expect(await listed("gsi3", Store.Keys.DELAYED)).not.toContain(row.id);
    const awake = (await rowOf(deps, row.id)) as unknown as Record<string, unknown>;
    expect(awake.gsi3sk).toBe(Store.Keys.due(row.queue, row.priority, parked.queued_at, row.id).gsi3sk);
    expect([awake.retry_not_before, awake.wait_reason]).toEqual([undefined, undefined]);
  });

  it("waking a task that was claimed meanwhile changes nothing", async () => {
    const row = await inStatus("pending");
    await Store.tx(deps.store, Task.transition(deps.id, row, "running", "claim", deps.clock.now()));
    const before = await partition(deps, row.id);
    expect((await Store.write(deps.store, Task.wake(row))).ok).toBe(false);
    expect(await partition(deps, row.id)).toEqual(before);
  });
});
