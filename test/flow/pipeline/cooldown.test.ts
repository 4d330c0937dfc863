import { describe, expect, it } from "vitest";
import * as Pipeline from "../../../core/flow/pipeline/index.ts";
import type * as Worker from "../../../core/flow/worker/index.ts";
import * as Provider from "../../../core/work/provider/index.ts";
import * as Task from "../../../core/work/task/index.ts";
import { react } from "../../../functions/subscribers/subscribers.ts";
import {
  attemptOf,
  attemptOnce,
  coolDown,
  drive,
  failed,
  finished,
  inTurn,
  models,
  newTask,
  NOON,
  rowOf,
  scripted,
  testPipeline,
  untilStill,
  type TestPipeline,
} from "../../support/pipeline.ts";
import { between } from "../../support/wire.ts";

const TARGET: Provider.Target = { provider: "alpha", account: "none", model: "m1" };
const MINUTE = 60_000;

const asked = (deps: TestPipeline, model: string) => deps.requests.filter((request) => request.model === model);

describe("a dead primary", () => {
  it.each<[string, Provider.RunResult, number]>([
    ["429", failed("rate_limit"), 1],
    ["401", failed("auth"), 1],
    ["402", failed("payment"), 1],
    // Three in a row are what opens it; the first is asked once more at once.
    ["503", failed("overloaded"), 3],
  ])("that answers %s is asked %s… at most once a cooldown across 100 tasks", async (_status, answer, toOpen) => {
    const deps = await testPipeline({
      providers: [
        scripted("alpha", () => answer, { models: models("dead") }),
        scripted("beta", () => finished(), { models: models("well") }),
      ],
    });
    const begun = deps.clock.now();
    for (let i = 0; i < 100; i++) {
      expect((await attemptOnce(deps, await newTask(deps))).row.status).toBe("completed");
      await deps.clock.advance(3_000);
    }
    const minutes = (deps.clock.now() - begun) / MINUTE;
    // 30 s doubling to 15 min, 15 s doubling to 5 min: in five minutes at most five of them end.
    expect(minutes).toBeLessThan(6);
    expect(asked(deps, "dead").length).toBeLessThanOrEqual(toOpen + 5);
    expect(asked(deps, "well")).toHaveLength(100);
  });

  it("is asked by no more than were under way when it died", async () => {
    const deps = await testPipeline({
      env: { AGENT_RUNNER_WORKERS: "5" },
      providers: [
        scripted("alpha", () => failed("rate_limit"), { models: models("dead") }),
        scripted("beta", () => finished(), { models: models("well") }),
      ],
    });
    const ids = await Promise.all(Array.from({ length: 100 }, () => newTask(deps)));
    await untilStill(deps);
    for (const id of ids) expect((await rowOf(deps, id)).status).toBe("completed");
    expect(asked(deps, "dead").length).toBeLessThanOrEqual(5);
  });

  it("leaves the other models of its key alone when the key itself is out", async () => {
    const shared = { account: "k1" };
    const deps = await testPipeline({
      providers: [
        scripted("alpha", () => failed("quota"), { models: models("a1", "a2"), ...shared }),
        // Another door to the same account.
        scripted("beta", () => finished(), { models: models("b1"), ...shared }),
        scripted("gamma", () => finished(), { models: models("g1"), account: "k2" }),
      ],
    });
    expect((await attemptOnce(deps, await newTask(deps))).row.status).toBe("completed");
    expect(deps.requests.map((request) => request.model)).toEqual(["a1", "g1"]);
  });
});

async function cooled(deps: TestPipeline): Promise<void> {
  await coolDown(deps, TARGET, { class: "rate_limit", message: "429" });
  await deps.clock.advance(30_000);
}

