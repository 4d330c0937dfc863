import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as Store from "../../core/ground/store/index.ts";
import { Keys } from "../../core/ground/store/index.ts";
import { advance } from "../../core/work/metrics/advance.ts";
import * as Metrics from "../../core/work/metrics/index.ts";
import { testDeps, type TestDeps } from "../support/deps.ts";
import { injectConflicts } from "../support/conflicts.ts";
import { between } from "../support/wire.ts";
import { DAY, NOON, type Made, base, numberOf, recordOf, virtualDeps, write, foldAll } from "./metrics-support.ts";

/** One record a millisecond from noon on, each with a run time of its own. */
async function writeMany(deps: TestDeps, count: number): Promise<void> {
  const all = Array.from({ length: count }, (_, i) => i);
  while (all.length > 0)
    await Promise.all(all.splice(0, 50).map((i) => write(deps, { ...base, id: `t${i}`, run_ms: 1000 + i }, NOON + i)));
}

async function rollups(deps: TestDeps): Promise<{ sk: string; json: unknown; records: unknown }[]> {
  const items = await Store.queryAll(deps.store, { pk: Keys.ROLLUPS });
  return items.map((item) => ({ sk: item.sk, json: JSON.parse(String(item.json)) as unknown, records: item.records }));
}

describe("folding", () => {
  it("leaves alone what is younger than a minute, so that a record written late is not passed over", async () => {
    const { deps, clock } = await virtualDeps();
    await write(deps, { ...base, id: "early" });
    await clock.advance(61_000);
    await write(deps, { ...base, id: "young" });
    await clock.advance(10_000);
    expect(await Metrics.fold(deps)).toEqual({ folded: 1, complete: true });
    // A transaction's try that began 20 s ago commits only now.
    await write(deps, { ...base, id: "late" }, clock.now() - 20_000);
    expect((await Metrics.read(deps)).success_rate.completed).toBe(3);
    await clock.advance(61_000);
    expect(await Metrics.fold(deps)).toEqual({ folded: 2, complete: true });
    expect((await Metrics.read(deps)).success_rate.completed).toBe(3);
    expect(await Metrics.fold(deps)).toEqual({ folded: 0, complete: true });
  });

  it("is the same when five folders run at once, over many pages", async () => {
    const { deps, clock } = await virtualDeps();
    await writeMany(deps, 1203);
    await clock.advance(120_000);
    const before = await Metrics.read(deps);
    await Promise.all(Array.from({ length: 5 }, () => Metrics.fold(deps)));
    await foldAll(deps);
    expect(await Metrics.read(deps)).toEqual(before);
    expect(await rollups(deps)).toMatchObject([{ sk: "20260520", records: 1203 }]);
  });

  it("reads at most so many pages a run, and goes on at the next", async () => {
    const { deps } = await virtualDeps();
    await writeMany(deps, 1203);
    const step = () => advance(deps.store, Keys.rollup(NOON), NOON, NOON + 5000, 1);
    expect(await step()).toEqual({ folded: 500, pages: 1, done: false });
    expect(await step()).toMatchObject({ done: false });
    expect(await step()).toMatchObject({ done: true });
  });

  it("loses and repeats nothing when a folder dies between its read and its write", async () => {
    const { deps, clock } = await virtualDeps();
    for (let i = 0; i < 20; i++) await write(deps, { ...base, id: `t${i}` }, NOON + i);
    await clock.advance(120_000);
    const before = await Metrics.read(deps);
    let alive = false;
    between(deps.store, async (operation, _, next) => {
      if (operation === "PutItem" && !alive) throw new Error("killed");
      return next();
    });
    await expect(Metrics.fold(deps)).rejects.toThrow("killed");
    alive = true;
    expect(await Metrics.read(deps)).toEqual(before);
    expect((await Metrics.fold(deps)).folded).toBe(20);
    expect(await Metrics.read(deps)).toEqual(before);
  });

  it("makes yesterday once more from its records, also one that was written after its minute", async () => {
    const { deps, clock } = await virtualDeps();
    await write(deps, { ...base, id: "a" }, NOON);
    await clock.advance(120_000);
    await foldAll(deps);
    // Too late for the watermark: only the making again finds it.
    await write(deps, { ...base, id: "b" }, NOON - 1);
    await clock.advance(DAY);
    await foldAll(deps);
    expect((await Metrics.read(deps)).success_rate.completed).toBe(2);
    const [yesterday, ...rest] = await Store.queryAll(deps.store, { pk: Keys.ROLLUPS });
    expect(yesterday).toMatchObject({ sk: "20260520", records: 2, final: true });
    expect(rest).toEqual([]);
  });

  it("FAILURES 34: a roll-up that cannot be read is made again from its records, and says nothing until then", async () => {
    const { deps, clock } = await virtualDeps();
    for (let i = 0; i < 3; i++) await write(deps, { ...base, id: `t${i}` }, NOON + i);
    await clock.advance(120_000);
    await foldAll(deps);
    const whole = await rollups(deps);
    for (const json of ["{", "null", "7", '{"own":{},"out":[]}']) {
      await Store.write(deps.store, { kind: "update", key: Keys.rollup(NOON), set: { json } });
      expect(await Metrics.readOrNull(deps)).toBeNull();
      expect(await Metrics.fold(deps)).toEqual({ folded: 3, complete: true });
      expect(await rollups(deps)).toEqual(whole);
    }
    expect((await Metrics.readOrNull(deps))?.success_rate.completed).toBe(3);
  });

  it("a folder that was held up for ten minutes cannot undo a day that is done with meanwhile", async () => {
    const { deps, clock } = await virtualDeps(NOON + DAY / 2 - 60_000);
    await write(deps, { ...base, id: "a" });
    await clock.advance(4 * 60_000);
    let hold = true;
    between(deps.store, async (operation, _, next) => {
      if (operation === "PutItem" && hold) {
        hold = false;
        await clock.advance(10 * 60_000);
        await write(deps, { ...base, id: "late" }, NOON + DAY / 2 - 1);
        await foldAll(deps);
      }
      return next();
    });
    await Metrics.fold(deps);
    expect((await Store.get(deps.store, Keys.rollup(NOON)))?.final).toBe(true);
    expect((await Metrics.read(deps)).success_rate.completed).toBe(2);
  });

  it("a second folder with an old view cannot undo a day that is done with", async () => {
    const { deps, clock } = await virtualDeps();
    for (let i = 0; i < 30; i++) await write(deps, { ...base, id: `t${i}` }, NOON + i);
    await clock.advance(DAY);
    await Promise.all([Metrics.fold(deps), Metrics.fold(deps), Metrics.read(deps), Metrics.rebuild(deps, NOON)]);
    await foldAll(deps);
    expect((await Metrics.read(deps)).success_rate.completed).toBe(30);
    expect(await rollups(deps)).toMatchObject([{ sk: "20260520", records: 30 }]);
  });

  it("refuses to make a day again whose records have begun to expire", async () => {
    const { deps } = await virtualDeps();
    await expect(Metrics.rebuild(deps, NOON - 90 * DAY)).rejects.toMatchObject({ code: "input.invalid" });
  });
});

