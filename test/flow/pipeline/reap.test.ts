import { describe, expect, it } from "vitest";
import * as Pipeline from "../../../core/flow/pipeline/index.ts";
import * as Store from "../../../core/ground/store/index.ts";
import { Keys, Lock } from "../../../core/ground/store/index.ts";
import * as Attempt from "../../../core/work/attempt/index.ts";
import * as Metrics from "../../../core/work/metrics/index.ts";
import {
  attemptOf,
  entered,
  held,
  hold,
  itemOf,
  meanwhile,
  newTask,
  otherHost,
  partition,
  pushItems,
  records,
  rowOf,
  testPipeline,
  USAGE,
  wholeOf,
  withOutcome,
  type TestPipeline,
} from "../../support/pipeline.ts";

const LEASE = Pipeline.CLAIM_LEASE_MS;

/** A lease runs out on a task that this host claims anew, `times` times. */
async function stall(deps: TestPipeline, id: string, times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    await hold(deps, id);
    await deps.clock.advance(LEASE);
    expect(await Pipeline.reap(deps)).toEqual([id]);
  }
}

describe("FAILURES 26: a lease that ended without an outcome", () => {
  it("gives the task back, spends a stall, clears the claim and keeps the record", async () => {
    const deps = await testPipeline();
    const one = await held(deps);
    const ref = await entered(deps, one);
    await Attempt.renew(deps.store, ref, LEASE, "working");
    await deps.clock.advance(LEASE);
    deps.published.length = 0;
    expect(await Pipeline.reap(deps)).toEqual([one.id]);
    const row = await rowOf(deps, one.id);
    expect(row).toMatchObject({ status: "pending", stalls: 1, tries: 0, att: 1 });
    expect([row.claimed_by, row.claimed_at]).toEqual([undefined, undefined]);
    expect(await attemptOf(deps, one.id, 1)).toMatchObject({
      end: { status: "pending", class: "lost", message: "its lease ended" },
    });
    expect(await records(deps)).toMatchObject([{ status: null, class: "lost", run_ms: LEASE }]);
    expect(deps.published).toEqual([{ type: "task.queued", taskId: one.id }]);
    expect(await Pipeline.reap(deps)).toEqual([]);
    expect(await Attempt.renew(deps.store, ref, LEASE)).toBe(false);
  });

  it("a minute before its end nothing is done", async () => {
    const deps = await testPipeline();
    const one = await held(deps);
    await deps.clock.advance(LEASE - 1);
    expect(await Pipeline.reap(deps)).toEqual([]);
    expect((await rowOf(deps, one.id)).status).toBe("running");
  });

  it("a lease that is renewed between the reaper's reading and its writing is not ended", async () => {
    const deps = await testPipeline();
    const ref = await entered(deps, await held(deps));
    await deps.clock.advance(deps.work.leaseMs);
    meanwhile(deps.store, "write", "its lease ended", async () =>
      expect(await Attempt.renew(deps.store, ref, LEASE)).toBe(true),
    );
    expect(await Pipeline.reap(deps)).toEqual([]);
    expect((await rowOf(deps, ref.taskId)).status).toBe("running");
  });

  it("an outcome that is written between the reaper's reading and its writing is not lost", async () => {
    const deps = await testPipeline();
    const ref = await entered(deps, await held(deps));
    await deps.clock.advance(deps.work.leaseMs);
    meanwhile(deps.store, "write", "its lease ended", async () => {
      const part = { evidence: null, output: "just in time" };
      expect(await Attempt.recordOutcome(deps.store, ref, { kind: "passed" }, part, USAGE)).toBe(true);
    });
    await Pipeline.reap(deps);
    await Pipeline.reap(deps);
    const { row, parts } = await wholeOf(deps, ref.taskId);
    expect([row.status, row.stalls, parts.output]).toEqual(["completed", 0, "just in time"]);
  });

  it("FAILURES 45: a healthy run of any length is left alone while it renews", async () => {
    const deps = await testPipeline();
    const ref = await entered(deps, await held(deps));
    for (let i = 0; i < 100; i++) {
      await deps.clock.advance(50_000);
      expect(await Attempt.renew(deps.store, ref, 60_000)).toBe(true);
      if (i % 10 === 0) expect(await Pipeline.reap(deps)).toEqual([]);
    }
  });

  it("the fifth stall fails the task with class lost, the budget named and the end of its log", async () => {
    const deps = await testPipeline();
    const id = await newTask(deps);
    await stall(deps, id, 4);
    expect(await rowOf(deps, id)).toMatchObject({ status: "pending", stalls: 4 });
    const one = await hold(deps, id);
    const log = Attempt.logWriter(deps.store, deps.clock, { taskId: id, n: one.attempt, turn: 1 }, [], undefined);
    log.line("the last thing it said");
    await log.end({ seconds: 1, exit: null, status: "lost" });
    await deps.clock.advance(LEASE);
    deps.published.length = 0;
    await Pipeline.reap(deps);
    const { row, parts } = await wholeOf(deps, id);
    expect(row).toMatchObject({ status: "failed", stalls: 5 });
    expect(parts.error).toMatchObject({ class: "lost", who_acts: "system", retryable: true });
    expect(parts.error?.message).toContain("all 5 stalls are spent");
    expect(parts.error?.excerpt).toContain("the last thing it said");
    expect(deps.published).toEqual([{ type: "task.settled", taskId: id, attempt: 5 }]);
    expect((await Metrics.counts(deps)).by_status).toEqual({ failed: 1 });
    expect((await Metrics.read(deps)).success_rate).toMatchObject({ failed: 1, total: 1 });
    await Pipeline.retry(deps, id);
    expect(await rowOf(deps, id)).toMatchObject({ status: "pending", stalls: 0 });
  });

  it("the fifth stall of an item's task is a round of its item", async () => {
    const deps = await testPipeline();
    await pushItems(deps, ["x"]);
    const [id = ""] = await Pipeline.tick(deps);
    await stall(deps, id, 5);
    expect(await itemOf(deps, "x")).toMatchObject({ state: "spec", round: 1 });
    expect((await itemOf(deps, "x")).last).toContain("stalls are spent");
  });

  it("three reapers at once do it once", async () => {
    const deps = await testPipeline();
    const one = await held(deps);
    await deps.clock.advance(LEASE);
    await Promise.all([1, 2, 3].map(() => Pipeline.reap(deps)));
    expect((await rowOf(deps, one.id)).stalls).toBe(1);
    expect(await records(deps)).toHaveLength(1);
  });

  it("a client's lease of 30 min is ended as well", async () => {
    const deps = await testPipeline();
    const id = await newTask(deps);
    await Pipeline.update(deps, id, { status: "running", worker_id: "w" }, { kind: "operator" });
    await deps.clock.advance(Pipeline.CLIENT_LEASE_MS - 1);
    expect(await Pipeline.reap(deps)).toEqual([]);
    await deps.clock.advance(1);
    expect(await Pipeline.reap(deps)).toEqual([id]);
    const row = await rowOf(deps, id);
    expect([row.status, row.claimed_by]).toEqual(["pending", undefined]);
  });
});

