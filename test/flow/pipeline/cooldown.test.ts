import { describe, expect, it } from "vitest";
import * as Pipeline from "../../../core/flow/pipeline/index.ts";
import * as Provider from "../../../core/work/provider/index.ts";
import { react } from "../../../functions/subscribers/subscribers.ts";
import {
  attemptOf,
  attemptOnce,
  drive,
  failed,
  finished,
  inTurn,
  models,
  newTask,
  rowOf,
  scripted,
  testPipeline,
  untilStill,
  type TestPipeline,
} from "../../support/pipeline.ts";

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

describe("the half-open probe", () => {
  const cooled = async (deps: TestPipeline) => {
    await Provider.coolDown(deps, TARGET, { class: "rate_limit", message: "429" });
    await deps.clock.advance(30_000);
  };

  it("is exactly one under 32 contenders", async () => {
    const deps = await testPipeline();
    await cooled(deps);
    const admitted = await Promise.all(Array.from({ length: 32 }, () => Provider.admit(deps, TARGET)));
    expect(admitted.filter((one) => one.kind === "go")).toHaveLength(1);
    // Whoever tests it may die: the next one passes when its time is over.
    expect((await Provider.admit(deps, TARGET)).kind).toBe("cooling");
    await deps.clock.advance(Provider.PROBE_MS);
    expect((await Provider.admit(deps, TARGET)).kind).toBe("go");
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
    expect((await Provider.admit(deps, TARGET)).kind).toBe("go");
    expect((await Provider.admit(deps, TARGET)).kind).toBe("go");
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

describe("all candidates cool down", () => {
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
    await Provider.coolDown(deps, TARGET, { class: "rate_limit", message: "429" });
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