describe("the half-open probe", () => {
  it("is exactly one under 32 contenders", async () => {
    const deps = await testPipeline();
    await cooled(deps);
    const admitted = await Promise.all(Array.from({ length: 32 }, (_, i) => Provider.admit(deps, TARGET, `task/${i}`)));
    expect(admitted.filter((one) => one.kind === "go")).toHaveLength(1);
    // Whoever tests it may die: the next one passes when its time is over.
    expect((await Provider.admit(deps, TARGET, "another/1")).kind).toBe("cooling");
    await deps.clock.advance(Provider.PROBE_MS);
    expect((await Provider.admit(deps, TARGET, "another/1")).kind).toBe("go");
  });

  it("is one of 32 attempts that were planned when its cooldown ended; the others are served by the fallback", async () => {
    let release = () => {};
    const tested = new Promise<void>((resolve) => (release = resolve));
    const deps = await testPipeline({
      providers: [
        scripted("alpha", async () => (await tested, finished()), { models: models("m1") }),
        scripted("beta", () => finished(), { models: models("b1") }),
      ],
    });
    await cooled(deps);
    const ids = await Promise.all(Array.from({ length: 32 }, () => newTask(deps)));
    const runs = ids.map((id) => attemptOnce(deps, id));
    await Promise.race(runs);
    while (asked(deps, "b1").length < 31) await Promise.race([tested, new Promise((resolve) => setImmediate(resolve))]);
    expect(asked(deps, "m1")).toHaveLength(1);
    release();
    const rows = (await Promise.all(runs)).map((whole) => whole.row);
    expect(rows.every((row) => row.status === "completed")).toBe(true);
    const attempts = await Promise.all(ids.map((id) => attemptOf(deps, id, 1)));
    expect(attempts.filter((one) => one.tried.some((t) => t.class === "cooling")).length).toBeLessThanOrEqual(31);
    // Its success opened it for all.
    expect((await Provider.admit(deps, TARGET, "another/1")).kind).toBe("go");
    expect((await Provider.admit(deps, TARGET, "another/1")).kind).toBe("go");
  });

  it("that fails again doubles the cooldown", async () => {
    const deps = await testPipeline({
      providers: [scripted("alpha", () => failed("rate_limit"), { models: models("m1") })],
    });
    await cooled(deps);
    await attemptOnce(deps, await newTask(deps));
    const [row] = (await Provider.health(deps)).cooldowns;
    expect(row).toMatchObject({ length: 60_000, until: deps.clock.now() + 60_000 });
  });
});

describe("the half-open probe of a long run", () => {
  /** Alpha's cooldown is over, and one run of it goes on until it is let go. */
  async function probing() {
    let release = () => {};
    const tested = new Promise<void>((resolve) => (release = resolve));
    const deps = await testPipeline({
      providers: [scripted("alpha", async () => (await tested, finished()), { models: models("m1") })],
    });
    await coolDown(deps, TARGET, { class: "rate_limit", message: "429" });
    await deps.clock.advance(30_000);
    const run = attemptOnce(deps, await newTask(deps));
    while (asked(deps, "m1").length === 0) await new Promise((resolve) => setImmediate(resolve));
    return { deps, release, run };
  }

  it("stays the only one as long as its lease is renewed", async () => {
    const { deps, release, run } = await probing();
    for (let second = 0; second < 300; second += 5) {
      await deps.clock.advance(5_000);
      expect((await Provider.admit(deps, TARGET, "another/1")).kind).toBe("cooling");
    }
    release();
    await run;
    expect((await Provider.admit(deps, TARGET, "another/1")).kind).toBe("go");
  });

  it("passes again when it is entered again", async () => {
    const deps = await testPipeline();
    await cooled(deps);
    expect(await Provider.admit(deps, TARGET, "mine/1")).toEqual({ kind: "go", tests: true });
    expect((await Provider.admit(deps, TARGET, "another/1")).kind).toBe("cooling");
    expect(await Provider.admit(deps, TARGET, "mine/1")).toEqual({ kind: "go", tests: true });
  });
});

