import { beforeAll, describe, expect, it } from "vitest";
import * as Store from "../../core/ground/store/index.ts";
import { Keys } from "../../core/ground/store/index.ts";
import * as Attempt from "../../core/work/attempt/index.ts";
import * as Task from "../../core/work/task/index.ts";
import { injectConflicts } from "../support/conflicts.ts";
import { testStore } from "../support/deps.ts";
import { attemptOf, newTask, partition, rowOf, testPipeline, type TestPipeline } from "../support/pipeline.ts";

let deps: TestPipeline;
beforeAll(async () => {
  deps = await testPipeline();
});

const claimAs = (owner: string, by: Attempt.Claimant["by"] = "client"): Attempt.Claimant => ({
  by,
  owner,
  leaseMs: 60_000,
});
/** 500 take more than a minute on two cores: COHERENCE_TEST_FULL=1 runs them. */
const MANY = process.env["COHERENCE_TEST_FULL"] === "1" ? 500 : 40;

const codeOf = (error: unknown) => (error as { code?: string }).code ?? String(error);

/** 64 claim one task at once: who won, and what the others were told. */
async function contend(on: TestPipeline, id: string): Promise<{ winners: string[]; refusals: string[] }> {
  const winners: string[] = [];
  const refusals: string[] = [];
  await Promise.all(
    Array.from({ length: 64 }, (_, i) =>
      Attempt.claim(on, id, claimAs(`w${i}`)).then(
        (attempt) => winners.push(attempt.owner),
        (error: unknown) => refusals.push(codeOf(error)),
      ),
    ),
  );
  return { winners, refusals };
}

describe("FAILURES 25, 29: one claim for all", () => {
  it.each([
    [`${MANY} tasks`, MANY, 0],
    ["20 tasks, three transactions in ten conflicting", 20, 0.3],
  ])(
    "64 contenders on each of %s: one winner each, and nothing of the losers",
    async (_name, count, p) => {
      const own = await testPipeline({ store: await testStore(deps.clock) });
      if (p > 0) injectConflicts(own.store, p);
      for (let i = 0; i < count; i++) {
        const id = await newTask(own);
        const { winners, refusals } = await contend(own, id);
        expect(winners).toHaveLength(1);
        expect(new Set(refusals)).toEqual(new Set(["task.claimed"]));
        const items = await partition(own, id);
        expect(items.map((item) => item.sk)).toEqual(["A#001", "M", "M#context"]);
        expect(items[0]).toMatchObject({ owner: winners[0], turn: 0, n: 1 });
        expect(items[1]).toMatchObject({ status: "running", att: 1, claimed_by: winners[0] });
      }
    },
    300_000,
  );

  it("a loser changes nothing, and is told who has it", async () => {
    const id = await newTask(deps);
    await Attempt.claim(deps, id, claimAs("first"));
    const before = await partition(deps, id);
    await expect(Attempt.claim(deps, id, claimAs("second"))).rejects.toThrow("Task already claimed by first");
    expect(await partition(deps, id)).toEqual(before);
  });

  it.each(["completed", "failed", "cancelled"] as const)("a %s task is not claimed", async (status) => {
    const id = await newTask(deps);
    const actor = status === "cancelled" ? "operator" : "client";
    await Store.tx(deps.store, Task.transition(deps.id, await rowOf(deps, id), status, actor, deps.clock.now()));
    const before = await partition(deps, id);
    await expect(Attempt.claim(deps, id, claimAs("w"))).rejects.toMatchObject({ code: "task.transition" });
    expect(await partition(deps, id)).toEqual(before);
  });

  it("an unknown task is not found", async () => {
    await expect(Attempt.claim(deps, "task_0000000000000000", claimAs("w"))).rejects.toMatchObject({
      code: "task.not_found",
    });
  });

  it("FAILURES 18: att is raised by every claim and never used again", async () => {
    const id = await newTask(deps);
    for (const n of [1, 2, 3]) {
      expect((await Attempt.claim(deps, id, claimAs(`w${n}`))).n).toBe(n);
      const row = await rowOf(deps, id);
      const attempt = await attemptOf(deps, id, n);
      const now = deps.clock.now();
      await Store.tx(deps.store, [
        ...Task.transition(deps.id, row, "pending", "client", now, { remove: ["claimed_by"] }),
        Attempt.endWrite(attempt, { status: "pending", class: null, message: "" }, now, false),
      ]);
    }
    expect((await Attempt.readAll(deps.store, id, 3)).map((one) => [one.n, one.owner])).toEqual([
      [1, "w1"],
      [2, "w2"],
      [3, "w3"],
    ]);
  });

  it("the time in the queue is counted from when it last became pending", async () => {
    const id = await newTask(deps);
    const queued = deps.clock.now();
    await deps.clock.advance(7000);
    const attempt = await Attempt.claim(deps, id, claimAs("w"));
    expect([attempt.queued_at, attempt.claimed_at - attempt.queued_at]).toEqual([queued, 7000]);
  });
});

describe("FAILURES 19: a run-state lease of another refuses", () => {
  const leased = async (worker: string, until: number) => {
    const id = await newTask(deps);
    const set = { run_id: "r", run_worker: worker, run_until: until };
    await Store.write(deps.store, { kind: "update", key: Keys.task(id), set });
    return id;
  };

  it.each<[string, string, number, boolean]>([
    ["a live lease of another", "other", 1, false],
    ["a live lease of one's own", "me", 1, true],
    ["a lease of another that has ended", "other", 0, true],
  ])("%s", async (_name, worker, more, may) => {
    const id = await leased(worker, deps.clock.now() + more);
    const before = await partition(deps, id);
    const claim = Attempt.claim(deps, id, claimAs("me"));
    if (may) return void expect(await claim).toMatchObject({ n: 1, owner: "me" });
    await expect(claim).rejects.toMatchObject({ code: "task.claimed" });
    expect(await partition(deps, id)).toEqual(before);
  });
});
