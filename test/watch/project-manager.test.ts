import { expect, it } from "vitest";
import * as Pipeline from "../../core/flow/pipeline/index.ts";
import * as Store from "../../core/ground/store/index.ts";
import { Keys } from "../../core/ground/store/index.ts";
import * as Status from "../../core/watch/status/index.ts";
import * as Backlog from "../../core/work/backlog/index.ts";
import {
  failed,
  itemOf,
  pushItems,
  scripted,
  testPipeline,
  untilStill,
  type TestPipeline,
} from "../support/pipeline.ts";

/** Moves an item as its tasks would. */
async function move(deps: TestPipeline, id: string, change: Backlog.ItemChange): Promise<void> {
  const moved = await Store.write(deps.store, Backlog.advance(await itemOf(deps, id), change, deps.clock.now()));
  expect(moved.ok).toBe(true);
}

it("is null without a backlog", async () => {
  const deps = await testPipeline();
  expect(await Status.projectManager(deps)).toBeNull();
  expect((await Status.pipelineStatus(deps)).project_manager).toBeNull();
});

it("says what is in flight, done and next, from the items", async () => {
  const deps = await testPipeline();
  await pushItems(deps, ["a", "b", "c", "d"]);
  const begin = await Status.projectManager(deps);
  expect(begin).toEqual({
    backlog_index: 0,
    phase: "spec",
    current_task_id: null,
    iteration: 1,
    blocked: false,
    in_flight: [],
    next_backlog_idx: 0,
    completed_items: 0,
    backlog: "b",
  });
  await move(deps, "a", { state: "done" });
  await move(deps, "b", { state: "impl", phase: "impl", round: 2, seq: 4, task: "task_b" });
  await move(deps, "c", { state: "test", phase: "test", seq: 3, task: "task_c" });
  const state = await Status.projectManager(deps);
  expect(Status.ProjectManager.parse(state)).toEqual(state);
  expect(state).toEqual({
    backlog_index: 1,
    phase: "impl",
    current_task_id: "task_b",
    iteration: 3,
    blocked: false,
    in_flight: [
      { item_idx: 1, phase: "impl", task_id: "task_b", iteration: 3 },
      { item_idx: 2, phase: "test", task_id: "task_c", iteration: 1 },
    ],
    next_backlog_idx: 3,
    completed_items: 1,
    backlog: "b",
  });
  expect((await Status.pipelineStatus(deps)).project_manager).toEqual(state);
});

it("FAILURES 6: a line put before others shifts no count of what is done", async () => {
  const deps = await testPipeline();
  await pushItems(deps, ["a", "b"]);
  await move(deps, "a", { state: "done" });
  await pushItems(deps, ["new", "a", "b"]);
  expect(await Status.projectManager(deps)).toMatchObject({ backlog_index: 1, next_backlog_idx: 0 });
});

it("is blocked when only people can move what is left, and not while an item can go on", async () => {
  const deps = await testPipeline();
  await pushItems(deps, ["a", "b"]);
  await move(deps, "a", { state: "asking", phase: "impl" });
  expect(await Status.projectManager(deps)).toMatchObject({ blocked: false, next_backlog_idx: 1 });
  await move(deps, "b", { state: "spec" });
  expect(await Status.projectManager(deps)).toMatchObject({ blocked: false, next_backlog_idx: 2 });
  await move(deps, "b", { state: "abandoned" });
  expect(await Status.projectManager(deps)).toMatchObject({ blocked: true, in_flight: [], next_backlog_idx: 2 });
  await move(deps, "a", { state: "done" });
  expect(await Status.projectManager(deps)).toMatchObject({ blocked: false, completed_items: 1 });
});

it("names the product's next item before meta's, and the backlog that was pushed last", async () => {
  const deps = await testPipeline();
  await pushItems(deps, ["old"], { id: "older" });
  await deps.clock.advance(1000);
  await pushItems(deps, ["m1"], { id: "b", kind: "meta" });
  await pushItems(deps, ["p1", "p2"], { id: "b" });
  await move(deps, "p1", { state: "done" });
  expect(await Status.projectManager(deps)).toMatchObject({ backlog: "b", next_backlog_idx: 1 });
});

it("follows a real walk to its end", async () => {
  const deps = await testPipeline({ providers: [scripted("alpha", () => failed("bad_request"))] });
  await pushItems(deps, ["a"]);
  await untilStill(deps);
  expect(await Status.projectManager(deps)).toMatchObject({ in_flight: [], blocked: true });
});

it("costs no more with a thousand items done than their index entries", async () => {
  const deps = await testPipeline();
  const lines = Array.from({ length: 1000 }, (_, i) => `${i + 1}. ${"Do something long. ".repeat(100)} {#i${i}}`);
  await Pipeline.push(deps, { id: "b", kind: "product", text: lines.join("\n") });
  const rows = await Backlog.items(deps, "b");
  for (let i = 0; i < 995; i += 50)
    await Promise.all(
      rows
        .slice(i, Math.min(i + 50, 995))
        .map((row) => Store.write(deps.store, Backlog.advance(row, { state: "done" }, 0))),
    );
  let [calls, units] = [0, 0];
  deps.store.onCapacity = (n) => ((units += n), calls++);
  expect(await Status.projectManager(deps)).toMatchObject({ completed_items: 995, next_backlog_idx: 995 });
  expect(calls).toBeLessThanOrEqual(12);
  // The texts alone are 1.9 MB: 240 units and more.
  expect(units).toBeLessThanOrEqual(60);
});

it("items of before their phase stood in the index get it by the next push of their file", async () => {
  const deps = await testPipeline();
  await pushItems(deps, ["a", "b"]);
  const entry = Keys.byItemState("b", "queued", 0, "a");
  const before = { ...entry, gsi1sk: entry.gsi1sk.replace(/#$/, "") };
  await Store.write(deps.store, { kind: "update", key: Keys.item("b", "a"), set: before });
  const phases = async () => (await Backlog.standings(deps, "b")).map(({ id, phase_number }) => [id, phase_number]);
  expect(await phases()).toEqual([
    ["a", null],
    ["b", 1],
  ]);
  expect(await pushItems(deps, ["a", "b"])).toMatchObject({ changed: [], unchanged: 2 });
  expect(await phases()).toEqual([
    ["a", 1],
    ["b", 1],
  ]);
});