describe("a lease that ended with an outcome", () => {
  it("is settled and not paid twice", async () => {
    const deps = await testPipeline();
    const one = await held(deps);
    await withOutcome(deps, one, { kind: "passed" }, { output: "was there" });
    await deps.clock.advance(deps.work.leaseMs);
    expect(await Pipeline.reap(deps)).toEqual([one.id]);
    const { row, parts } = await wholeOf(deps, one.id);
    expect([row.status, row.stalls, parts.output]).toEqual(["completed", 0, "was there"]);
    expect(deps.requests).toEqual([]);
  });

  it.each(["FAILED", "TIMED_OUT", "ABORTED"])("an execution that %s ends its attempt at once", async () => {
    const deps = await testPipeline();
    const [open, served] = [await held(deps), await held(deps)];
    await withOutcome(deps, served, { kind: "passed" });
    for (const one of [open, served, served, open]) await Pipeline.executionEnded(deps, one.id, one.attempt);
    expect(await rowOf(deps, open.id)).toMatchObject({ status: "pending", stalls: 1 });
    expect(await rowOf(deps, served.id)).toMatchObject({ status: "completed", stalls: 0 });
  });
});

describe("running without anybody who holds it", () => {
  /** As a lost write would leave it: running, and its attempt has ended or was never put. */
  async function orphan(deps: TestPipeline, stalls = 0): Promise<string> {
    const one = await held(deps);
    await Store.write(deps.store, { kind: "delete", key: Keys.attempt(one.id, one.attempt) });
    await Store.write(deps.store, { kind: "update", key: Keys.task(one.id), set: { stalls } });
    return one.id;
  }

  it("is given back after 30 min without an update, not before", async () => {
    const deps = await testPipeline();
    const id = await orphan(deps);
    await deps.clock.advance(Pipeline.STALE_RUNNING_MS - 1);
    expect(await Pipeline.reap(deps)).toEqual([]);
    await deps.clock.advance(1);
    expect(await Pipeline.reap(deps)).toEqual([id]);
    const row = await rowOf(deps, id);
    expect(row).toMatchObject({ status: "pending", stalls: 1 });
    expect(row.claimed_by).toBeUndefined();
    expect(await Pipeline.dispatch(deps)).toEqual([id]);
  });

  it("fails with its budget named when that was its last stall", async () => {
    const deps = await testPipeline();
    const id = await orphan(deps, Pipeline.MAX_STALLS - 1);
    await deps.clock.advance(Pipeline.STALE_RUNNING_MS);
    await Pipeline.reap(deps);
    const { row, parts } = await wholeOf(deps, id);
    expect(row.status).toBe("failed");
    expect(parts.error).toMatchObject({ class: "lost" });
    expect(parts.error?.message).toContain("all 5 stalls are spent");
  });

  it("an open attempt that its task went on without is ended, and the task is left alone", async () => {
    const deps = await testPipeline();
    const one = await held(deps);
    await Store.write(deps.store, { kind: "update", key: Keys.task(one.id), set: { att: 2 } });
    const before = await rowOf(deps, one.id);
    await deps.clock.advance(LEASE);
    expect(await Pipeline.reap(deps)).toEqual([]);
    expect((await attemptOf(deps, one.id, 1)).end?.class).toBe("lost");
    expect(await rowOf(deps, one.id)).toEqual(before);
  });
});