describe("any records, folded at any times", () => {
  const one = fc.record({
    gap: fc.oneof(fc.integer({ min: 0, max: 120_000 }), fc.integer({ min: 0, max: DAY })),
    type: fc.constantFrom("spec" as const, "impl" as const, "review" as const),
    model: fc.constantFrom("m1", "m2"),
    executor: fc.constantFrom(null, "claude"),
    agent: fc.constantFrom(null, "w1", "openai-codex"),
    variant: fc.constantFrom(null, "a", "b"),
    ended: fc.constantFrom("completed" as const, "failed" as const, null),
    class: fc.constantFrom(null, "unreported" as const, "bad_result" as const),
    run: fc.option(fc.integer({ min: 0, max: 7_200_000 }), { nil: null }),
    queue: fc.option(fc.integer({ min: 0, max: 500_000 }), { nil: null }),
    tokens: fc.option(fc.integer({ min: 0, max: 100_000 }), { nil: null }),
    cost: fc.option(fc.integer({ min: 0, max: 1_000_000 }), { nil: null }),
    fold: fc.boolean(),
    retry: fc.boolean(),
  });
  type One = typeof one extends fc.Arbitrary<infer T> ? T : never;
  type Entry = One & { at: number; takenOut: boolean };

  /** The same figures from the plain list, without roll-ups or bins. */
  function recount(entries: Entry[], now: number) {
    const from = now - (now % DAY) - 6 * DAY;
    const seen = entries.filter((e) => e.at >= from);
    const standing = seen.filter((e) => !e.takenOut);
    const completed = standing.filter((e) => e.ended === "completed").length;
    const failed = standing.filter((e) => e.ended === "failed");
    const sorted = (pick: (e: Entry) => number | null) =>
      seen
        .map(pick)
        .filter((ms) => ms !== null)
        .sort((a, b) => a - b);
    return {
      completed,
      failed: failed.length,
      missing: failed.filter((e) => e.class !== "bad_result").length,
      run: sorted((e) => e.run),
      queue: sorted((e) => e.queue),
      tokens: seen.reduce((sum, e) => sum + (e.tokens ?? 0), 0),
      cost: seen.reduce((sum, e) => sum + (e.cost ?? 0), 0),
      impl: standing.filter((e) => e.type === "impl" && e.ended !== null).length,
      m2: seen.filter((e) => e.model === "m2" && e.run !== null).length,
      variantA: standing.filter((e) => e.variant === "a" && e.ended === "completed").length,
      tracked: seen.filter((e) => e.agent !== null).length,
      trackedFailed: seen.filter((e) => e.agent !== null && e.class !== null).length,
      untracked: standing.filter((e) => e.ended !== null && e.agent === null).length,
      codex: seen.filter((e) => e.agent === "openai-codex").length,
      lastOfM2: seen.filter((e) => e.model === "m2").at(-1)?.at ?? null,
    };
  }

  function near(seconds: number, sorted: number[], share: number): void {
    const exact = (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0) / 1000;
    expect(Math.abs(seconds - exact)).toBeLessThanOrEqual(exact * 0.02 + 0.5001);
  }

  it("come to what a recount comes to, and each roll-up made again is the roll-up", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(one, { minLength: 1, maxLength: 40 }), async (events) => {
        const { deps, clock } = await virtualDeps();
        const entries: Entry[] = [];
        for (const [i, e] of events.entries()) {
          await clock.advance(e.gap);
          const at = clock.now();
          const made: Made = {
            id: `t${i}`,
            task: { task_type: e.type },
            endedTask: e.ended,
            class: e.class,
            model: e.model,
            provider: "codex",
            executor: e.executor,
            agent: e.agent,
            usage: {
              tokens_in: e.tokens,
              tokens_out: e.tokens,
              tokens_cached: null,
              cost_usd: e.cost === null ? null : e.cost / 1e6,
            },
            queue_ms: e.queue,
            run_ms: e.run,
            prompt_variant: e.variant,
            skill_version: null,
          };
          const back = e.retry ? entries.findIndex((old) => !old.takenOut && old.ended !== null) : -1;
          const old = entries[back];
          if (old) {
            const end = await Metrics.recordOfEnd(deps.store, { taskId: `t${back}`, n: numberOf(old), at: old.at });
            if (!end) throw new Error("the record of that end is gone");
            await Store.write(deps.store, Metrics.takeOut(end, at));
            old.takenOut = true;
          }
          await write(deps, made, at);
          entries.push({ ...e, at, takenOut: false });
          if (e.fold) await Metrics.fold(deps);
        }
        const answer = await Metrics.read(deps);
        const plain = recount(entries, clock.now());
        expect(answer.success_rate).toMatchObject({ completed: plain.completed, failed: plain.failed });
        expect(answer.diagnostics).toEqual({ failed: plain.failed, missing: plain.missing });
        expect(answer.usage.tokens_in ?? 0).toBe(plain.tokens);
        expect(Math.round((answer.usage.cost_usd ?? 0) * 1e6)).toBe(plain.cost);
        expect(answer.by_task_type.impl?.count ?? 0).toBe(plain.impl);
        expect(answer.by_model.m2?.count ?? 0).toBe(plain.m2);
        expect(answer.by_prompt_variant.a?.completed ?? 0).toBe(plain.variantA);
        const runs = await Metrics.runs(deps);
        expect(runs).toMatchObject({
          count: plain.tracked,
          failed: plain.trackedFailed,
          ended: plain.completed + plain.failed,
          untracked: plain.untracked,
        });
        expect(runs.by.agent.get("openai-codex")?.count ?? 0).toBe(plain.codex);
        expect(runs.models.get("m2")?.last_at ?? null).toBe(plain.lastOfM2);
        near(answer.execution_time.p50_seconds, plain.run, 0.5);
        near(answer.execution_time.p95_seconds, plain.run, 0.95);
        near(answer.queue_time.p50_seconds, plain.queue, 0.5);
        near(answer.queue_time.p95_seconds, plain.queue, 0.95);

        await clock.advance(61_000);
        await foldAll(deps);
        const folded = await rollups(deps);
        for (const { sk } of folded)
          await Metrics.rebuild(deps, Date.parse(sk.replace(/(....)(..)(..)/, "$1-$2-$3T00:00:00Z")));
        expect(await rollups(deps)).toEqual(folded);
      }),
      { numRuns: 30 },
    );
  });

  it("stay exact when transactions meet conflicts", async () => {
    const deps = await testDeps();
    injectConflicts(deps.store, 0.3);
    const counter = { pk: "TEST", sk: "counter" };
    await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        Store.tx(deps.store, (now) => [
          { kind: "update", key: counter, add: { n: 1 } },
          recordOf({ ...base, id: `t${i}` }, now),
        ]),
      ),
    );
    const { success_rate, usage } = await Metrics.read(deps);
    expect(success_rate.completed).toBe(100);
    expect(usage.tokens_in).toBe(10_000);
  });
});
