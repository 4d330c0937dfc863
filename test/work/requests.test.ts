import fc from "fast-check";
import { expect, it } from "vitest";
import * as Clock from "../../core/ground/clock.ts";
import * as Log from "../../core/ground/log.ts";
import * as Store from "../../core/ground/store/index.ts";
import { Keys } from "../../core/ground/store/index.ts";
import * as Telemetry from "../../core/work/telemetry/index.ts";
import { ranges } from "../../core/work/telemetry/endpoints.ts";
import { binOf, percentile } from "../../core/work/telemetry/latency.ts";
import { testDeps } from "../support/deps.ts";
import { between } from "../support/wire.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const START = Date.UTC(2026, 4, 20, 12, 34, 56, 789);
const A = { method: "GET", route: "/api/agent/tasks/{task_id}", status: 200, ms: 10 };

async function setUp(start = START) {
  const clock = Clock.virtual(start);
  const deps = await testDeps({ clock });
  return { clock, deps, recorder: Telemetry.recorder(deps) };
}

it("counts by minute, method and route, and says it in the contract's shape", async () => {
  const { clock, deps, recorder } = await setUp();
  recorder.record(A);
  recorder.record({ ...A, ms: 30, status: 404 });
  recorder.record({ ...A, method: "PATCH", ms: 0 });
  recorder.record({ ...A, route: "/api/health", ms: 40 });
  expect((await Telemetry.endpoints(deps, 60)).endpoints).toEqual([]);
  await recorder.flush();
  await clock.advance(MINUTE);
  recorder.record({ ...A, ms: 20 });
  await recorder.flush();
  const summary = await Telemetry.endpoints(deps, 3600);
  expect(Telemetry.Endpoints.parse(summary)).toEqual(summary);
  expect(summary).toEqual({
    window_seconds: 3600,
    endpoints: [
      {
        endpoint: "/api/agent/tasks/{task_id}",
        methods: ["GET", "PATCH"],
        idea_id: "portfolio-governance",
        origin_idea_id: "portfolio-governance",
        event_count: 4,
        total_runtime_ms: 60.1,
        average_runtime_ms: 15.025,
        p50_runtime_ms: expect.closeTo(20, -0.5) as number,
        p99_runtime_ms: expect.closeTo(30, -0.5) as number,
        runtime_cost_estimate: 0.0001202,
        paid_tool_event_count: 0,
        paid_tool_failure_count: 0,
        paid_tool_ratio: 0,
        paid_tool_runtime_cost: 0,
        paid_tool_average_runtime_ms: 0,
        by_source: { api: 4 },
        status_counts: { "200": 3, "404": 1 },
      },
      expect.objectContaining({ endpoint: "/api/health", idea_id: "oss-interface-alignment", event_count: 1 }),
    ],
  });
  // What is written says nothing but the template, the method and numbers.
  const item = await Store.get(deps.store, Keys.requests("minute", START, "GET", A.route));
  if (!item) throw new Error("nothing was written");
  const { pk, sk, ent, v, method, route, ...numbers } = item;
  expect([pk, sk, ent, v, method, route]).toEqual([
    "REQ#2026052012",
    "202605201234#GET#/api/agent/tasks/{task_id}",
    "requests",
    1,
    "GET",
    "/api/agent/tasks/{task_id}",
  ]);
  expect(Object.values(numbers).every((value) => typeof value === "number")).toBe(true);
});

it("sorts by cost, then by name, both from the top down", async () => {
  const { deps, recorder } = await setUp();
  for (const [route, ms] of [
    ["/api/a", 5],
    ["/api/c", 5],
    ["/api/b", 9],
  ] as const)
    recorder.record({ method: "GET", route, status: 200, ms });
  await recorder.flush();
  const { endpoints } = await Telemetry.endpoints(deps, 60);
  expect(endpoints.map(({ endpoint }) => endpoint)).toEqual(["/api/b", "/api/c", "/api/a"]);
});

it("a window is exact to the minute whatever its length, and reads at most three ranges", async () => {
  const { clock, deps, recorder } = await setUp(START - 31 * DAY);
  const times: number[] = [];
  const gaps = [11 * HOUR, 7 * MINUTE, DAY - 3 * MINUTE, 59 * MINUTE, 2 * DAY + 17 * HOUR, MINUTE, 61 * MINUTE];
  for (let i = 0; clock.now() < START; i++) {
    await clock.advance(Math.min(gaps[i % gaps.length] ?? MINUTE, START - clock.now()));
    recorder.record({ ...A, ms: 1 });
    times.push(clock.now());
    await recorder.flush();
  }
  let reads = 0;
  deps.store.onCapacity = () => reads++;
  const now = clock.now();
  const windows = [60, 61, 3600, 7200, 86_400, 100_000, 604_800, 2_591_999, 2_592_000];
  for (const seconds of [...windows, ...times.map((at) => Math.max(60, Math.round((now - at) / 1000)))]) {
    if (seconds > 2_592_000) continue;
    reads = 0;
    const from = now - seconds * 1000;
    const expected = times.filter((at) => at >= from - (from % MINUTE)).length;
    const { endpoints } = await Telemetry.endpoints(deps, seconds);
    expect(endpoints[0]?.event_count ?? 0, `${seconds} s`).toBe(expected);
    expect(reads).toBeLessThanOrEqual(3);
  }
});

