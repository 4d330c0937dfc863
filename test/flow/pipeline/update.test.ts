import { describe, expect, it } from "vitest";
import * as Pipeline from "../../../core/flow/pipeline/index.ts";
import * as Store from "../../../core/ground/store/index.ts";
import { Keys } from "../../../core/ground/store/index.ts";
import * as Task from "../../../core/work/task/index.ts";
import {
  attemptOf,
  held,
  hold,
  meanwhile,
  newTask,
  pushItems,
  rowOf,
  testPipeline,
  wholeOf,
  withOutcome,
  type TestPipeline,
} from "../../support/pipeline.ts";
import { patch, claimed, refused } from "./update-support.ts";

/** A requeue that is put off. */
const LATER = { retry_not_before: "2126-01-31T00:00:00Z" };

async function parkedByW1(deps: TestPipeline, id: string): Promise<void> {
  await patch(deps, id, { status: "running", worker_id: "w1" });
  await patch(deps, id, { status: "pending", worker_id: "w1", context: LATER });
}

describe("who may do what to a client's attempt", () => {
  it("the first one claims for 30 min, another is refused and told who has it", async () => {
    const deps = await testPipeline();
    const id = await claimed(deps);
    const attempt = await attemptOf(deps, id, 1);
    expect(attempt).toMatchObject({ by: "client", owner: "w1", lease_ms: Pipeline.CLIENT_LEASE_MS });
    await refused(deps, id, { status: "running", worker_id: "w2" }, "task.claimed");
    await expect(patch(deps, id, { status: "running", worker_id: "w2" })).rejects.toThrow("already claimed by w1");
  });

  it("64 at once: one has it", async () => {
    const deps = await testPipeline();
    const id = await newTask(deps);
    const all = await Promise.allSettled(
      Array.from({ length: 64 }, (_, i) => patch(deps, id, { status: "running", worker_id: `w${i}` })),
    );
    expect(all.filter((one) => one.status === "fulfilled")).toHaveLength(1);
    const reasons = all.flatMap((one) => (one.status === "rejected" ? [(one.reason as { code: string }).code] : []));
    expect(new Set(reasons)).toEqual(new Set(["task.claimed"]));
  });

  it("claiming again is the owner's own, also without a name nobody takes it over", async () => {
    const deps = await testPipeline();
    const id = await claimed(deps);
    const att = (await rowOf(deps, id)).att;
    expect((await patch(deps, id, { status: "running", worker_id: "w1" })).row).toMatchObject({
      status: "running",
      att,
    });
    await refused(deps, id, { status: "running" }, "task.claimed");
    const unnamed = await newTask(deps);
    expect((await patch(deps, unnamed, { status: "running" })).row.claimed_by).toBe("unknown");
    expect((await patch(deps, unnamed, { status: "running" })).row.att).toBe(1);
  });

  it.each([
    ["completed", { status: "completed", output: "mine" }],
    ["failed", { status: "failed", output: "mine" }],
    ["pending", { status: "pending" }],
    ["needs_decision", { status: "needs_decision", decision_prompt: "?" }],
  ])("another worker may not make it %s; its owner and an operator may", async (status, body) => {
    const deps = await testPipeline();
    await refused(deps, await claimed(deps), { ...body, worker_id: "w2" }, "task.claimed");
    for (const more of [{ worker_id: "w1" }, { context: { runner_id: "w1" } }, {}]) {
      const id = await claimed(deps);
      expect((await patch(deps, id, { ...body, ...more })).row.status).toBe(status);
    }
  });

  it("a caller who is known by a key and names no worker finishes what a runner of his claimed (contract runners do)", async () => {
    const deps = await testPipeline();
    const id = await claimed(deps, "host:1");
    const done = await patch(deps, id, { status: "completed", output: "ok" }, { kind: "key", id: "k1" });
    expect(done.row.status).toBe("completed");
    const own = await newTask(deps);
    const running = await patch(deps, own, { status: "running" }, { kind: "key", id: "k1" });
    expect(running.row.claimed_by).toBe("key:k1");
    await refused(deps, own, { status: "running" }, "task.claimed", { kind: "key", id: "k2" });
  });

  it("FAILURES 19: nobody ends our own attempt by a PATCH", async () => {
    const deps = await testPipeline();
    const { id } = await held(deps);
    for (const status of ["completed", "failed", "pending", "needs_decision"])
      for (const more of [{}, { worker_id: "w1" }]) await refused(deps, id, { status, ...more }, "task.claimed");
    await refused(deps, id, { status: "running", worker_id: "w1" }, "task.claimed");
  });

  it("FAILURES 19, 31: a zombie's late words change nothing of the one who runs it now", async () => {
    const deps = await testPipeline();
    const id = await claimed(deps, "zombie");
    await deps.clock.advance(Pipeline.CLIENT_LEASE_MS);
    await Pipeline.reap(deps);
    await patch(deps, id, { status: "running", worker_id: "w2" });
    await deps.clock.advance(60_000);
    for (const body of [
      { progress_pct: 50, current_step: "still here" },
      { output: "half" },
      { status: "running" },
      { status: "completed", output: "mine" },
    ])
      await refused(deps, id, { ...body, worker_id: "zombie" }, "task.claimed");
    await patch(deps, id, { status: "completed", worker_id: "w2", output: "right" });
    for (const body of [{ status: "completed", output: "mine" }, { output: "mine" }, { progress_pct: 1 }])
      await refused(deps, id, { ...body, worker_id: "zombie" }, "task.claimed");
    expect((await wholeOf(deps, id)).parts.output).toBe("right");
  });

  it("FAILURES 19: who lost the task by a release or a reaper changes nothing of it, though nobody has it yet", async () => {
    const deps = await testPipeline();
    for (const lose of ["release", "reap"] as const) {
      const id = await claimed(deps, "zombie");
      if (lose === "release") await Pipeline.release(deps, id);
      else {
        await deps.clock.advance(Pipeline.CLIENT_LEASE_MS);
        await Pipeline.reap(deps);
      }
      for (const body of [
        { output: "half" },
        { progress_pct: 50 },
        { status: "completed", output: "mine" },
        { status: "failed" },
      ])
        await refused(deps, id, { ...body, worker_id: "zombie" }, "task.claimed");
      expect((await patch(deps, id, { status: "running", worker_id: "zombie" })).row.status).toBe("running");
    }
  });

  it("FAILURES 19: so it is for one who lost it two claims ago", async () => {
    const deps = await testPipeline();
    const id = await claimed(deps, "zombie");
    await Pipeline.release(deps, id);
    await patch(deps, id, { status: "running", worker_id: "w2" });
    await Pipeline.release(deps, id);
    for (const body of [{ output: "half" }, { progress_pct: 50 }, { status: "completed" }])
      await refused(deps, id, { ...body, worker_id: "zombie" }, "task.claimed");
  });

  it.each([
    ["cancelled", (deps: TestPipeline, id: string) => Pipeline.cancel(deps, id)],
    ["claimed", (deps: TestPipeline, id: string) => hold(deps, id)],
    ["parked", parkedByW1],
  ])("a priority that meets a task just %s puts it into no queue", async (_what, act) => {
    const deps = await testPipeline();
    const id = await newTask(deps);
    let after: Record<string, unknown> = {};
    meanwhile(deps.store, "write", `T#${id}`, async () => {
      await act(deps, id);
      after = { ...(await rowOf(deps, id)) };
    });
    await expect(patch(deps, id, { priority: 90 })).rejects.toMatchObject({ code: "task.claimed" });
    expect(await rowOf(deps, id)).toEqual(after);
  });

  it("a failed task's last word is its owner's", async () => {
    const deps = await testPipeline();
    const id = await claimed(deps);
    await patch(deps, id, { status: "failed", worker_id: "w1", error: "broken" });
    await refused(deps, id, { status: "pending", worker_id: "w2" }, "task.claimed");
  });

  it("a question longer than an index can hold is cut, not a fault", async () => {
    const deps = await testPipeline();
    const id = await claimed(deps);
    const asked = await patch(deps, id, {
      status: "needs_decision",
      decision_prompt: "?".repeat(500_000),
      worker_id: "w1",
    });
    expect(asked.row.decision_prompt).toHaveLength(4000);
    expect(() => Pipeline.Update.parse({ success_evidence: Array.from({ length: 101 }, () => "x") })).toThrow();
  });

  it("FAILURES 27: after a cancel no later word of its owner lands", async () => {
    const deps = await testPipeline();
    const id = await claimed(deps);
    await Pipeline.cancel(deps, id);
    await refused(deps, id, { status: "completed", worker_id: "w1", output: "x" }, "task.transition");
    await refused(deps, id, { status: "running", worker_id: "w1" }, "task.claimed");
    await refused(deps, id, { output: "late", worker_id: "w1" }, "task.claimed");
  });

  it("a write of its owner renews the lease, a stranger's does not", async () => {
    const deps = await testPipeline();
    const id = await claimed(deps);
    await deps.clock.advance(600_000);
    await patch(deps, id, { progress_pct: 5, worker_id: "w1" });
    const until = deps.clock.now() + Pipeline.CLIENT_LEASE_MS;
    expect((await attemptOf(deps, id, 1)).lease_until).toBe(until);
    await deps.clock.advance(600_000);
    await patch(deps, id, { context: { note: "hello" }, worker_id: "w2" });
    expect((await attemptOf(deps, id, 1)).lease_until).toBe(until);
    expect((await wholeOf(deps, id)).parts.context?.note).toBe("hello");
  });
});

