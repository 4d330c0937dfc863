import { describe, expect, it } from "vitest";
import * as Pipeline from "../../../core/flow/pipeline/index.ts";
import * as Store from "../../../core/ground/store/index.ts";
import { Keys, Lock } from "../../../core/ground/store/index.ts";
import * as Backlog from "../../../core/work/backlog/index.ts";
import * as Task from "../../../core/work/task/index.ts";
import {
  attemptOnce,
  failed,
  itemOf,
  otherHost,
  pushItems,
  rowOf,
  scripted,
  testPipeline,
  type TestPipeline,
} from "../../support/pipeline.ts";
import { letters, workers, ask, end } from "./tick-support.ts";

const moving = async (deps: TestPipeline, backlog = "b") =>
  (await Backlog.items(deps, backlog)).filter((item) => Backlog.MOVING.includes(item.state));

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
