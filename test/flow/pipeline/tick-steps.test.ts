import { describe, expect, it } from "vitest";
import * as Pipeline from "../../../core/flow/pipeline/index.ts";
import * as ProjectManager from "../../../core/flow/project-manager/index.ts";
import * as Backlog from "../../../core/work/backlog/index.ts";
import * as Task from "../../../core/work/task/index.ts";
import {
  attemptOnce,
  finished,
  hold,
  itemOf,
  meanwhile,
  pushItems,
  rowOf,
  scripted,
  testPipeline,
  threeCounts,
  untilStill,
  wholeOf,
  withOutcome,
} from "../../support/pipeline.ts";
import { workers, ask, end } from "./tick-support.ts";

describe("FAILURES 4: a step's task is made once", () => {
  it("although the tick is killed after the task and before the item names it", async () => {
    const deps = await testPipeline();
    await pushItems(deps, ["x"]);
    const { input, ref } = ProjectManager.taskFor(await itemOf(deps, "x"));
    const key = Backlog.taskKey("b", "x", 1);
    const { task } = await Task.create(deps, Task.Create.parse(input), { key, item: ref });
    await Pipeline.tick(deps);
    await Pipeline.tick(deps);
    expect(await itemOf(deps, "x")).toMatchObject({ state: "spec", seq: 1, task: task.row.id });
    expect(deps.published.filter((event) => event.type === "task.created")).toHaveLength(1);
    await end(deps, task.row.id, { kind: "passed" });
    expect((await itemOf(deps, "x")).state).toBe("impl");
  });

  it("an item that is retired while its task is made gets none, and the others go on", async () => {
    const deps = await testPipeline();
    await pushItems(deps, ["x", "y"]);
    meanwhile(deps.store, "write", "Make x work", () =>
      Backlog.push(deps, { id: "b", kind: "product", text: "## Phase 1: First\n\n1. Make y work {#y}\n" }),
    );
    const made = await Pipeline.tick(deps);
    expect((await itemOf(deps, "x")).state).toBe("retired");
    expect(made).toEqual([Task.idOfKey("b#y#1")]);
    expect(await Task.read(deps.store, Task.idOfKey("b#x#1"))).toBeUndefined();
  });

  it("every round of every phase has a number of its own", async () => {
    const deps = await testPipeline();
    await pushItems(deps, ["x"]);
    const seen: string[] = [];
    const steps: Task.Outcome[] = [{ kind: "passed" }, { kind: "passed" }, { kind: "red" }, { kind: "passed" }];
    for (const outcome of steps) {
      const [id = ""] = await Pipeline.tick(deps);
      const { item } = await rowOf(deps, id);
      seen.push(`${item?.seq} ${item?.phase} ${item?.round}`);
      await end(deps, id, outcome);
    }
    expect(seen).toEqual(["1 spec 0", "2 impl 0", "3 test 0", "4 impl 1"]);
  });

  it("FAILURES 3: a failed spec is retried as a spec, and its reason reaches the next one", async () => {
    const deps = await testPipeline();
    await pushItems(deps, ["x"]);
    const [id = ""] = await Pipeline.tick(deps);
    for (const _ of [1, 2])
      await end(deps, id, { kind: "bad", message: "the spec file is missing", remedy: "Write it." });
    const [next = ""] = await Pipeline.tick(deps);
    expect(await rowOf(deps, next)).toMatchObject({ task_type: "spec", item: { seq: 2, round: 1, phase: "spec" } });
    await attemptOnce(deps, next);
    expect(deps.requests.at(-1)?.prompt).toContain("the spec file is missing");
  });
});