describe("what runs at once do to a cooldown", () => {
  it("a success that read before a 429 does not erase it", async () => {
    const deps = await testPipeline();
    const limited = { class: "rate_limit", message: "429", retry_after_ms: 600_000 } as const;
    await coolDown(deps, TARGET, { class: "overloaded", message: "503" });
    const { cooldowns: before } = await Provider.health(deps);
    await coolDown(deps, TARGET, limited);
    await Provider.served(deps, TARGET, before);
    expect((await Provider.health(deps)).cooldowns).toMatchObject([{ until: deps.clock.now() + 600_000 }]);
  });

  it("of failures at once the longest stays", async () => {
    let inside = 0;
    let release = () => {};
    const all = new Promise<void>((resolve) => (release = resolve));
    const deps = await testPipeline({
      providers: [
        scripted("alpha", async (request) => {
          if (++inside === 8) release();
          await all;
          const retry_after_ms = request.task.direction === "long" ? 600_000 : 10_000;
          return failed({ class: "rate_limit", message: "429", retry_after_ms });
        }),
      ],
    });
    const ids = await Promise.all(
      Array.from({ length: 8 }, (_, i) => newTask(deps, { direction: i === 3 ? "long" : "short" })),
    );
    const begun = deps.clock.now();
    await Promise.all(ids.map((id) => attemptOnce(deps, id)));
    const [row] = (await Provider.health(deps)).cooldowns;
    expect(row?.streak).toBe(8);
    expect(row?.until).toBeGreaterThanOrEqual(begun + 600_000);
  });

  it("a failure is counted with its record: a step that is cut off between them and comes again counts it once", async () => {
    const deps = await testPipeline({ providers: [scripted("alpha", () => failed("auth"))] });
    const stop = between(deps.store, async (operation, input, next) => {
      const done = await next();
      // The step dies behind its first write of a cooldown or of what was tried.
      if (operation === "TransactWriteItems" && JSON.stringify(input).includes("failed_turn"))
        throw new Error("killed");
      return done;
    });
    await expect(attemptOnce(deps, await newTask(deps))).rejects.toThrow("killed");
    stop();
    expect((await Provider.health(deps)).cooldowns).toMatchObject([{ class: "auth", streak: 1 }]);
  });
});

describe("what ends a cooldown", () => {
  const CODEX = { provider: "codex", account: "k1", model: "m" };

  it("that one provider met, readiness of any that the same key pays for", async () => {
    const deps = await testPipeline();
    await coolDown(deps, CODEX, { class: "auth", message: "401" });
    await Provider.saveReadiness(deps, { name: "other", account: "k2", models: [] }, { ready: true, detail: "" });
    expect((await Provider.admit(deps, CODEX, "a/1")).kind).toBe("cooling");
    await Provider.saveReadiness(deps, { name: "openai", account: "k1", models: [] }, { ready: true, detail: "" });
    expect(await Provider.admit(deps, CODEX, "a/1")).toEqual({ kind: "go", tests: true });
  });

  it("an operator who resumes the provider: one run tests it", async () => {
    const deps = await testPipeline();
    await coolDown(deps, TARGET, { class: "rate_limit", message: "429", retry_after_ms: 3_600_000 });
    await Pipeline.resume(deps, { kind: "provider", provider: "alpha" });
    expect(await Provider.admit(deps, TARGET, "a/1")).toEqual({ kind: "go", tests: true });
    expect((await Provider.admit(deps, TARGET, "b/1")).kind).toBe("cooling");
  });

  it("not what the pipeline came to by itself: a question before anybody was asked says nothing of the target", async () => {
    const deps = await testPipeline({ providers: [scripted("alpha", () => finished())] });
    await cooled(deps);
    const asks: Task.Outcome = {
      kind: "question",
      question: { prompt: "Your branch and ours conflict.", options: ["done"] },
    };
    const unasked = {
      ...deps,
      carryOut: (_: Worker.Order, report: Worker.Report) => report.outcome(asks, null, "", Task.NOTHING),
    };
    expect((await attemptOnce(unasked, await newTask(deps))).row.status).toBe("needs_decision");
    expect((await Provider.health(deps)).cooldowns).toHaveLength(1);
    await deps.clock.advance(MINUTE * 10);
    expect((await attemptOnce(deps, await newTask(deps))).row.status).toBe("completed");
    expect((await Provider.health(deps)).cooldowns).toEqual([]);
  });

  it("an answer that was good for nothing: the target is well", async () => {
    const deps = await testPipeline({ providers: [scripted("alpha", () => failed("bad_result"))] });
    await cooled(deps);
    await attemptOnce(deps, await newTask(deps));
    expect(await Provider.admit(deps, TARGET, "a/1")).toEqual({ kind: "go", tests: false });
  });
});

