import { describe, expect, it } from "vitest";
import * as Pipeline from "../../../core/flow/pipeline/index.ts";
import * as Attempt from "../../../core/work/attempt/index.ts";
import * as Metrics from "../../../core/work/metrics/index.ts";
import * as Task from "../../../core/work/task/index.ts";
import {
  attemptOf,
  attemptOnce,
  drive,
  entered,
  finished,
  held,
  hold,
  inTurn,
  itemOf,
  newTask,
  partition,
  pushItems,
  records,
  rowOf,
  scripted,
  testPipeline,
  threeCounts,
  USAGE,
  withOutcome,
  type TestPipeline,
} from "../../support/pipeline.ts";

const NOBODY = "task_00000000deadbeef";
const QUESTION = finished({ question: { prompt: "Tabs or spaces?", options: ["tabs", "spaces"] } });
const BAD: Task.Outcome = { kind: "bad", message: "no diff", remedy: "Change something." };

const inStatus: Record<Task.Status, (deps: TestPipeline) => Promise<string>> = {
  pending: (deps) => newTask(deps),
  running: async (deps) => (await held(deps)).id,
  async completed(deps) {
    const one = await held(deps);
    await Pipeline.settle(deps, await withOutcome(deps, one, { kind: "passed" }));
    return one.id;
  },
  async failed(deps) {
    const one = await held(deps);
    await Pipeline.settle(deps, await withOutcome(deps, one, BAD));
    await Pipeline.settle(deps, await withOutcome(deps, await hold(deps, one.id), BAD));
    return one.id;
  },
  async needs_decision(deps) {
    const one = await held(deps);
    const question = Task.Question.parse({ prompt: "Which?" });
    await Pipeline.settle(deps, await withOutcome(deps, one, { kind: "question", question }));
    return one.id;
  },
  async cancelled(deps) {
    const id = await newTask(deps);
    await Pipeline.cancel(deps, id);
    return id;
  },
};
const VERBS: Record<string, (deps: TestPipeline, id: string) => Promise<Task.Whole>> = {
  cancel: (deps, id) => Pipeline.cancel(deps, id, "changed my mind"),
  retry: (deps, id) => Pipeline.retry(deps, id),
  release: (deps, id) => Pipeline.release(deps, id),
  decide: (deps, id) => Pipeline.decide(deps, id, "yes"),
};
const LEADS: Record<string, Task.Status> = {
  "pending cancel": "cancelled",
  "running cancel": "cancelled",
  "needs_decision cancel": "cancelled",
  "failed retry": "pending",
  "cancelled retry": "pending",
  "running release": "pending",
  "needs_decision decide": "pending",
};

describe("every verb from every status", () => {
  const pairs = Task.Status.options.flatMap((from) => Object.keys(VERBS).map((verb) => [from, verb] as const));
  it.each(pairs)("%s %s", async (from, verb) => {
    const deps = await testPipeline();
    const id = await inStatus[from](deps);
    const before = [await partition(deps, id), await records(deps), await Metrics.counts(deps)];
    const leads = LEADS[`${from} ${verb}`];
    const call = VERBS[verb]?.(deps, id);
    if (leads) return void expect((await call)?.row.status).toBe(leads);
    await expect(call).rejects.toMatchObject({ code: "task.transition" });
    expect([await partition(deps, id), await records(deps), await Metrics.counts(deps)]).toEqual(before);
  });

  it.each(Object.keys(VERBS))("%s of a task that is not there: not found", async (verb) => {
    const deps = await testPipeline();
    await expect(VERBS[verb]?.(deps, NOBODY)).rejects.toMatchObject({ code: "task.not_found" });
  });

  it.each(Object.keys(VERBS))("%s by two at once happens once", async (verb) => {
    const deps = await testPipeline();
    const from = { cancel: "pending", retry: "failed", release: "running", decide: "needs_decision" } as const;
    const id = await inStatus[from[verb as keyof typeof from]](deps);
    const both = await Promise.allSettled([1, 2].map(async () => VERBS[verb]?.(deps, id)));
    expect(both.map((one) => one.status).sort()).toEqual(["fulfilled", "rejected"]);
  });
});

