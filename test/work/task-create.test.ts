import { beforeAll, describe, expect, it } from "vitest";
import fc from "fast-check";
import * as Store from "../../core/ground/store/index.ts";
import * as Task from "../../core/work/task/index.ts";
import { newTask, partition, testPipeline, wholeOf, type TestPipeline } from "../support/pipeline.ts";
import { between } from "../support/wire.ts";

let deps: TestPipeline;
beforeAll(async () => {
  deps = await testPipeline();
});

const parse = (input: Record<string, unknown>) =>
  Task.Create.parse({ direction: "do it", task_type: "impl", ...input });
const made = async (input: Record<string, unknown>) => (await Task.create(deps, parse(input))).task;

describe("FAILURES 4: creation is idempotent by its key", () => {
  it("two at once make one task, and both get it", async () => {
    deps.published.length = 0;
    const both = await Promise.all([1, 2].map((n) => Task.create(deps, parse({ direction: `n${n}` }), { key: "k1" })));
    expect(both.map((one) => one.created).sort()).toEqual([false, true]);
    expect(both[0]?.task).toEqual(both[1]?.task);
    expect(deps.published.filter((event) => event.type === "task.created")).toHaveLength(1);
  });

  it("32 at once make one task", async () => {
    const all = await Promise.all(Array.from({ length: 32 }, () => Task.create(deps, parse({}), { key: "k32" })));
    expect(all.filter((one) => one.created)).toHaveLength(1);
    expect(new Set(all.map((one) => one.task.row.id)).size).toBe(1);
  });

  it("a repeat changes nothing of the task of then", async () => {
    const first = await Task.create(deps, parse({ direction: "first" }), { key: "k3" });
    const before = await partition(deps, first.task.row.id);
    const again = await Task.create(deps, parse({ direction: "second", context: { a: 1 } }), { key: "k3" });
    expect(again.created).toBe(false);
    expect(again.task.row.direction).toBe("first");
    expect(await partition(deps, first.task.row.id)).toEqual(before);
  });

  it("its id is the key's hash, whoever makes it", async () => {
    const { task } = await Task.create(deps, parse({}), { key: "b#item#1" });
    expect(task.row.id).toBe(Task.idOfKey("b#item#1"));
    expect(task.row.id).toMatch(/^task_[0-9a-f]{16}$/);
  });

  it("what belongs to it is written with it or not at all", async () => {
    const gone: Store.Write = { kind: "check", key: { pk: "X", sk: "none" }, if: Store.isThere };
    const creating = Task.create(deps, parse({}), { key: "k4", also: [gone] });
    await expect(creating).rejects.toMatchObject({ code: "idempotency.conflict" });
    expect(await partition(deps, Task.idOfKey("k4"))).toEqual([]);
  });
});

