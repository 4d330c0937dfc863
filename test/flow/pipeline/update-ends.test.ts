import { describe, expect, it } from "vitest";
import * as Pipeline from "../../../core/flow/pipeline/index.ts";
import * as Metrics from "../../../core/work/metrics/index.ts";
import * as Task from "../../../core/work/task/index.ts";
import {
  held,
  newTask,
  records,
  rowOf,
  testPipeline,
  threeCounts,
  wholeOf,
  withOutcome,
  type TestPipeline,
} from "../../support/pipeline.ts";
import { patch, claimed, refused } from "./update-support.ts";

describe("a client's ends", () => {
  it("a pending task is claimed and finished in one", async () => {
    const deps = await testPipeline();
    const id = await newTask(deps);
    const { row, parts } = await patch(deps, id, { status: "completed", output: "fine", worker_id: "w1" });
    expect(row).toMatchObject({ status: "completed", att: 1, progress_pct: 100, output_len: 4 });
    expect(parts.output).toBe("fine");
    expect(await records(deps)).toMatchObject([{ status: "completed", run_ms: null }]);
  });

  it.each<[string, Record<string, unknown>, string, string]>([
    ["nothing else", {}, "unreported", "the client gave no reason"],
    ["blanks", { output: " \n" }, "unreported", "the client gave no reason"],
    ["an output", { output: "line 1\nthe end\n" }, "reported", "the end"],
    ["an error", { error: "no network", output: "x" }, "reported", "no network"],
    ["an output cut within an emoji", { output: `${"x".repeat(499)}😀` }, "reported", "x".repeat(499)],
  ])("failed with %s: always diagnosed", async (_name, more, failureClass, message) => {
    const deps = await testPipeline();
    const id = await claimed(deps);
    const { row, parts } = await patch(deps, id, { status: "failed", worker_id: "w1", ...more });
    expect(row.status).toBe("failed");
    expect(parts.error).toMatchObject({ class: failureClass, who_acts: "user" });
    expect(parts.error?.message.startsWith(message)).toBe(true);
    const { diagnostics } = await Metrics.read(deps);
    expect(diagnostics).toEqual({ failed: 1, missing: failureClass === "unreported" ? 1 : 0 });
  });

  it.each(["completed", "failed"])("FAILURES 32: repeating %s records nothing twice", async (status) => {
    const deps = await testPipeline();
    const id = await claimed(deps);
    await patch(deps, id, { status, worker_id: "w1", output: "x" });
    await deps.clock.advance(1000);
    for (const _ of [1, 2])
      expect((await patch(deps, id, { status, worker_id: "w1", output: "x" })).row.status).toBe(status);
    expect(await records(deps)).toHaveLength(1);
    const once = { completed: 0, failed: 0, [status]: 1 };
    expect(await threeCounts(deps, [id])).toEqual({ tasks: once, counters: once, metrics: once });
  });

  it("two at once finish it once", async () => {
    const deps = await testPipeline();
    const id = await claimed(deps);
    await Promise.allSettled([1, 2, 3].map(() => patch(deps, id, { status: "completed", worker_id: "w1" })));
    const once = { completed: 1, failed: 0 };
    expect(await threeCounts(deps, [id])).toEqual({ tasks: once, counters: once, metrics: once });
  });

  it("FAILURES 18: a requeue clears the claim, and any worker may take it", async () => {
    const deps = await testPipeline();
    const id = await claimed(deps);
    const { row } = await patch(deps, id, { status: "pending", worker_id: "w1" });
    expect(row).toMatchObject({ status: "pending", tries: 0, stalls: 0 });
    expect([row.claimed_by, row.claimed_at]).toEqual([undefined, undefined]);
    expect((await patch(deps, id, { status: "running", worker_id: "w2" })).row).toMatchObject({
      claimed_by: "w2",
      att: 2,
    });
  });

  it("FAILURES 28: a finished task is neither begun again nor queued by a PATCH", async () => {
    const deps = await testPipeline();
    for (const status of ["completed", "failed"]) {
      const id = await claimed(deps);
      await patch(deps, id, { status, worker_id: "w1", output: "x" });
      await refused(deps, id, { status: "running", worker_id: "w1" }, "task.claimed");
      await refused(deps, id, { status: "pending", worker_id: "w1" }, "task.transition");
    }
  });

  it.each([
    ["nothing at all", {}],
    ["only nulls", { status: null, output: null }],
  ])("%s is refused before the task is looked for", async (_name, body) => {
    const deps = await testPipeline();
    await expect(patch(deps, "task_0000000000000000", body)).rejects.toMatchObject({ code: "task.nothing_to_change" });
  });

  it("a context that grows over its bound is refused, and nothing of the PATCH is done", async () => {
    const deps = await testPipeline();
    const id = await claimed(deps);
    const context = { a: "x".repeat(Task.MAX_CONTEXT_BYTES) };
    await refused(deps, id, { status: "completed", worker_id: "w1", output: "x", context }, "input.too_large");
  });
});