describe("FAILURES 27: cancel", () => {
  it("of a running task: stops its execution, and no later write of its turn lands", async () => {
    const deps = await testPipeline();
    const stopped: string[] = [];
    deps.workflow = { ...deps.workflow, stop: async (name) => void stopped.push(name) };
    const ref = await entered(deps, await held(deps));
    await deps.clock.advance(3000);
    await Pipeline.cancel(deps, ref.taskId, "wrong idea");
    expect(stopped).toEqual([`${ref.taskId}-1`]);
    const row = await rowOf(deps, ref.taskId);
    expect(row).toMatchObject({ status: "cancelled", wait_reason: "cancelled: wrong idea" });
    const before = await partition(deps, ref.taskId);
    expect(await Attempt.renew(deps.store, ref, 60_000)).toBe(false);
    expect(await Attempt.save(deps.store, ref, "x", "1")).toBe(false);
    await Pipeline.settle(deps, { taskId: ref.taskId, attempt: 1 });
    await Pipeline.recordFailure(deps, { taskId: ref.taskId, attempt: 1, candidate: 0, kind: "fallback" });
    expect(await partition(deps, ref.taskId)).toEqual(before);
    expect(await records(deps)).toMatchObject([{ status: null, class: "cancelled", run_ms: 3000 }]);
    expect((await Metrics.counts(deps)).by_status).toEqual({ cancelled: 1 });
  });

  it("aborts the agent within one heartbeat, and what it answers then is not recorded", async () => {
    let aborted: AbortSignal | undefined;
    const deps = await testPipeline({
      providers: [
        scripted("alpha", (_, signal) => {
          aborted = signal;
          return new Promise((_, reject) => {
            const stop = () => reject(new Error("aborted"));
            signal.addEventListener("abort", stop, { once: true });
          });
        }),
      ],
    });
    const one = await held(deps);
    const driven = drive(deps, one.id, one.attempt);
    while (!aborted) await new Promise((resolve) => setImmediate(resolve));
    await Pipeline.cancel(deps, one.id);
    await deps.clock.advance(deps.work.leaseMs / 3);
    await driven;
    expect(aborted.aborted).toBe(true);
    expect((await rowOf(deps, one.id)).status).toBe("cancelled");
    expect((await attemptOf(deps, one.id, 1)).tried).toEqual([]);
  });

  it("of a parked task takes it out of the queue for good", async () => {
    const deps = await testPipeline({ providers: [] });
    const id = await newTask(deps);
    await hold(deps, id);
    await Pipeline.plan(deps, { taskId: id, attempt: 1 });
    await Pipeline.settle(deps, { taskId: id, attempt: 1 });
    await Pipeline.cancel(deps, id);
    await deps.clock.advance(86_400_000);
    expect(await Pipeline.dispatch(deps)).toEqual([]);
    expect(await Pipeline.nextDue(deps)).toBeUndefined();
  });
});