describe("the normalisation of contract 2.2", () => {
  const long = "word ".repeat(200);
  it.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    [
      "a default target state",
      { direction: " do\n  it " },
      { target_state: "impl task reaches intended target state: do it" },
    ],
    [
      "the first 220 characters of the flat direction",
      { direction: long },
      {
        target_state: `impl task reaches intended target state: ${long.replace(/\s+/g, " ").trim().slice(0, 220)}`,
      },
    ],
    ["a given target state, trimmed", { target_state: "  so  " }, { target_state: "so" }],
    ["the context's target state", { context: { target_state: " then " } }, { target_state: "then" }],
    [
      "the context's target state cut to 600",
      { context: { target_state: "x".repeat(700) } },
      {
        target_state: "x".repeat(600),
      },
    ],
    [
      "the body before the context",
      { target_state: "body", context: { target_state: "context" } },
      { target_state: "body" },
    ],
    ["no evidence", {}, { success_evidence: [], abort_evidence: [] }],
    ["a bare string as a list of one", { success_evidence: " ok " }, { success_evidence: ["ok"] }],
    [
      "evidence without blanks and repeats of any case",
      { abort_evidence: ["A", " a ", "", "  ", "B"] },
      { abort_evidence: ["A", "B"] },
    ],
    ["evidence items cut to 600", { success_evidence: ["y".repeat(700)] }, { success_evidence: ["y".repeat(600)] }],
    [
      "the context's evidence",
      { context: { success_evidence: ["c", "C"], abort_evidence: "d" } },
      {
        success_evidence: ["c"],
        abort_evidence: ["d"],
      },
    ],
    [
      "a context's evidence that is none is passed over",
      { context: { success_evidence: [1, {}] } },
      { success_evidence: [] },
    ],
    ["a window of 900", {}, { observation_window_sec: 900 }],
    ["a window of 5 as 30", { observation_window_sec: 5 }, { observation_window_sec: 30 }],
    ["a window as a string", { observation_window_sec: "60" }, { observation_window_sec: 60 }],
    [
      "the context's window, clamped",
      { context: { observation_window_sec: 9_999_999 } },
      { observation_window_sec: 604_800 },
    ],
    [
      "a context's window that is none",
      { context: { observation_window_sec: "soon" } },
      { observation_window_sec: 900 },
    ],
  ])("%s", async (_name, input, expected) => {
    const { row, parts } = await made(input);
    expect(row).toMatchObject(expected);
    expect(parts.context).toMatchObject({ ...expected, target_state_contract: expected });
  });

  it.each([
    ["spec", "product-manager", undefined],
    ["test", "qa-engineer", undefined],
    ["impl", "dev-engineer", undefined],
    ["review", "reviewer", ["spec-guard"]],
    ["heal", "dev-engineer", undefined],
  ])("binds %s to %s", async (task_type, agent, guards) => {
    const { parts } = await made({ task_type });
    expect(parts.context).toMatchObject({ task_agent: agent });
    expect(parts.context?.guard_agents).toEqual(guards);
  });

  it.each<[string, Record<string, unknown>]>([
    ["an empty direction", { direction: " \n\t " }],
    ["a direction of 5001", { direction: "x".repeat(5001) }],
    ["an unknown type", { task_type: "TaskType.IMPL" }],
    ["a list as context", { context: [] }],
    ["evidence that is no text", { success_evidence: [1] }],
    ["a window of 0", { observation_window_sec: 0 }],
    ["a priority of 100", { priority: 100 }],
  ])("refuses %s", (_name, input) => {
    expect(Task.Create.safeParse({ direction: "d", task_type: "impl", ...input }).success).toBe(false);
  });

  it.each([
    ["1", {}, "pipeline"],
    ["1", { dispatch: "external" }, "external"],
    ["0", {}, "external"],
  ])("AGENT_AUTO_EXECUTE=%s and context %j: it waits for %s", async (flag, context, queue) => {
    const own = await testPipeline({ env: { AGENT_AUTO_EXECUTE: flag }, store: deps.store });
    expect((await Task.create(own, parse({ context }))).task.row.queue).toBe(queue);
  });

  it("a task of an item is always the pipeline's", async () => {
    const own = await testPipeline({ env: { AGENT_AUTO_EXECUTE: "0" }, store: deps.store });
    const item: Task.ItemRef = { backlog: "b", item: "i", seq: 1, phase: "spec", round: 0 };
    const id = await newTask(own, { context: { dispatch: "external" } }, { item });
    expect((await wholeOf(own, id)).row.queue).toBe("pipeline");
  });
});