describe("a host that starts", () => {
  it("FAILURES 25: ends what its earlier life held at once, and nothing of a live other host or of a client", async () => {
    const deps = await testPipeline({ host: { id: "h1", incarnation: "one" } });
    const mine = await held(deps);
    const other = await held(await otherHost(deps, { id: "h2", incarnation: "one" }));
    const similar = await held(await otherHost(deps, { id: "h1x", incarnation: "one" }));
    const client = await newTask(deps);
    await Pipeline.update(deps, client, { status: "running", worker_id: "h1/one" }, { kind: "operator" });
    const untouched = [other.id, similar.id, client];
    const before = await Promise.all(untouched.map((id) => partition(deps, id)));
    const reborn = await otherHost(deps, { id: "h1", incarnation: "two" });
    const now = await held(reborn);
    expect(await Pipeline.reapEarlierLives(reborn)).toEqual([mine.id]);
    expect(await rowOf(deps, mine.id)).toMatchObject({ status: "pending", stalls: 1 });
    expect((await rowOf(deps, now.id)).status).toBe("running");
    expect(await Promise.all(untouched.map((id) => partition(deps, id)))).toEqual(before);
  });

  it("settles what its earlier life had brought to an outcome", async () => {
    const deps = await testPipeline();
    const one = await held(deps);
    await withOutcome(deps, one, { kind: "passed" });
    const reborn = await otherHost(deps, { id: "h1", incarnation: "two" });
    expect(await Pipeline.reapEarlierLives(reborn)).toEqual([one.id]);
    expect(await rowOf(deps, one.id)).toMatchObject({ status: "completed", stalls: 0 });
  });

  it("breaks the merge lock of its earlier life, not that of an attempt which a live other host holds", async () => {
    const deps = await testPipeline();
    const second = await otherHost(deps, { id: "h2", incarnation: "one" });
    const locks: [string, TestPipeline][] = [
      ["mine", deps],
      ["theirs", second],
    ];
    for (const [backlog, by] of locks) {
      await pushItems(deps, ["x"], { id: backlog });
      const { taskId, n, turn } = await entered(by, await held(by));
      const owner = `${taskId}/${n}/${turn}`;
      expect(await Lock.acquire(deps.store, { name: `merge#${backlog}`, owner }, 60_000)).toBe(true);
    }
    const reborn = await otherHost(deps, { id: "h1", incarnation: "two" });
    await Pipeline.reapEarlierLives(reborn);
    expect(await Store.get(deps.store, Keys.lock("merge#mine"))).toBeUndefined();
    expect(await Store.get(deps.store, Keys.lock("merge#theirs"))).toBeDefined();
  });

  it("breaks the manager's lock of its earlier life, not its own and not another host's", async () => {
    const deps = await testPipeline({ host: { id: "h1", incarnation: "two" } });
    for (const [owner, broken] of [
      ["h1/one#abc", true],
      ["h1/two#abc", false],
      ["h2/one#abc", false],
    ] as const) {
      await Store.write(deps.store, { kind: "delete", key: Keys.lock("manager") });
      await Lock.acquire(deps.store, { name: "manager", owner }, 60_000);
      await Pipeline.reapEarlierLives(deps);
      expect((await Store.get(deps.store, Keys.lock("manager"))) === undefined, owner).toBe(broken);
    }
  });

  it("one that stops in good order gives back what it holds and spends nothing", async () => {
    const deps = await testPipeline();
    const mine = await held(deps);
    const other = await held(await otherHost(deps, { id: "h2", incarnation: "one" }));
    expect(await Pipeline.releaseOwn(deps)).toEqual([mine.id]);
    expect(await rowOf(deps, mine.id)).toMatchObject({ status: "pending", stalls: 0 });
    expect((await rowOf(deps, other.id)).status).toBe("running");
  });
});