describe("FAILURES 30: decide", () => {
  it("is taken in the normal case, and reaches the next attempt's prompt", async () => {
    const deps = await testPipeline({ providers: [scripted("alpha", inTurn(QUESTION, finished()))] });
    const id = await newTask(deps);
    expect((await attemptOnce(deps, id)).row).toMatchObject({ status: "needs_decision", tries: 0 });
    deps.published.length = 0;
    const { row } = await Pipeline.decide(deps, id, "  spaces, two of them  ");
    expect(row).toMatchObject({ status: "pending", decision: "spaces, two of them" });
    expect(deps.published).toContainEqual({ type: "decision.given", taskId: id });
    expect((await attemptOnce(deps, id)).row.status).toBe("completed");
    const prompt = deps.requests[1]?.prompt ?? "";
    expect(prompt).toContain("Tabs or spaces?");
    expect(prompt).toContain("spaces, two of them");
    expect(deps.requests[0]?.prompt).not.toContain("Tabs or spaces?");
  });

  it("the answer to a second question is the one that counts", async () => {
    const again = finished({ question: { prompt: "How many?" } });
    const deps = await testPipeline({ providers: [scripted("alpha", inTurn(QUESTION, again, finished()))] });
    const id = await newTask(deps);
    for (const answer of ["spaces", "four"]) {
      await attemptOnce(deps, id);
      await Pipeline.decide(deps, id, answer);
    }
    await attemptOnce(deps, id);
    const prompt = deps.requests[2]?.prompt ?? "";
    expect(prompt).toContain("How many?");
    expect(prompt).toContain("four");
  });

  it.each(["", " \n "])("an empty answer %j is refused and changes nothing", async (answer) => {
    const deps = await testPipeline();
    const id = await inStatus.needs_decision(deps);
    const before = await partition(deps, id);
    await expect(Pipeline.decide(deps, id, answer)).rejects.toMatchObject({ code: "input.invalid" });
    expect(await partition(deps, id)).toEqual(before);
  });

  it("an item's question: only this item waits, and the answer moves it", async () => {
    const ask: Parameters<typeof scripted>[1] = (request) =>
      request.item?.id === "x" && request.task.attempt === 1 && request.task.type === "spec" ? QUESTION : finished();
    const deps = await testPipeline({ providers: [scripted("alpha", ask)] });
    await pushItems(deps, ["x", "y"]);
    for (const id of await Pipeline.tick(deps)) await attemptOnce(deps, id);
    expect((await itemOf(deps, "x")).state).toBe("asking");
    expect((await itemOf(deps, "y")).state).toBe("impl");
    const { task = "", round } = await itemOf(deps, "x");
    await Pipeline.decide(deps, task, "tabs");
    expect(await itemOf(deps, "x")).toMatchObject({ state: "spec", task, round });
    await attemptOnce(deps, task);
    expect((await itemOf(deps, "x")).state).toBe("impl");
  });
});

describe("retry", () => {
  it("of a failed task makes its budgets whole and takes its end out of metrics and counters", async () => {
    const deps = await testPipeline();
    const id = await inStatus.failed(deps);
    expect((await threeCounts(deps, [id])).metrics).toEqual({ completed: 0, failed: 1 });
    await deps.clock.advance(1000);
    const { row } = await Pipeline.retry(deps, id);
    expect(row).toMatchObject({ status: "pending", tries: 0, stalls: 0, parks: 0 });
    const none = { completed: 0, failed: 0 };
    expect(await threeCounts(deps, [id])).toEqual({ tasks: none, counters: none, metrics: none });
    await attemptOnce(deps, id);
    const one = { completed: 1, failed: 0 };
    expect(await threeCounts(deps, [id])).toEqual({ tasks: one, counters: one, metrics: one });
    const { usage, execution_time } = await Metrics.read(deps);
    expect(usage.tokens_in).toBe(3 * (USAGE.tokens_in ?? 0));
    expect(execution_time).toBeDefined();
  });

  it("of a cancelled item's task moves the item; once the item has gone on it is refused", async () => {
    const deps = await testPipeline();
    await pushItems(deps, ["x"]);
    const [id = ""] = await Pipeline.tick(deps);
    await Pipeline.cancel(deps, id);
    expect(await itemOf(deps, "x")).toMatchObject({ state: "asking", task: id });
    await Pipeline.retryItem(deps, "b", "x");
    expect(await itemOf(deps, "x")).toMatchObject({ state: "spec", task: id, round: 0 });
    for (const _ of [1, 2]) await Pipeline.settle(deps, await withOutcome(deps, await hold(deps, id), BAD));
    expect(await itemOf(deps, "x")).toMatchObject({ state: "spec", round: 1 });
    const before = await partition(deps, id);
    await expect(Pipeline.retry(deps, id)).rejects.toMatchObject({ code: "task.of_item" });
    expect(await partition(deps, id)).toEqual(before);
  });

  it("of a retired item's task is refused: nothing follows a line that vanished", async () => {
    const deps = await testPipeline();
    await pushItems(deps, ["x", "y"]);
    await Pipeline.tick(deps);
    const { task = "" } = await itemOf(deps, "x");
    await pushItems(deps, ["y"]);
    expect((await itemOf(deps, "x")).state).toBe("retired");
    expect((await rowOf(deps, task)).status).toBe("cancelled");
    await expect(Pipeline.retry(deps, task)).rejects.toMatchObject({ code: "task.of_item" });
    expect((await rowOf(deps, task)).status).toBe("cancelled");
  });

  it("of an abandoned item begins with no round spent, where it was", async () => {
    const deps = await testPipeline();
    await pushItems(deps, ["x"]);
    for (let i = 0; i < 6; i++) {
      const [id = ""] = await Pipeline.tick(deps);
      for (const _ of [1, 2]) await Pipeline.settle(deps, await withOutcome(deps, await hold(deps, id), BAD));
    }
    const abandoned = await itemOf(deps, "x");
    expect(abandoned).toMatchObject({ state: "abandoned", round: 5, seq: 6 });
    expect(abandoned.last).toContain("no diff");
    expect(await Pipeline.tick(deps)).toEqual([]);
    expect(await Pipeline.retryItem(deps, "b", "x")).toMatchObject({ state: "spec", round: 0, seq: 6 });
    const [id = ""] = await Pipeline.tick(deps);
    expect(id).toBe(Task.idOfKey("b#x#7"));
  });

  it.each([
    ["queued", []],
    ["spec", ["tick"]],
  ])("of an item that is %s is refused", async (state, steps) => {
    const deps = await testPipeline();
    await pushItems(deps, ["x"]);
    if (steps.length > 0) await Pipeline.tick(deps);
    const before = await itemOf(deps, "x");
    expect(before.state).toBe(state);
    await expect(Pipeline.retryItem(deps, "b", "x")).rejects.toMatchObject({ code: "task.transition" });
    expect(await itemOf(deps, "x")).toEqual(before);
    await expect(Pipeline.retryItem(deps, "b", "nobody")).rejects.toMatchObject({ code: "item.not_found" });
  });
});

