import { beforeAll, describe, expect, it } from "vitest";
import * as Pipeline from "../../../core/flow/pipeline/index.ts";
import * as Store from "../../../core/ground/store/index.ts";
import * as Backlog from "../../../core/work/backlog/index.ts";
import * as Metrics from "../../../core/work/metrics/index.ts";
import * as Provider from "../../../core/work/provider/index.ts";
import * as Task from "../../../core/work/task/index.ts";
import { injectConflicts } from "../../support/conflicts.ts";
import { between } from "../../support/wire.ts";
import {
  attemptOf,
  attemptOnce,
  coolDown,
  entered,
  failed,
  held,
  hold,
  itemOf,
  meanwhile,
  newTask,
  partition,
  pushItems,
  records,
  rowOf,
  scripted,
  testPipeline,
  threeCounts,
  USAGE,
  wholeOf,
  withOutcome,
  type TestPipeline,
} from "../../support/pipeline.ts";

let deps: TestPipeline;
beforeAll(async () => {
  deps = await testPipeline();
});

const question = (more: object = {}): Task.Outcome => ({
  kind: "question",
  question: Task.Question.parse({ prompt: "Which?", options: ["a", "b"], ...more }),
});
const BAD: Task.Outcome = { kind: "bad", message: "no diff", remedy: "Change something." };

/** An item in a phase, its task claimed by this host. */
async function itemIn(own: TestPipeline, phase: Task.Phase): Promise<{ id: string; attempt: number }> {
  await pushItems(own, ["x"]);
  for (;;) {
    await Pipeline.tick(own);
    const item = await itemOf(own, "x");
    const one = await hold(own, item.task ?? "");
    if (item.phase === phase) return one;
    await Pipeline.settle(own, await withOutcome(own, one, { kind: "passed" }));
  }
}

