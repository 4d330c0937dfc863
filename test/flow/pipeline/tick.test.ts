import { describe, expect, it } from "vitest";
import * as Pipeline from "../../../core/flow/pipeline/index.ts";
import * as ProjectManager from "../../../core/flow/project-manager/index.ts";
import * as Store from "../../../core/ground/store/index.ts";
import { Keys, Lock } from "../../../core/ground/store/index.ts";
import * as Backlog from "../../../core/work/backlog/index.ts";
import * as Metrics from "../../../core/work/metrics/index.ts";
import * as Task from "../../../core/work/task/index.ts";
import {
  attemptOnce,
  failed,
  finished,
  hold,
  itemOf,
  meanwhile,
  otherHost,
  pushItems,
  rowOf,
  scripted,
  testPipeline,
  threeCounts,
  untilStill,
  wholeOf,
  withOutcome,
  type TestPipeline,
} from "../../support/pipeline.ts";

const letters = (n: number) => Array.from({ length: n }, (_, i) => `i${String(i).padStart(2, "0")}`);
const workers = (n: number) => ({ AGENT_RUNNER_WORKERS: String(n) });
const moving = async (deps: TestPipeline, backlog = "b") =>
  (await Backlog.items(deps, backlog)).filter((item) => Backlog.MOVING.includes(item.state));
const ask = (more: object = {}): Task.Outcome => ({
  kind: "question",
  question: Task.Question.parse({ prompt: "Which?", ...more }),
});
const end = async (deps: TestPipeline, id: string, outcome: Task.Outcome) =>
  Pipeline.settle(deps, await withOutcome(deps, await hold(deps, id), outcome));

/** Every task of every item of a backlog, by the keys that they were made with. */
async function tasksOf(deps: TestPipeline, backlog = "b"): Promise<Task.TaskRow[]> {
  const items = await Backlog.items(deps, backlog);
  const ids = items.flatMap((item) =>
    Array.from({ length: item.seq }, (_, i) => Task.idOfKey(Backlog.taskKey(backlog, item.id, i + 1))),
  );
  return Promise.all(ids.map((id) => rowOf(deps, id)));
}

describe("places", () => {
  it("as many items start as there are places, in the order of the file", async () => {
    const deps = await testPipeline({ env: workers(3) });
    await pushItems(deps, letters(8));
    expect(await Pipeline.tick(deps)).toEqual(letters(3).map((id) => Task.idOfKey(`b#${id}#1`)));
    expect((await moving(deps)).map((item) => item.id)).toEqual(letters(3));
    expect(await Pipeline.tick(deps)).toEqual([]);
  });

  it("FAILURES 11: never exceeded with two hosts' ticks at once, and no task is made twice", async () => {
    const deps = await testPipeline({ env: workers(3) });
    const second = await otherHost(deps, { id: "h2", incarnation: "one" });
    await pushItems(deps, letters(8));
    const made = await Promise.all([deps, second, deps, second].map((host) => Pipeline.tick(host)));
    expect(made.flat()).toHaveLength(3);
    expect(await moving(deps)).toHaveLength(3);
    expect(deps.published.filter((event) => event.type === "task.created")).toHaveLength(3);
  });

  it("FAILURES 25: a manager that was stopped for longer than its lock lasts starts nothing more when it wakes", async () => {
    let stopped = false;
    const deps = await testPipeline({
      env: workers(3),
      at: async (point) => {
        if (point !== "tick" || stopped) return;
        stopped = true;
        await deps.clock.advance(61_000);
        const second = await otherHost(deps, { id: "h2", incarnation: "one" }, { at: () => {} });
        expect(await Pipeline.tick(second)).toHaveLength(3);
      },
    });
    await pushItems(deps, letters(8));
    await Pipeline.tick(deps);
    expect(stopped).toBe(true);
    expect(await moving(deps)).toHaveLength(3);
  });

  it("two backlogs share the places", async () => {
    const deps = await testPipeline({ env: workers(3) });
    await pushItems(deps, letters(2), { id: "one" });
    await pushItems(deps, letters(5), { id: "two" });
    await Pipeline.tick(deps);
    const all = [...(await moving(deps, "one")), ...(await moving(deps, "two"))];
    expect(all.map((item) => [item.backlog, item.id])).toEqual([
      ["one", "i00"],
      ["one", "i01"],
      ["two", "i00"],
    ]);
  });

  it("FAILURES 5: an item that asks holds none; the others go on", async () => {
    const deps = await testPipeline({ env: workers(2) });
    await pushItems(deps, letters(4));
    const [first = ""] = await Pipeline.tick(deps);
    await end(deps, first, ask());
    expect((await Pipeline.tick(deps)).length).toBe(1);
    expect((await moving(deps)).map((item) => item.id)).toEqual(["i01", "i02"]);
    expect((await itemOf(deps, "i00")).state).toBe("asking");
  });

  it("a parked item holds none", async () => {
    const deps = await testPipeline({
      env: workers(1),
      providers: [scripted("alpha", () => failed({ class: "quota", message: "used up" }))],
    });
    await pushItems(deps, letters(2));
    const [first = ""] = await Pipeline.tick(deps);
    const { row } = await attemptOnce(deps, first);
    expect(row).toMatchObject({ status: "pending", tries: 0 });
    expect(row.retry_not_before).toBeGreaterThan(deps.clock.now());
    expect(await Pipeline.tick(deps)).toEqual([Task.idOfKey("b#i01#1")]);
  });

  it("an item on its way never waits for a place: only the first phase asks for one", async () => {
    const deps = await testPipeline({ env: workers(1) });
    await pushItems(deps, letters(2));
    const [first = ""] = await Pipeline.tick(deps);
    await end(deps, first, ask());
    await Pipeline.tick(deps);
    await Pipeline.decide(deps, first, "so");
    await end(deps, first, { kind: "passed" });
    expect(await Pipeline.tick(deps)).toEqual([Task.idOfKey("b#i00#2")]);
    expect((await moving(deps)).map((item) => item.state)).toEqual(["impl", "spec"]);
  });
});