describe("a task of an item", () => {
  it("is claimed through no session: its key in a context joins none", async () => {
    const deps = await testPipeline();
    await pushItems(deps, ["x"]);
    const [id = ""] = await Pipeline.tick(deps);
    await patch(deps, id, { context: { session_key: "s" } });
    const upsert = Pipeline.UpsertActive.parse({ session_key: "s", direction: "mine", worker_id: "w1" });
    const { created, task } = await Pipeline.upsertActive(deps, upsert);
    expect([created, task.row.id === id]).toEqual([true, false]);
    expect((await rowOf(deps, id)).status).toBe("pending");
  });

  it.each([
    { status: "running", worker_id: "w1" },
    { status: "completed" },
    { status: "pending" },
    { output: "x" },
    { progress_pct: 5 },
    { decision_prompt: "?" },
    { context: {}, current_step: "x" },
  ])("refuses %j from outside with task.of_item", async (body) => {
    const deps = await testPipeline();
    await pushItems(deps, ["x"]);
    const [id = ""] = await Pipeline.tick(deps);
    await refused(deps, id, body, "task.of_item");
    await hold(deps, id);
    await refused(deps, id, body, "task.of_item");
  });

  it("takes context and a decision", async () => {
    const deps = await testPipeline();
    await pushItems(deps, ["x"]);
    const [id = ""] = await Pipeline.tick(deps);
    expect((await patch(deps, id, { context: { hint: 1 } })).parts.context).toMatchObject({ hint: 1, item_id: "x" });
    const question = Task.Question.parse({ prompt: "Which?" });
    await Pipeline.settle(deps, await withOutcome(deps, await hold(deps, id), { kind: "question", question }));
    expect((await patch(deps, id, { decision: "a" })).row).toMatchObject({ status: "pending", decision: "a" });
  });
});