describe("each outcome", () => {
  type Row = [string, Task.Phase, Task.Outcome, Task.Status, Partial<Backlog.ItemRow>];
  const rows: Row[] = [
    ["passed", "spec", { kind: "passed", head: "h" }, "completed", { state: "impl", round: 0, head: "h" }],
    ["passed", "review", { kind: "passed", head: "h", tip: "t" }, "completed", { state: "done", round: 0 }],
    ["red", "test", { kind: "red", head: "h" }, "completed", { state: "impl", round: 1 }],
    ["rejected", "review", { kind: "rejected", head: "h" }, "completed", { state: "impl", round: 1 }],
    [
      "conflict",
      "review",
      { kind: "conflict", tip: "t", files: ["f"] },
      "completed",
      { state: "impl", merge_tip: "t" },
    ],
    [
      "red after the merge",
      "review",
      { kind: "red_after_merge", tip: "t" },
      "completed",
      { state: "impl", merge_tip: "t" },
    ],
    ["a question", "impl", question(), "needs_decision", { state: "asking", round: 0 }],
    ["a bad result", "impl", BAD, "pending", { state: "impl", round: 0 }],
  ];
  it.each(rows)("%s of a %s: task, item, attempt, counters and metric", async (_name, phase, outcome, status, item) => {
    const own = await testPipeline();
    const one = await itemIn(own, phase);
    const counted = (await Metrics.counts(own)).by_status.completed ?? 0;
    await own.clock.advance(5000);
    await Pipeline.settle(own, await withOutcome(own, one, outcome));
    const row = await rowOf(own, one.id);
    expect(row.status).toBe(status);
    expect(await itemOf(own, "x")).toMatchObject(item);
    const attempt = await attemptOf(own, one.id, one.attempt);
    expect(attempt).toMatchObject({ ended_at: own.clock.now(), end: { status } });
    expect((await Metrics.counts(own)).by_status.completed ?? 0).toBe(counted + (status === "completed" ? 1 : 0));
    const mine = (await records(own)).filter((record) => record.task_id === one.id);
    expect(mine).toMatchObject([
      {
        n: one.attempt,
        status: status === "completed" ? "completed" : null,
        class: outcome.kind === "bad" ? "bad_result" : null,
        run_ms: 5000,
        tokens_in: USAGE.tokens_in,
        provider: "alpha",
        model: "alpha/m1",
        tried: 1,
      },
    ]);
    expect(own.published).toContainEqual({ type: "task.settled", taskId: one.id, attempt: one.attempt, backlog: "b" });
  });

  it("keeps output, evidence and who served with the task", async () => {
    const one = await held(deps);
    const evidence: Task.Evidence = {
      result: null,
      files: ["a.js"],
      suite: null,
      base: "b",
      head: "h",
      spec_path: null,
      note: "",
    };
    await Pipeline.settle(deps, await withOutcome(deps, one, { kind: "passed" }, { evidence, output: "all of it" }));
    const { row, parts } = await wholeOf(deps, one.id);
    expect(row).toMatchObject({ model: "alpha/m1", output_len: 9, progress_pct: 100 });
    expect(parts).toMatchObject({ output: "all of it", result: evidence });
    expect(parts.error).toBeUndefined();
  });

  it("a bad result is tried once more with its diagnostics, then fails naming the budget", async () => {
    const one = await held(deps);
    await Pipeline.settle(deps, await withOutcome(deps, one, BAD, { output: "the tail" }));
    expect(await wholeOf(deps, one.id)).toMatchObject({
      row: { status: "pending", tries: 1, stalls: 0 },
      parts: { error: { class: "bad_result", message: "no diff", remedy: "Change something.", excerpt: "the tail" } },
    });
    expect((await rowOf(deps, one.id)).claimed_by).toBeUndefined();
    await Pipeline.settle(deps, await withOutcome(deps, await hold(deps, one.id), BAD));
    const { row, parts } = await wholeOf(deps, one.id);
    expect(row).toMatchObject({ status: "failed", tries: 2 });
    expect(parts.error).toMatchObject({ class: "bad_result", retryable: true, who_acts: "system" });
    expect(parts.error?.message).toBe("no diff (all 2 tries are spent)");
  });

  it("a success after a bad result clears the error", async () => {
    const one = await held(deps);
    await Pipeline.settle(deps, await withOutcome(deps, one, BAD));
    await Pipeline.settle(deps, await withOutcome(deps, await hold(deps, one.id), { kind: "passed" }));
    expect((await wholeOf(deps, one.id)).parts.error).toBeUndefined();
  });

  it.each<[string, object, Record<string, string>, number | undefined]>([
    ["without a default waits for a person", {}, {}, undefined],
    ["with a default is due at once", { default: "a" }, {}, 0],
    ["with a default and a time is due then", { default: "a", default_after_s: 90 }, {}, 90_000],
    ["without a default expires", {}, { PIPELINE_NEEDS_DECISION_TIMEOUT_HOURS: "2" }, 7_200_000],
  ])("a question %s", async (_name, more, env, due) => {
    const own = await testPipeline({ env });
    const one = await held(own);
    await Pipeline.settle(own, await withOutcome(own, one, question(more)));
    const row = await rowOf(own, one.id);
    expect(row).toMatchObject({ status: "needs_decision", decision_prompt: "Which?", decision_options: ["a", "b"] });
    expect(row.decision_due).toBe(due === undefined ? undefined : own.clock.now() + due);
    expect(await Pipeline.nextDue(own)).toBe(row.decision_due);
    expect([row.tries, row.stalls, row.parks]).toEqual([0, 0, 0]);
  });

  it("a message that is cut in the middle of an emoji is still text", async () => {
    const one = await held(deps);
    const prompt = `${"x".repeat(199)}😀${"y".repeat(400)}`;
    await Pipeline.settle(deps, await withOutcome(deps, one, question({ prompt })));
    expect(await rowOf(deps, one.id)).toMatchObject({ status: "needs_decision", decision_prompt: prompt });
    const own = await testPipeline({
      providers: [scripted("alpha", () => failed({ class: "bad_request", message: `${"x".repeat(499)}😀` }))],
    });
    expect((await attemptOnce(own, await newTask(own))).row.status).toBe("needs_decision");
  });
});

describe("later: checks still run", () => {
  it("parks without a try, a stall or a round, 1 min doubling to 30, and starts over after a success", async () => {
    let one = await held(deps);
    for (const minutes of [1, 2, 4, 8, 16, 30, 30]) {
      const ref = await entered(deps, one);
      const { postpone } = await import("../../../core/work/attempt/index.ts");
      expect(await postpone(deps.store, ref, "checks still run")).toBe(true);
      await Pipeline.settle(deps, { taskId: one.id, attempt: one.attempt });
      const row = await rowOf(deps, one.id);
      expect(row).toMatchObject({ status: "pending", wait_reason: "checks still run", tries: 0, stalls: 0 });
      expect(row.retry_not_before).toBe(deps.clock.now() + minutes * 60_000);
      one = await hold(deps, one.id);
    }
    await Pipeline.settle(deps, await withOutcome(deps, one, { kind: "passed" }));
    expect((await rowOf(deps, one.id)).parks).toBe(0);
  });

  it("a wait whose end is known does not make the next unknown one longer", async () => {
    const own = await testPipeline({
      providers: [scripted("alpha", () => failed({ class: "rate_limit", message: "429", retry_after_ms: 60_000 }))],
    });
    const id = await newTask(own);
    for (let i = 0; i < 4; i++) {
      const { row } = await attemptOnce(own, id);
      expect(row).toMatchObject({ status: "pending", parks: 0 });
      await own.clock.advance((row.retry_not_before ?? 0) - own.clock.now());
    }
  });
});