describe("product and meta", () => {
  it("every fifth place is meta's, product first", async () => {
    const deps = await testPipeline({ env: workers(10) });
    await pushItems(deps, letters(20));
    await pushItems(deps, letters(20), { kind: "meta" });
    await Pipeline.tick(deps);
    const started = (await moving(deps)).map((item) => item.kind);
    expect([
      started.filter((kind) => kind === "product").length,
      started.filter((kind) => kind === "meta").length,
    ]).toEqual([8, 2]);
  });

  it("keeps the ratio over many ticks of one place", async () => {
    const deps = await testPipeline({ env: workers(1) });
    await pushItems(deps, letters(10));
    await pushItems(deps, letters(10), { kind: "meta" });
    const kinds: string[] = [];
    for (let i = 0; i < 10; i++) {
      const [id = ""] = await Pipeline.tick(deps);
      const { item } = await rowOf(deps, id);
      kinds.push((await itemOf(deps, item?.item ?? "")).kind);
      await end(deps, id, ask());
    }
    expect(kinds.map((kind) => kind.slice(0, 1)).join("")).toBe("ppppmppppm");
  });

  it("meta moves when product cannot; at a ratio of 0 it never does", async () => {
    const deps = await testPipeline({ env: workers(2) });
    await pushItems(deps, letters(3), { kind: "meta" });
    expect(await Pipeline.tick(deps)).toHaveLength(2);
    const never = await testPipeline({ env: { ...workers(2), PIPELINE_META_RATIO: "0" } });
    await pushItems(never, letters(3), { kind: "meta" });
    expect(await Pipeline.tick(never)).toEqual([]);
  });

  it("product at the end of a long file is found behind a hundred queued items of meta", async () => {
    const deps = await testPipeline({ env: workers(1) });
    await pushItems(deps, letters(120), { kind: "meta" });
    await pushItems(deps, ["zz"]);
    await Store.write(deps.store, {
      kind: "update",
      key: Keys.item("b", "zz"),
      set: { rank: 900, ...Keys.byItemState("b", "queued", 900, "zz") },
    });
    await Pipeline.tick(deps);
    expect((await moving(deps)).map((item) => item.id)).toEqual(["zz"]);
  });
});

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