describe("the second word (completed, then failed or needs_decision)", () => {
  const completed = async (deps: TestPipeline) => {
    const id = await claimed(deps);
    await deps.clock.advance(1000);
    await patch(deps, id, { status: "completed", worker_id: "w1", output: "delivered" });
    await deps.clock.advance(1000);
    return id;
  };
  const counts = (completed: number, failed: number) => {
    const one = { completed, failed };
    return { tasks: one, counters: one, metrics: one };
  };

  it("by its owner counts once, and what ran stays counted", async () => {
    const deps = await testPipeline();
    const id = await completed(deps);
    const { row, parts } = await patch(deps, id, { status: "failed", worker_id: "w1", output: "push refused" });
    expect(row.status).toBe("failed");
    expect(parts.error).toMatchObject({ class: "reported", message: "push refused" });
    expect(await threeCounts(deps, [id])).toEqual(counts(0, 1));
    expect((await Metrics.read(deps)).execution_time.p50_seconds).toBeCloseTo(1, 1);
  });

  it("then retried and completed: still counted once at every step", async () => {
    const deps = await testPipeline();
    const id = await completed(deps);
    await patch(deps, id, { status: "failed", worker_id: "w1" });
    await deps.clock.advance(1000);
    await Pipeline.retry(deps, id);
    expect(await threeCounts(deps, [id])).toEqual(counts(0, 0));
    await deps.clock.advance(1000);
    await patch(deps, id, { status: "completed", worker_id: "w2" });
    expect(await threeCounts(deps, [id])).toEqual(counts(1, 0));
  });

  it("needs_decision takes the end out; the end that follows without an attempt is counted", async () => {
    const deps = await testPipeline();
    const id = await completed(deps);
    await patch(deps, id, { status: "needs_decision", worker_id: "w1", decision_prompt: "merge?" });
    expect(await threeCounts(deps, [id])).toEqual(counts(0, 0));
    await deps.clock.advance(1000);
    await patch(deps, id, { status: "failed", worker_id: "w1", error: "no" });
    expect(await threeCounts(deps, [id])).toEqual(counts(0, 1));
  });

  it("by anybody else, or about our own attempt, is refused", async () => {
    const deps = await testPipeline();
    const id = await completed(deps);
    await refused(deps, id, { status: "failed", worker_id: "w2" }, "task.transition");
    const one = await held(deps);
    await Pipeline.settle(deps, await withOutcome(deps, one, { kind: "passed" }));
    for (const more of [{}, { worker_id: "h1/one" }])
      await refused(deps, one.id, { status: "failed", ...more }, "task.transition");
  });
});

describe("decisions", () => {
  it("need no worker, answer pending, and a second one is ignored", async () => {
    const deps = await testPipeline();
    const id = await claimed(deps);
    await patch(deps, id, { status: "needs_decision", worker_id: "w1", decision_prompt: "which?" });
    const { row } = await patch(deps, id, { decision: "this" });
    expect(row).toMatchObject({ status: "pending", decision: "this", decision_prompt: "which?" });
    expect((await patch(deps, id, { decision: "that" })).row).toMatchObject({ status: "pending", decision: "this" });
  });

  it("a client's question expires as any other, and an old default is not its answer", async () => {
    const deps = await testPipeline({ env: { PIPELINE_NEEDS_DECISION_TIMEOUT_HOURS: "1" } });
    const one = await held(deps);
    const question = Task.Question.parse({ prompt: "old?", default: "old answer", default_after_s: 86_400 });
    await Pipeline.settle(deps, await withOutcome(deps, one, { kind: "question", question }));
    const worker_id = (await rowOf(deps, one.id)).claimed_by;
    await patch(deps, one.id, { status: "running", worker_id });
    await patch(deps, one.id, { status: "needs_decision", worker_id, decision_prompt: "new?" });
    const asking = await rowOf(deps, one.id);
    expect([asking.decision_prompt, asking.decision_default, asking.decision_options]).toEqual([
      "new?",
      undefined,
      undefined,
    ]);
    await deps.clock.advance(3_600_000);
    await Pipeline.tick(deps);
    expect(await wholeOf(deps, one.id)).toMatchObject({
      row: { status: "failed" },
      parts: { error: { class: "lost" } },
    });
  });
});