describe("FAILURES 17, 32: settle is last and once", () => {
  it.each([1, 3])("a second settle, %i at once, changes nothing and counts nothing", async (times) => {
    const own = await testPipeline();
    const one = await itemIn(own, "spec");
    const input = await withOutcome(own, one, { kind: "passed" });
    await Promise.all(Array.from({ length: times }, () => Pipeline.settle(own, input)));
    const before = [await partition(own, one.id), await itemOf(own, "x"), await records(own)];
    const events = own.published.length;
    expect((await Pipeline.settle(own, input)).kind).toBe("settled");
    expect([await partition(own, one.id), await itemOf(own, "x"), await records(own)]).toEqual(before);
    expect(own.published.length).toBe(events);
    expect(own.published.filter((event) => event.type === "task.settled")).toHaveLength(1);
    expect((await Metrics.counts(own)).by_status).toEqual({ completed: 1 });
    expect(await itemOf(own, "x")).toMatchObject({ state: "impl", seq: 1 });
  });

  it("of an item's task is one transaction of at most ten operations", async () => {
    const own = await testPipeline();
    const one = await itemIn(own, "spec");
    const input = await withOutcome(own, one, { kind: "passed" });
    const sizes: number[] = [];
    const stop = between(own.store, (operation, sent, next) => {
      if (operation === "TransactWriteItems") sizes.push((sent as { TransactItems: unknown[] }).TransactItems.length);
      return next();
    });
    await Pipeline.settle(own, input);
    stop();
    expect(sizes).toHaveLength(1);
    expect(sizes[0]).toBeGreaterThanOrEqual(5);
    expect(sizes[0]).toBeLessThanOrEqual(10);
  });

  it("at the moment it is settled everything can be seen", async () => {
    const seen: unknown[] = [];
    const own: TestPipeline = await testPipeline({
      at: async (point, facts) => {
        if (point !== "settled") return;
        const row = await rowOf(own, String(facts.taskId));
        seen.push(row.status, (await attemptOf(own, row.id, 1)).end?.status, (await records(own)).length);
      },
    });
    await attemptOnce(own, await newTask(own));
    expect(seen).toEqual(["completed", "completed", 1]);
  });

  it("a settle of an attempt whose turn still works changes nothing", async () => {
    const one = await held(deps);
    await entered(deps, one);
    const before = await partition(deps, one.id);
    await Pipeline.settle(deps, { taskId: one.id, attempt: one.attempt });
    expect(await partition(deps, one.id)).toEqual(before);
  });

  it("a settle of an old attempt changes nothing of the new one", async () => {
    const one = await held(deps);
    const input = await withOutcome(deps, one, { kind: "passed" });
    await Pipeline.release(deps, one.id);
    await hold(deps, one.id);
    const before = await partition(deps, one.id);
    await Pipeline.settle(deps, input);
    await Pipeline.settle(deps, { ...input, attempt: 2 });
    await Pipeline.settle(deps, { ...input, attempt: 9 });
    expect(await partition(deps, one.id)).toEqual(before);
  });

  it("a cancel that comes between settle's reading and its writing wins", async () => {
    const own = await testPipeline();
    const one = await held(own);
    const input = await withOutcome(own, one, { kind: "passed" });
    meanwhile(own.store, "read", "PROV", () => Pipeline.cancel(own, one.id));
    await Pipeline.settle(own, input);
    expect((await rowOf(own, one.id)).status).toBe("cancelled");
    expect(await records(own)).toMatchObject([{ status: null, class: "cancelled" }]);
  });
});