describe("a whole backlog", () => {
  it("16 items through all phases: no task twice, seq right, everything counted", async () => {
    const deps = await testPipeline();
    await pushItems(deps, letters(16));
    await untilStill(deps);
    const items = await Backlog.items(deps, "b");
    expect(items.map((item) => [item.state, item.seq, item.round])).toEqual(items.map(() => ["done", 4, 0]));
    const tasks = await tasksOf(deps);
    expect(new Set(tasks.map((task) => task.id)).size).toBe(64);
    expect(tasks.map((task) => `${task.item?.seq} ${task.task_type}`)).toEqual(
      items.flatMap(() => ["1 spec", "2 impl", "3 test", "4 review"]),
    );
    expect(tasks.every((task) => task.status === "completed" && task.att === 1)).toBe(true);
    expect(deps.requests).toHaveLength(64);
    expect(new Set(deps.requests.map((request) => request.task.id)).size).toBe(64);
    const all = { completed: 64, failed: 0 };
    expect(
      await threeCounts(
        deps,
        tasks.map((task) => task.id),
      ),
    ).toEqual({ tasks: all, counters: all, metrics: all });
    expect(await Pipeline.tick(deps)).toEqual([]);
  });

  it("with rejections, questions, 429s, bad keys and crashes, on two hosts at once: every item ends, counts agree", async () => {
    const plays: Parameters<typeof scripted>[1] = ({ item, task }) => {
      const key = `${item?.id} ${task.type} ${item?.round} ${task.attempt}`;
      if (item?.id === "i00" && task.type === "review") return finished({ verdict: "fail", findings: ["never good"] });
      if (/i01 review 0/.test(key)) return finished({ verdict: "fail", findings: ["not yet"] });
      if (/i02 spec 0 1/.test(key))
        return finished({ question: { prompt: "Which?", default: "a", default_after_s: 30 } });
      if (/i03 impl \d 1/.test(key)) return failed({ class: "rate_limit", message: "429", retry_after_ms: 60_000 });
      if (/i04 test 0 1/.test(key)) return failed("crash");
      if (/i05 impl 0/.test(key)) return failed("overloaded");
      return finished();
    };
    const deps = await testPipeline({ providers: [scripted("alpha", plays), scripted("beta", plays)] });
    const second = await otherHost(deps, { id: "h2", incarnation: "one" });
    await pushItems(deps, letters(8));
    await Promise.all([untilStill(deps, 120), untilStill(second, 120)]);
    await untilStill(deps);
    const items = await Backlog.items(deps, "b");
    expect(items.map((item) => item.state)).toEqual(["abandoned", ...letters(7).map(() => "done")]);
    expect(items[0]).toMatchObject({ round: 5, last: "more than 5 rounds; the last: the review rejected it" });
    expect(items[1]).toMatchObject({ round: 1 });
    const tasks = await tasksOf(deps);
    expect(new Set(tasks.map((task) => task.id)).size).toBe(tasks.length);
    const {
      tasks: rows,
      counters,
      metrics,
    } = await threeCounts(
      deps,
      tasks.map((task) => task.id),
    );
    expect(counters).toEqual(rows);
    expect(metrics).toEqual(rows);
    expect((await Metrics.counts(deps)).total).toBe(tasks.length);
  });
});

describe("the manager's lock", () => {
  it("held by another, the tick does nothing; its own is let go at the end, also after a fault", async () => {
    const deps = await testPipeline();
    await pushItems(deps, ["x"]);
    await Lock.acquire(deps.store, { name: "manager", owner: "h2/one#x" }, 60_000);
    expect(await Pipeline.tick(deps)).toEqual([]);
    await Lock.release(deps.store, { name: "manager", owner: "h2/one#x" });
    const broken = await otherHost(deps, deps.host, {
      at: () => {
        throw new Error("planted");
      },
    });
    await expect(Pipeline.tick(broken)).rejects.toThrow("planted");
    expect(await Pipeline.tick(deps)).toHaveLength(1);
  });

  it.each([
    ["paused", { paused: true, itemsLeft: Infinity, until: Infinity }, 0],
    ["past its hours", { paused: false, itemsLeft: Infinity, until: 0 }, 0],
    ["with 2 items left", { paused: false, itemsLeft: 2, until: Infinity }, 2],
  ])("%s it starts %#", async (_name, pace, started) => {
    const deps = await testPipeline();
    deps.pace = pace;
    await pushItems(deps, letters(4));
    expect(await Pipeline.tick(deps)).toHaveLength(started);
    expect(await Pipeline.tick(deps)).toEqual([]);
  });
});