it("the ranges of a window cover each of its minutes once, and nothing before it", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: DAY }), fc.integer({ min: 60, max: 2_592_000 }), (offset, seconds) => {
      const now = START + offset;
      const begin = now - seconds * 1000;
      const ends = { minute: HOUR, hour: DAY, day: Infinity };
      let at = begin - (begin % MINUTE);
      for (const { span, from } of ranges(begin, now)) {
        expect(from).toBe(at);
        at = span === "day" ? Infinity : (Math.floor(from / ends[span]) + 1) * ends[span];
      }
      expect(at).toBeGreaterThan(now);
    }),
  );
});

it("two processes that flush at the same time add up, and none of it counts twice", async () => {
  const { deps, recorder } = await setUp();
  const others = Array.from({ length: 5 }, () => Telemetry.recorder(deps));
  for (const one of [recorder, ...others]) for (let i = 0; i < 10; i++) one.record(A);
  await Promise.all([recorder, ...others].flatMap((one) => [one.flush(), one.flush()]));
  await recorder.flush();
  expect((await Telemetry.endpoints(deps, 60)).endpoints[0]?.event_count).toBe(60);
});

it("a store that is away loses telemetry, says so once, and stops nobody", async () => {
  const { clock, deps } = await setUp();
  const said: string[] = [];
  const log = Log.create("warn", { write: (line) => void said.push(line) });
  const recorder = Telemetry.recorder({ ...deps, log });
  let away = true;
  between(deps.store, async (_operation, _input, next) => {
    if (away) throw new Error("no store");
    return next();
  });
  for (let i = 0; i < 100; i++) recorder.record({ ...A, route: `/api/${i}` });
  await recorder.flush();
  expect(said).toHaveLength(1);
  expect(said[0]).toContain("request telemetry was lost");
  away = false;
  await clock.advance(1);
  recorder.record(A);
  await recorder.flush();
  expect((await Telemetry.endpoints(deps, 60)).endpoints.map(({ endpoint }) => endpoint)).toEqual([A.route]);
  expect(said).toHaveLength(1);
});

it("keeps no more than so much in memory while nothing is written", async () => {
  const { clock, deps } = await setUp();
  const said: string[] = [];
  const recorder = Telemetry.recorder({ ...deps, log: Log.create("warn", { write: (line) => void said.push(line) }) });
  for (let i = 0; i < 2010; i++) {
    await clock.advance(MINUTE);
    recorder.record(A);
    // A minute that is held is counted on.
    if (i === 1999) recorder.record(A);
  }
  between(deps.store, async () => {
    throw new Error("no store");
  });
  await recorder.flush();
  expect(said.join()).toContain('"requests":10');
});

it("where nothing runs after an answer, a later request starts the flush", async () => {
  const { clock, deps, recorder } = await setUp();
  recorder.record(A);
  expect(recorder.flushWhenDue()).toBeUndefined();
  await clock.advance(Telemetry.FLUSH_EVERY_MS);
  const flushing = recorder.flushWhenDue();
  expect(flushing).toBeInstanceOf(Promise);
  expect(recorder.flushWhenDue()).toBeUndefined();
  recorder.record(A);
  await flushing;
  expect((await Telemetry.endpoints(deps, 3600)).endpoints[0]?.event_count).toBe(1);
});

it("what is over 30 days old is gone, and a bad item is passed over (FAILURES 34)", async () => {
  const { clock, deps, recorder } = await setUp();
  recorder.record(A);
  await recorder.flush();
  for (const [i, bad] of [{ n: "many" }, { method: 7 }, { us: -1 }, { route: null }].entries())
    await Store.write(deps.store, {
      kind: "put",
      item: {
        ...Keys.requests("day", START, "GET", `bad ${i}`),
        method: "GET",
        route: "/api/bad",
        n: 1,
        us: 1,
        ...bad,
      },
    });
  const days = await Telemetry.endpoints(deps, 2 * 86_400);
  expect(days.endpoints.map(({ endpoint }) => endpoint)).toEqual([A.route]);
  await clock.advance(30 * DAY);
  expect((await Telemetry.endpoints(deps, 2_592_000)).endpoints[0]?.event_count).toBe(1);
  await clock.advance(MINUTE);
  expect((await Telemetry.endpoints(deps, 2_592_000)).endpoints).toEqual([]);
  for (const span of ["minute", "hour"] as const) {
    await clock.advance(HOUR);
    expect(await Store.get(deps.store, Keys.requests(span, START, "GET", A.route))).toBeUndefined();
  }
  await clock.advance(DAY);
  expect(await Store.get(deps.store, Keys.requests("day", START, "GET", A.route))).toBeUndefined();
});

it("percentiles are within a tenth of the true ones", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 60_000 }), { minLength: 1, maxLength: 200 }),
      fc.constantFrom(0.5, 0.99),
      (values, share) => {
        const bins = new Map<number, number>();
        for (const ms of values) bins.set(binOf(ms), (bins.get(binOf(ms)) ?? 0) + 1);
        const sorted = [...values].sort((a, b) => a - b);
        const exact = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
        expect(Math.abs((percentile(bins, share) ?? NaN) - exact)).toBeLessThanOrEqual(exact * 0.1 + 0.1);
      },
    ),
  );
  expect(percentile(new Map(), 0.5)).toBeNull();
  expect([binOf(0), binOf(0.9), binOf(1), binOf(1e12)]).toEqual([0, 0, 1, 64]);
});