describe("questions", () => {
  it("a default is taken when it is due, not before, and spends nothing", async () => {
    const deps = await testPipeline();
    await pushItems(deps, ["x"]);
    const [id = ""] = await Pipeline.tick(deps);
    await end(deps, id, ask({ default: "blue", default_after_s: 60 }));
    await deps.clock.advance(59_999);
    await Pipeline.tick(deps);
    expect((await rowOf(deps, id)).status).toBe("needs_decision");
    await deps.clock.advance(1);
    await Pipeline.tick(deps);
    const row = await rowOf(deps, id);
    expect(row).toMatchObject({ status: "pending", decision: "blue", tries: 0, stalls: 0 });
    expect(await itemOf(deps, "x")).toMatchObject({ state: "spec", task: id, round: 0 });
    expect([row.decision_due, row.decision_default]).toEqual([undefined, undefined]);
    await attemptOnce(deps, id);
    expect(deps.requests.at(-1)?.prompt).toContain("blue");
  });

  it("FAILURES 5: without a default it expires by itself, for its item alone, and is counted", async () => {
    const deps = await testPipeline({ env: { PIPELINE_NEEDS_DECISION_TIMEOUT_HOURS: "1" } });
    await pushItems(deps, ["x", "y"]);
    const [x = "", y = ""] = await Pipeline.tick(deps);
    await end(deps, x, ask());
    await deps.clock.advance(3_600_000);
    const made = await Pipeline.tick(deps);
    const { row, parts } = await wholeOf(deps, x);
    expect(row.status).toBe("failed");
    expect(parts.error).toMatchObject({ class: "lost", message: "nobody decided in time", who_acts: "user" });
    expect(await itemOf(deps, "x")).toMatchObject({ state: "spec", round: 1, seq: 2 });
    expect(await itemOf(deps, "y")).toMatchObject({ state: "spec", round: 0, task: y });
    expect(made).toEqual([Task.idOfKey("b#x#2")]);
    const one = { completed: 0, failed: 1 };
    expect(await threeCounts(deps, [x])).toEqual({ tasks: one, counters: one, metrics: one });
  });

  it("an answer that comes while the tick lets it expire holds: the task is not failed", async () => {
    const deps = await testPipeline({ env: { PIPELINE_NEEDS_DECISION_TIMEOUT_HOURS: "1" } });
    await pushItems(deps, ["x"]);
    const [id = ""] = await Pipeline.tick(deps);
    await end(deps, id, ask());
    await deps.clock.advance(3_600_000);
    meanwhile(deps.store, "read", `"T#${id}"`, () => Pipeline.decide(deps, id, "just in time"));
    await Pipeline.tick(deps);
    expect(await rowOf(deps, id)).toMatchObject({ status: "pending", decision: "just in time" });
    expect((await itemOf(deps, "x")).round).toBe(0);
  });

  it("an answer that comes while the tick takes the default holds, and the tick goes on", async () => {
    const deps = await testPipeline({ env: workers(2) });
    await pushItems(deps, ["x", "y", "z"]);
    const [id = ""] = await Pipeline.tick(deps);
    await end(deps, id, ask({ default: "default" }));
    meanwhile(deps.store, "read", `"T#${id}"`, () => Pipeline.decide(deps, id, "a person's"));
    await Pipeline.tick(deps);
    expect(await rowOf(deps, id)).toMatchObject({ status: "pending", decision: "a person's" });
  });

  it("a posted task's question is answered as well", async () => {
    const deps = await testPipeline({
      providers: [
        scripted("alpha", ({ task }) =>
          task.attempt === 1 ? finished({ question: { prompt: "Which?", default: "a" } }) : finished(),
        ),
      ],
    });
    const { task } = await Task.create(deps, Task.Create.parse({ direction: "d", task_type: "impl" }));
    await untilStill(deps);
    expect(await rowOf(deps, task.row.id)).toMatchObject({ status: "completed", decision: "a", att: 2 });
  });
});

describe("a push while work goes on", () => {
  it("a line that vanished ends its attempt and nothing follows; one that returns goes on with its phase", async () => {
    const deps = await testPipeline();
    await pushItems(deps, ["x", "y"]);
    const [x = ""] = await Pipeline.tick(deps);
    await end(deps, x, { kind: "passed" });
    await Pipeline.tick(deps);
    const { task = "" } = await itemOf(deps, "x");
    await hold(deps, task);
    expect((await pushItems(deps, ["y"])).retired).toEqual(["x"]);
    expect((await rowOf(deps, task)).status).toBe("cancelled");
    expect(await Pipeline.tick(deps)).toEqual([]);
    expect((await pushItems(deps, ["y", "x"])).returned).toEqual(["x"]);
    expect(await Pipeline.tick(deps)).toEqual([Task.idOfKey("b#x#3")]);
    expect(await itemOf(deps, "x")).toMatchObject({ state: "impl", seq: 3, round: 0 });
  });

  it("a line that vanishes while its item moves is retired all the same", async () => {
    const deps = await testPipeline();
    await pushItems(deps, ["x", "y"]);
    const [x = ""] = await Pipeline.tick(deps);
    const input = await withOutcome(deps, await hold(deps, x), { kind: "passed" });
    meanwhile(deps.store, "write", "vanished", () => Pipeline.settle(deps, input));
    await pushItems(deps, ["y"]);
    expect(await itemOf(deps, "x")).toMatchObject({ state: "retired" });
    expect((await rowOf(deps, x)).status).toBe("completed");
    expect(await Pipeline.tick(deps)).toEqual([]);
  });

  it("a text that changes while its item moves takes effect with the next task", async () => {
    const deps = await testPipeline();
    await pushItems(deps, ["x"]);
    const [x = ""] = await Pipeline.tick(deps);
    const input = await withOutcome(deps, await hold(deps, x), { kind: "passed" });
    meanwhile(deps.store, "write", "Another text", () => Pipeline.settle(deps, input));
    await Pipeline.push(deps, { id: "b", kind: "product", text: "## Phase 1: First\n\n1. Another text {#x}\n" });
    const [next = ""] = await Pipeline.tick(deps);
    expect(await rowOf(deps, next)).toMatchObject({ direction: "Another text", task_type: "impl" });
  });

  it("FAILURES 6: lines that are put before others shift nothing", async () => {
    const deps = await testPipeline({ env: workers(2) });
    await pushItems(deps, ["x", "y"]);
    const before = await Pipeline.tick(deps);
    await pushItems(deps, ["new", "other", "x", "y"]);
    expect(await Pipeline.tick(deps)).toEqual([]);
    expect([(await itemOf(deps, "x")).task, (await itemOf(deps, "y")).task]).toEqual(before);
  });
});