describe("FAILURES 26: release", () => {
  it("takes a task from whoever holds it, spends no budget and clears the claim", async () => {
    const deps = await testPipeline();
    const ref = await entered(deps, await held(deps));
    await Pipeline.release(deps, ref.taskId);
    const row = await rowOf(deps, ref.taskId);
    expect(row).toMatchObject({ status: "pending", stalls: 0, tries: 0, parks: 0 });
    expect(row.claimed_by).toBeUndefined();
    expect(await Attempt.renew(deps.store, ref, 1000)).toBe(false);
    expect(await Pipeline.dispatch(deps)).toEqual([ref.taskId]);
    expect((await rowOf(deps, ref.taskId)).att).toBe(2);
  });
});

describe("FAILURES 8: what the next attempt is told", () => {
  it("after a bad result: what was tried, the failing tests, the tail and the findings", async () => {
    const deps = await testPipeline();
    const one = await held(deps);
    const suite: Task.Suite = {
      command: ["npm", "test"],
      source: "base",
      exit: 1,
      passed: 3,
      failed: 1,
      failures: ["adds two numbers"],
      tail: "AssertionError: 3 is not 4",
      ms: 5,
    };
    const result = Task.ResultBlock.parse({ findings: ["the sum is off by one"] });
    const evidence = { result, files: ["sum.js"], suite, base: "b", head: "abcdef123456", spec_path: null, note: "" };
    await Pipeline.settle(deps, await withOutcome(deps, one, BAD, { evidence }));
    await attemptOnce(deps, one.id);
    const prompt = deps.requests.at(-1)?.prompt ?? "";
    for (const part of ["adds two numbers", "3 is not 4", "off by one", "sum.js", "abcdef123456"])
      expect(prompt).toContain(part);
  });

  it("after a fallback: who failed and how", async () => {
    const deps = await testPipeline({
      providers: [
        scripted("alpha", () => ({
          kind: "failed",
          failure: { class: "payment", message: "402 no credit" },
          output: "",
          usage: USAGE,
        })),
        scripted("beta", () => finished()),
      ],
    });
    const { row } = await attemptOnce(deps, await newTask(deps));
    expect(row).toMatchObject({ status: "completed", model: "beta/m1" });
    expect(deps.requests[1]?.prompt).toContain("alpha/m1");
    expect(deps.requests[1]?.prompt).toContain("402 no credit");
  });
});