describe("free-form objects", () => {
  const json = async (context: Record<string, unknown>) => {
    const { row } = await made({ context });
    return (await wholeOf(deps, row.id)).parts.context;
  };

  it("a context over 256 KiB is refused, and nothing is made", async () => {
    const context = { a: "x".repeat(Task.MAX_CONTEXT_BYTES) };
    await expect(Task.create(deps, parse({ context }), { key: "big" })).rejects.toMatchObject({
      code: "input.too_large",
    });
    expect(await partition(deps, Task.idOfKey("big"))).toEqual([]);
  });

  it("the bound counts bytes, not characters, and what just fits is kept", async () => {
    await expect(made({ context: { a: "ü".repeat(Task.MAX_CONTEXT_BYTES / 2) } })).rejects.toMatchObject({
      code: "input.too_large",
    });
    const text = "x".repeat(Task.MAX_CONTEXT_BYTES - 2000);
    expect((await json({ a: text }))?.a).toBe(text);
  });

  const nested = (levels: number) => {
    let deep: unknown = 1;
    for (let i = 0; i < levels; i++) deep = { d: deep };
    return deep;
  };

  it("nesting of 500 is kept", async () => {
    expect((await json({ deep: nested(500) }))?.deep).toEqual(nested(500));
  });

  it.each([5000, 100_000])(
    "nesting of %i is kept or refused, never a fault, and then nothing is made",
    async (levels) => {
      const key = `deep-${levels}`;
      const outcome = await Task.create(deps, parse({ context: { deep: nested(levels) } }), { key }).catch(
        (error: unknown) => error,
      );
      if (outcome instanceof Error) {
        expect(outcome).toMatchObject({ code: expect.stringMatching(/^input\.(invalid|too_large)$/) as string });
        expect(await partition(deps, Task.idOfKey(key))).toEqual([]);
      } else expect(await partition(deps, Task.idOfKey(key))).not.toEqual([]);
    },
  );

  it.each<[string, unknown]>([
    ["2^53+1 as JSON reads it", JSON.parse("9007199254740993")],
    ["1e308", 1e308],
    ["NUL", "a\0b"],
    ["a lone high surrogate", "\ud800"],
    ["a lone low surrogate", "x\udc00y"],
    ["an emoji", "👩‍👩‍👧"],
    ["the empty string and key", { "": "" }],
    ["null in a list", [null, [null]]],
    ["40 000 keys", Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`k${i}`, i]))],
  ])("%s survives", async (_name, value) => {
    expect((await json({ value }))?.value).toEqual(value);
  });

  it("any JSON object survives", async () => {
    await fc.assert(
      fc.asyncProperty(fc.dictionary(fc.string({ unit: "binary" }), fc.jsonValue()), async (object) => {
        const given = JSON.parse(JSON.stringify(object)) as Record<string, unknown>;
        delete given["__proto__"];
        const { row } = await made({ context: { given } });
        expect((await wholeOf(deps, row.id)).parts.context?.given).toEqual(given);
      }),
      { numRuns: 40 },
    );
  });

  it("a direction of NUL and lone surrogates is stored and read without an error", async () => {
    const { row } = await made({ direction: "a\0b \ud800 c" });
    expect((await wholeOf(deps, row.id)).row.direction).toContain("a\0b");
  });

  it.each([
    ["a target state", { direction: `${"x".repeat(219)}😀 and so on` }],
    ["a target state of 600", { context: { target_state: `${"x".repeat(599)}😀` } }],
    ["evidence", { success_evidence: `${"x".repeat(599)}😀` }],
    ["a model", { context: { model_override: `${"x".repeat(199)}😀` } }],
  ])("%s that is cut in the middle of an emoji is still text", async (_name, input) => {
    const { row } = await made(input);
    expect(JSON.stringify(await wholeOf(deps, row.id))).not.toMatch(/\\ud83d"/);
  });

  it("FAILURES 34: values of the wrong type under keys with a meaning break nothing", async () => {
    const context = {
      max_runtime_seconds: "soon",
      provider: 5,
      executor: {},
      retry_not_before: "yesterday",
      model_override: 7,
    };
    const { row } = await made({ context });
    expect(row.model).toBe("auto");
  });

  it("FAILURES 33: 32 merges at once lose nothing", async () => {
    const id = await newTask(deps);
    await Promise.all(Array.from({ length: 32 }, (_, i) => Task.mergeContext(deps.store, id, { [`k${i}`]: i })));
    const { context = {} } = (await wholeOf(deps, id)).parts;
    expect(Object.keys(context).filter((key) => key.startsWith("k"))).toHaveLength(32);
  });

  it("a merge that others come between for ever is given up and said", async () => {
    const id = await newTask(deps);
    let writes = 0;
    const end = between(deps.store, async (operation, input, next) => {
      if (operation !== "PutItem" || !JSON.stringify(input).includes("mine")) return next();
      if (++writes > 200) throw new Error("it never gives up");
      await Task.mergeContext(deps.store, id, { others: writes });
      return next();
    });
    await expect(Task.mergeContext(deps.store, id, { mine: true })).rejects.toMatchObject({
      code: "store.unavailable",
    });
    end();
    expect((await wholeOf(deps, id)).parts.context).not.toHaveProperty("mine");
    expect(writes).toBe(50);
  });

  it("a merge that would grow over the bound changes nothing", async () => {
    const id = await newTask(deps, { context: { a: "x".repeat(200_000) } });
    const before = await partition(deps, id);
    await expect(Task.mergeContext(deps.store, id, { b: "y".repeat(100_000) })).rejects.toMatchObject({
      code: "input.too_large",
    });
    expect(await partition(deps, id)).toEqual(before);
  });
});

describe("FAILURES 15: what is kept of an output", () => {
  it("its head and its tail, within its bytes, with the error at the end", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 400 }), fc.integer({ min: 1, max: 400 }), (text, times) => {
        const whole = `head${text.repeat(times)}the error`;
        const kept = Task.headAndTail(whole, 4096);
        expect(Buffer.byteLength(kept)).toBeLessThanOrEqual(4096 + 64);
        expect(kept.startsWith("head")).toBe(true);
        expect(kept.endsWith("the error")).toBe(true);
        if (Buffer.byteLength(whole) <= 4096) expect(kept).toBe(whole);
      }),
    );
  });

  it("a megabyte lies with the task in at most 32 KB", async () => {
    const id = await newTask(deps);
    for (const write of Task.partWrites(id, { output: `${"x".repeat(2 ** 20)}THE END` }))
      await Store.write(deps.store, write);
    const { output = "" } = (await wholeOf(deps, id)).parts;
    expect(Buffer.byteLength(output)).toBeLessThanOrEqual(Task.MAX_OUTPUT_BYTES);
    expect(output.endsWith("THE END")).toBe(true);
  });
});
