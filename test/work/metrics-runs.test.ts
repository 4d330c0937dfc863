import { expect, it } from "vitest";
import * as Clock from "../../core/ground/clock.ts";
import * as Store from "../../core/ground/store/index.ts";
import { Keys } from "../../core/ground/store/index.ts";
import * as Metrics from "../../core/work/metrics/index.ts";
import { NO_USAGE } from "../../core/work/task/index.ts";
import { testDeps } from "../support/deps.ts";

const DAY = 86_400_000;
const NOON = Date.UTC(2026, 4, 20, 12);
type Made = Partial<Omit<Metrics.RecordInput, "attempt" | "now">>;

async function setUp() {
  const clock = Clock.virtual(NOON);
  const deps = await testDeps({ clock });
  const write = async (id: string, made: Made = {}) => {
    const one = Metrics.record({
      // Nobody works on a task without an attempt.
      attempt: { n: made.agent === null ? 0 : 1, task_id: id, tried: [] },
      now: clock.now(),
      task: { task_type: "impl" },
      endedTask: "completed",
      class: null,
      model: "m1",
      provider: "codex",
      executor: "openclaw",
      agent: "openai-codex",
      usage: NO_USAGE,
      queue_ms: 0,
      run_ms: 1000,
      prompt_variant: null,
      skill_version: null,
      ...made,
    });
    await Store.write(deps.store, one);
    return one;
  };
  return { clock, deps, write };
}

it("counts nothing in an empty store", async () => {
  const { deps } = await setUp();
  expect(await Metrics.runs(deps)).toEqual({
    count: 0,
    failed: 0,
    ended: 0,
    untracked: 0,
    by: { executor: new Map(), agent: new Map(), provider: new Map() },
    models: new Map(),
  });
  expect(await Metrics.recent(deps, 10)).toEqual([]);
});

it("counts who worked apart from how tasks ended, before and after a fold", async () => {
  const { clock, deps, write } = await setUp();
  await write("a");
  await write("b", { endedTask: null, class: "rate_limit", agent: "local-1", provider: "claude", executor: "claude" });
  await write("c", { agent: "w1", provider: null, executor: null, run_ms: null });
  await write("d", { endedTask: "failed", class: "lost", agent: null, run_ms: null });
  await clock.advance(120_000);
  const before = await Metrics.runs(deps);
  await Metrics.fold(deps);
  expect(await Metrics.runs(deps)).toEqual(before);
  expect(before).toEqual({
    count: 3,
    failed: 1,
    ended: 3,
    untracked: 1,
    by: {
      executor: new Map([
        ["openclaw", { count: 1, failed: 0 }],
        ["claude", { count: 1, failed: 1 }],
        ["unknown", { count: 1, failed: 0 }],
      ]),
      agent: new Map([
        ["openai-codex", { count: 1, failed: 0 }],
        ["local-1", { count: 1, failed: 1 }],
        ["w1", { count: 1, failed: 0 }],
      ]),
      provider: new Map([
        ["codex", { count: 1, failed: 0 }],
        ["claude", { count: 1, failed: 1 }],
        ["unknown", { count: 1, failed: 0 }],
      ]),
    },
    models: new Map([["m1", { completed: 2, failed: 1, last_at: NOON }]]),
  });
});

it("names codex however many other workers there are", async () => {
  const { deps, write } = await setUp();
  await Promise.all(Array.from({ length: 60 }, (_, i) => write(`t${i}`, { agent: `host:${i}` })));
  await write("x");
  const { agent } = (await Metrics.runs(deps)).by;
  expect(agent.get("openai-codex")).toEqual({ count: 1, failed: 0 });
  expect(agent.size).toBeLessThanOrEqual(52);
  expect([...agent.values()].reduce((sum, { count }) => sum + count, 0)).toBe(61);
});

it("reads roll-ups and records of before agents were kept: who worked is unknown, that somebody did is not", async () => {
  const { clock, deps, write } = await setUp();
  await write("a");
  await clock.advance(120_000);
  await Metrics.fold(deps);
  const key = Keys.rollup(NOON);
  const json = String((await Store.get(deps.store, key))?.json).replace(/"agent":\[.*?\]\],/, "");
  expect(json).not.toContain("openai-codex");
  await Store.write(deps.store, { kind: "update", key, set: { json } });
  const old = await write("b", { endedTask: "failed", class: "bad_result" });
  if (old.kind !== "put") throw new Error("a record is put");
  const { agent: _, ...bare } = old.item;
  await Store.write(deps.store, { kind: "put", item: bare });
  expect((await Metrics.runs(deps)).by.agent).toEqual(new Map([["unknown", { count: 1, failed: 1 }]]));
  // Taken back it is no untracked end either.
  const end = await Metrics.recordOfEnd(deps.store, { taskId: "b", n: 1, at: clock.now() });
  if (!end) throw new Error("no record");
  await clock.advance(1);
  await Store.write(deps.store, Metrics.takeOut(end, clock.now()));
  expect(await Metrics.runs(deps)).toMatchObject({ ended: 1, untracked: 0 });
});

it("FAILURES 34: shows the latest records newest first, back over days, and passes over one that is none", async () => {
  const { clock, deps, write } = await setUp();
  await write("old");
  await clock.advance(3 * DAY);
  await write("new");
  await Store.write(deps.store, {
    kind: "put",
    item: { ...Keys.metric(clock.now() + 1, "bad", 1), created_at: "yesterday", model: 7 },
  });
  const found = await Metrics.recent(deps, 10);
  expect(found.map(({ task_id, agent }) => [task_id, agent])).toEqual([
    ["new", "openai-codex"],
    ["old", "openai-codex"],
  ]);
  expect((await Metrics.recent(deps, 1)).map(({ task_id }) => task_id)).toEqual(["new"]);
  await clock.advance(4 * DAY);
  expect((await Metrics.recent(deps, 10)).map(({ task_id }) => task_id)).toEqual(["new"]);
});