describe("an item that moved on meanwhile", () => {
  it("retired: the task settles, the item stays as it is", async () => {
    const own = await testPipeline();
    const one = await itemIn(own, "impl");
    const input = await withOutcome(own, one, { kind: "passed" });
    await Backlog.push(own, { id: "b", kind: "product", text: "## Phase 1: P\n\n1. Other {#other}\n" });
    const item = await itemOf(own, "x");
    expect(item.state).toBe("retired");
    await Pipeline.settle(own, input);
    expect((await rowOf(own, one.id)).status).toBe("completed");
    expect(await itemOf(own, "x")).toEqual(item);
  });

  it("retired between settle's reading and its writing: the same", async () => {
    const own = await testPipeline();
    const one = await itemIn(own, "impl");
    const input = await withOutcome(own, one, { kind: "passed" });
    meanwhile(own.store, "write", "completed", () =>
      Backlog.push(own, { id: "b", kind: "product", text: "## Phase 1: P\n\n1. Other {#other}\n" }),
    );
    await Pipeline.settle(own, input);
    expect((await rowOf(own, one.id)).status).toBe("completed");
    expect((await itemOf(own, "x")).state).toBe("retired");
    expect(await threeCounts(own, [one.id])).toMatchObject({ tasks: { completed: 1 }, metrics: { completed: 2 } });
  });

  it("its changed text and place do not hold up the settle, and are kept", async () => {
    const own = await testPipeline();
    const one = await itemIn(own, "impl");
    const input = await withOutcome(own, one, { kind: "passed" });
    await Backlog.push(own, { id: "b", kind: "product", text: "## P\n\n1. First {#first}\n2. New text {#x}\n" });
    await Pipeline.settle(own, input);
    expect(await itemOf(own, "x")).toMatchObject({
      state: "test",
      text: "New text",
      rank: (await itemOf(own, "x")).rank,
    });
    expect((await rowOf(own, one.id)).direction).toBe("Make x work");
    await Pipeline.tick(own);
    const next = await itemOf(own, "x");
    expect((await rowOf(own, next.task ?? "")).direction).toBe("New text");
  });
});

describe("what follows for the provider", () => {
  it("one success closes its cooldowns and its friction", async () => {
    const own = await testPipeline();
    await coolDown(own, { provider: "alpha", account: "none", model: "m1" }, { class: "overloaded", message: "503" });
    expect((await Provider.health(own)).cooldowns).toHaveLength(1);
    await attemptOnce(own, await newTask(own));
    // What was bad within this minute still counts towards its share; a success after it forgets the row.
    expect((await Provider.health(own)).cooldowns).toMatchObject([{ until: 0, streak: 0, window: { ok: 1, bad: 1 } }]);
    await own.clock.advance(60_000);
    await attemptOnce(own, await newTask(own));
    expect((await Provider.health(own)).cooldowns).toEqual([]);
  });
});

describe("with three transactions in ten conflicting", () => {
  it("100 tasks: tasks, counters and metrics say the same, and nothing is counted twice", async () => {
    const own = await testPipeline();
    const injected = injectConflicts(own.store, 0.3);
    const outcomes: Task.Outcome[] = [{ kind: "passed" }, { kind: "red" }, BAD, question()];
    const ids: string[] = [];
    for (let batch = 0; batch < 10; batch++)
      await Promise.all(
        Array.from({ length: 10 }, async (_, i) => {
          const one = await held(own);
          ids.push(one.id);
          const outcome = outcomes[i % outcomes.length] as Task.Outcome;
          const input = await withOutcome(own, one, outcome);
          await Promise.all([Pipeline.settle(own, input), Pipeline.settle(own, input)]);
          if (outcome.kind === "bad")
            await Pipeline.settle(own, await withOutcome(own, await hold(own, one.id), outcome));
        }),
      );
    expect(injected.count()).toBeGreaterThan(50);
    const { tasks, counters, metrics } = await threeCounts(own, ids);
    expect(tasks).toEqual({ completed: 60, failed: 20 });
    expect(counters).toEqual(tasks);
    expect(metrics).toEqual(tasks);
    expect(await records(own)).toHaveLength(120);
    const { by_status } = await Metrics.counts(own);
    expect(by_status).toEqual({ completed: 60, failed: 20, needs_decision: 20 });
    const answer = await Metrics.read(own);
    expect(answer.usage.tokens_in).toBe(120 * 100);
    expect(answer.by_task_type).toEqual({ impl: { count: 80, completed: 60, failed: 20, success_rate: 0.75 } });
  });

  it("FAILURES 38: types are named as in the contract", async () => {
    const own = await testPipeline();
    for (const task_type of Task.TaskType.options) await attemptOnce(own, await newTask(own, { task_type }));
    expect(Object.keys((await Metrics.read(own)).by_task_type).sort()).toEqual([...Task.TaskType.options].sort());
    const counters = await Store.queryAll(own.store, { pk: Store.Keys.ENDED_COUNTERS });
    expect(counters.every((item) => /^completed#(spec|impl|test|review|heal)#[0-7]$/.test(item.sk))).toBe(true);
  });
});