describe("all candidates cool down", () => {
  it("the return of any of them wakes the task, not only of the one that was expected first", async () => {
    const deps = await testPipeline({
      providers: [
        scripted("alpha", inTurn(failed("auth"), finished()), { account: "k1", models: models("a1") }),
        scripted("beta", () => failed({ class: "quota", message: "", resets_at: NOON + 5 * 3_600_000 }), {
          account: "k2",
          models: models("b1"),
        }),
      ],
    });
    const id = await newTask(deps);
    expect((await attemptOnce(deps, id)).row.wait_reason).toMatch(/^beta/);
    await Provider.saveReadiness(deps, deps.providers.get("alpha"), { ready: true, detail: "the key was mended" });
    for (const event of deps.published) await react(deps, { dispatch: () => {}, tick: () => {} }, event);
    await untilStill(deps);
    expect(await rowOf(deps, id)).toMatchObject({ status: "completed", model: "alpha/a1" });
    expect(deps.clock.now()).toBeLessThan(NOON + MINUTE);
  });

  it("the task waits for the first that returns, no budget is spent, and it is done within a minute of it", async () => {
    const deps = await testPipeline({
      providers: [
        scripted(
          "alpha",
          inTurn(failed({ class: "rate_limit", message: "429", retry_after_ms: 600_000 }), finished()),
          {
            models: models("a1"),
          },
        ),
        scripted("beta", inTurn(failed({ class: "rate_limit", message: "429", retry_after_ms: 300_000 }), finished()), {
          models: models("b1"),
        }),
      ],
    });
    const begun = deps.clock.now();
    const id = await newTask(deps);
    const { row } = await attemptOnce(deps, id);
    expect(row).toMatchObject({ status: "pending", tries: 0, stalls: 0, retry_not_before: begun + 300_000 });
    await untilStill(deps);
    const done = await rowOf(deps, id);
    expect(done).toMatchObject({ status: "completed", model: "beta/b1", tries: 0 });
    expect(deps.clock.now() - (begun + 300_000)).toBeLessThanOrEqual(MINUTE);
  });

  it("those turned away by a probe are woken when it was served", async () => {
    let release = () => {};
    const tested = new Promise<void>((resolve) => (release = resolve));
    const deps = await testPipeline({
      providers: [scripted("alpha", async () => (await tested, finished()), { models: models("m1") })],
    });
    await coolDown(deps, TARGET, { class: "rate_limit", message: "429" });
    await deps.clock.advance(30_000);
    const [first, ...others] = await Promise.all(Array.from({ length: 8 }, () => newTask(deps)));
    const probe = attemptOnce(deps, first as string);
    while (asked(deps, "m1").length === 0) await new Promise((resolve) => setImmediate(resolve));
    for (const id of others) {
      const { row } = await attemptOnce(deps, id);
      expect(row).toMatchObject({ status: "pending", tries: 0 });
      expect((row.retry_not_before ?? 0) - deps.clock.now()).toBeLessThanOrEqual(MINUTE);
    }
    release();
    await probe;
    for (const event of deps.published) await react(deps, { dispatch: () => {}, tick: () => {} }, event);
    const started = await Pipeline.dispatch(deps);
    expect(started.length).toBeGreaterThan(0);
    await Promise.all(started.map(async (id) => drive(deps, id, (await rowOf(deps, id)).att)));
    await untilStill(deps);
    for (const id of others) expect((await rowOf(deps, id)).status).toBe("completed");
  });
});

describe("a provider that flaps", () => {
  it("is left for the fallback while it is down and used again within 30 s of being well", async () => {
    let well = true;
    const deps = await testPipeline({
      providers: [
        scripted("alpha", () => (well ? finished() : failed("overloaded")), { models: models("a1") }),
        scripted("beta", () => finished(), { models: models("b1") }),
      ],
    });
    for (let outage = 0; outage < 3; outage++) {
      well = false;
      for (let s = 0; s < 20; s++) {
        expect((await attemptOnce(deps, await newTask(deps))).row.status).toBe("completed");
        await deps.clock.advance(1_000);
      }
      well = true;
      const since = deps.clock.now();
      while (!(await rowOf(deps, (await attemptOnce(deps, await newTask(deps))).row.id)).model?.startsWith("alpha"))
        await deps.clock.advance(1_000);
      expect(deps.clock.now() - since).toBeLessThanOrEqual(30_000);
    }
  });
});