describe("FAILURES 19: a run-state lease of another", () => {
  it("refuses claim and finish in one", async () => {
    const deps = await testPipeline();
    const id = await newTask(deps);
    const set = { run_id: "r", run_worker: "w1", run_until: deps.clock.now() + 1000 };
    await Store.write(deps.store, { kind: "update", key: Keys.task(id), set });
    for (const status of ["running", "completed", "failed"])
      await refused(deps, id, { status, worker_id: "w2" }, "task.claimed");
    expect((await patch(deps, id, { status: "running", worker_id: "w1" })).row.claimed_by).toBe("w1");
  });
});

describe("two PATCHes of the target contract at once", () => {
  it.each([
    ["before the second has read the task", "read", "begins_with"],
    ["before the second writes it", "write", '"#success_evidence'],
    ["before the second changes the context", "write", "M#context"],
  ] as const)("%s: the task and its context say the same in the end", async (_, when, text) => {
    const deps = await testPipeline();
    const id = await newTask(deps);
    let met = false;
    meanwhile(deps.store, when, text, async () => {
      met = true;
      await patch(deps, id, { target_state: "reached" });
    });
    await patch(deps, id, { success_evidence: ["seen"] });
    expect(met).toBe(true);
    const { row, parts } = await wholeOf(deps, id);
    const said = { target_state: "reached", success_evidence: ["seen"] };
    expect(row).toMatchObject(said);
    expect(parts.context).toMatchObject({ ...said, target_state_contract: said });
  });

  it("which name the same: the context says what the task says", async () => {
    const deps = await testPipeline();
    const id = await newTask(deps);
    meanwhile(deps.store, "write", "M#context", () => patch(deps, id, { target_state: "came between" }));
    await patch(deps, id, { target_state: "was written last" });
    const { row, parts } = await wholeOf(deps, id);
    expect(row.target_state).toBe("was written last");
    const said = { target_state: "was written last" };
    expect(parts.context).toMatchObject({ ...said, target_state_contract: said });
  });
});
