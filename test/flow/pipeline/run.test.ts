import { describe, expect, it } from "vitest";
import * as Pipeline from "../../../core/flow/pipeline/index.ts";
import * as Routing from "../../../core/flow/routing/index.ts";
import * as Worker from "../../../core/flow/worker/index.ts";
import * as Friction from "../../../core/work/friction/index.ts";
import * as Metrics from "../../../core/work/metrics/index.ts";
import * as Provider from "../../../core/work/provider/index.ts";
import type { FailureClass } from "../../../core/work/task/index.ts";
import { react } from "../../../functions/subscribers/subscribers.ts";
import {
  attemptOf,
  attemptOnce,
  drive,
  failed,
  finished,
  held,
  inTurn,
  newTask,
  records,
  rowOf,
  models,
  scripted,
  testPipeline,
  untilStill,
  wholeOf,
  type TestPipeline,
} from "../../support/pipeline.ts";

const ALPHA = { name: "alpha", account: "none", models: models("m1") };
const served = (deps: TestPipeline) => deps.requests.map((request) => request.model);
const both = (first: Provider.RunResult, second = finished()) => [
  scripted("alpha", () => first, { models: models("a1", "a2") }),
  scripted("beta", () => second, { models: models("b1") }),
];

describe("what follows a failure of a class", () => {
  const after: [FailureClass, string[], string][] = [
    ["rate_limit", ["a1", "a2", "b1"], "completed"],
    ["quota", ["a1", "b1"], "completed"],
    ["payment", ["a1", "b1"], "completed"],
    ["auth", ["a1", "b1"], "completed"],
    ["model_not_found", ["a1", "a2", "b1"], "completed"],
    ["overloaded", ["a1", "a1", "a2", "a2", "b1"], "completed"],
    ["network", ["a1", "a1", "a2", "a2", "b1"], "completed"],
    ["stalled", ["a1", "a2", "b1"], "completed"],
    ["crash", ["a1", "a2", "b1"], "completed"],
    ["content_filter", ["a1"], "needs_decision"],
    ["bad_request", ["a1"], "needs_decision"],
    ["workspace", ["a1"], "pending"],
  ];
  it.each(after)("%s: %j, then %s", async (failure, models, status) => {
    const deps = await testPipeline({ providers: both(failed(failure)) });
    const id = await newTask(deps);
    expect((await attemptOnce(deps, id)).row.status).toBe(status);
    expect(served(deps)).toEqual(models);
    const attempt = await attemptOf(deps, id, 1);
    expect(attempt.tried.map((tried) => [tried.model, tried.class])).toEqual(
      models.filter((model) => model !== "b1").map((model) => [model, failure]),
    );
    expect(attempt.tried.map((tried) => tried.turn)).toEqual(attempt.tried.map((_, i) => i + 1));
  });

  it("a key that is refused takes along every provider it pays for, however many models they have", async () => {
    const deps = await testPipeline({
      providers: [
        scripted("alpha", () => failed("auth"), { models: models("a1", "a2", "a3"), account: "aaaaaaaa" }),
        scripted("alpha-too", () => finished(), { models: models("t1", "t2", "t3"), account: "aaaaaaaa" }),
        scripted("beta", () => finished(), { models: models("b1") }),
      ],
    });
    const id = await newTask(deps);
    expect((await attemptOnce(deps, id)).row.status).toBe("completed");
    expect(served(deps)).toEqual(["a1", "b1"]);
  });

  it("an attempt sends five after the first; the budget names itself, and the next attempt goes on", async () => {
    const names = ["a1", "a2", "a3", "a4", "a5", "a6", "a7"];
    const deps = await testPipeline({
      providers: names.map((name) => scripted(name, () => failed("rate_limit"), { models: models(name) })),
    });
    const id = await newTask(deps);
    const first = await attemptOnce(deps, id);
    expect(served(deps)).toEqual(names.slice(0, 6));
    expect(first.row).toMatchObject({ status: "pending", tries: 0 });
    expect(first.row.wait_reason).toMatch(/^a6: the 5 fallbacks of an attempt are spent; the last was a6 a6/);
    await deps.clock.advance(15_000);
    expect(await Pipeline.dispatch(deps)).toEqual([id]);
    await drive(deps, id, 2);
    expect(served(deps)).toEqual(names);
  });

  it("a persistent 503 is six requests an attempt, however many could be asked: once more to the same one counts", async () => {
    const names = ["a1", "a2", "a3", "a4", "a5", "a6", "a7"];
    const deps = await testPipeline({
      providers: names.map((name) => scripted(name, () => failed("overloaded"), { models: models(name) })),
    });
    const id = await newTask(deps);
    const { row } = await attemptOnce(deps, id);
    expect(served(deps)).toEqual(["a1", "a1", "a2", "a2", "a3", "a3"]);
    expect(row).toMatchObject({ status: "pending", tries: 0 });
    expect(row.wait_reason).toContain("the 5 fallbacks of an attempt are spent");
  });

  it("a bad result behind five fallbacks spends its try", async () => {
    const deps = await testPipeline({
      providers: [
        ...["a1", "a2"].map((name) => scripted(name, () => failed("overloaded"), { models: models(name) })),
        ...["c1", "c2", "c3"].map((name) => scripted(name, () => failed("crash"), { models: models(name) })),
      ],
    });
    const { row, parts } = await attemptOnce(deps, await newTask(deps));
    expect(served(deps)).toEqual(["a1", "a1", "a2", "a2", "c1", "c2"]);
    expect(row).toMatchObject({ status: "pending", tries: 1 });
    expect(parts.error?.message).toMatch(/^the 5 fallbacks of an attempt are spent; the last was c2 c2/);
  });

  it("context_length goes to a larger window only", async () => {
    const wide = models("w1").map((model) => ({ ...model, context_window: 1_000_000 }));
    const deps = await testPipeline({
      providers: [...both(failed("context_length")), scripted("wide", () => finished(), { models: wide })],
    });
    await attemptOnce(deps, await newTask(deps));
    expect(served(deps)).toEqual(["a1", "w1"]);
  });

  it.each<[number, string[]]>([
    [5000, ["a1", "a1"]],
    [5001, ["a1", "a2", "b1"]],
  ])("a 429 with Retry-After %i ms: %j", async (retry_after_ms, order) => {
    const limited = failed({ class: "rate_limit", message: "429", retry_after_ms });
    const answer = inTurn(limited, retry_after_ms <= 5000 ? finished() : limited);
    const deps = await testPipeline({
      providers: [
        scripted("alpha", answer, { models: models("a1", "a2") }),
        scripted("beta", () => finished(), { models: models("b1") }),
      ],
    });
    const begun = deps.clock.now();
    await attemptOnce(deps, await newTask(deps));
    expect(served(deps)).toEqual(order);
    expect(deps.clock.now() - begun).toBe(retry_after_ms <= 5000 ? retry_after_ms : 0);
  });

  it("a cooldown is shared: the next task passes the provider over, and says why", async () => {
    const deps = await testPipeline({ providers: both(failed("quota")) });
    await attemptOnce(deps, await newTask(deps));
    deps.requests.length = 0;
    const id = await newTask(deps);
    await attemptOnce(deps, id);
    expect(served(deps)).toEqual(["b1"]);
    expect((await attemptOf(deps, id, 1)).skipped).toMatchObject([
      { provider: "alpha", model: "a1", class: "quota", reason: "cooling down after quota" },
      { provider: "alpha", model: "a2" },
    ]);
  });

  it("friction is one episode however often it is met, and closes when the provider serves again", async () => {
    const deps = await testPipeline({
      providers: [scripted("alpha", inTurn(failed("network"), failed("network"), finished()))],
    });
    const id = await newTask(deps);
    await attemptOnce(deps, id);
    expect(await Friction.openEpisodes(deps)).toMatchObject([{ provider: "alpha", reason: "network", count: 2 }]);
    expect((await attemptOnce(deps, id)).row.status).toBe("completed");
    expect(await Friction.openEpisodes(deps)).toEqual([]);
  });
});

describe("when nobody serves", () => {
  it("parks until the first cooldown is over, spends nothing, and then goes on", async () => {
    const deps = await testPipeline({
      providers: [scripted("alpha", inTurn(failed("rate_limit"), finished()))],
    });
    const id = await newTask(deps);
    const { row } = await attemptOnce(deps, id);
    expect(row).toMatchObject({ status: "pending", tries: 0, stalls: 0 });
    expect((row.retry_not_before ?? 0) - deps.clock.now()).toBe(30_000);
    expect(row.wait_reason).toContain("rate_limit");
    await deps.clock.advance(30_000);
    expect(await Pipeline.dispatch(deps)).toEqual([id]);
    await drive(deps, id, 2);
    expect((await rowOf(deps, id)).status).toBe("completed");
  });

  it("a park without a candidate counts as nothing run", async () => {
    const deps = await testPipeline({
      providers: [scripted("cli", () => finished(), { capabilities: { where: "machine" } as never })],
    });
    const { row } = await attemptOnce(deps, await newTask(deps));
    expect(row).toMatchObject({
      status: "pending",
      parks: 1,
      wait_reason: expect.stringContaining("no live worker") as string,
    });
    expect(await records(deps)).toMatchObject([{ run_ms: null, tried: 0, status: null }]);
    expect((await Metrics.read(deps)).execution_time.p50_seconds).toBe(0);
  });

  it("asks a person when only he can help, with each reason and remedy; his answer begins it again", async () => {
    const deps = await testPipeline({ unready: ["alpha"] });
    const id = await newTask(deps);
    const { row } = await attemptOnce(deps, id);
    expect(row).toMatchObject({ status: "needs_decision", decision_options: ["retry"], tries: 0 });
    expect(row.decision_prompt).toContain("OPENAI_API_KEY is not set");
    await Provider.saveReadiness(deps, ALPHA, { ready: true, detail: "" });
    await Pipeline.decide(deps, id, "retry");
    expect((await attemptOnce(deps, id)).row.status).toBe("completed");
  });

  it("a probe that failed for a moment asks nobody: the task waits, and the next good probe wakes it", async () => {
    const deps = await testPipeline();
    const away = { ready: false, detail: "could not be reached", remedy: "Check it.", transient: true } as const;
    await Provider.saveReadiness(deps, ALPHA, away);
    const id = await newTask(deps);
    const { row } = await attemptOnce(deps, id);
    expect(row).toMatchObject({ status: "pending", tries: 0, parks: 1, wait_reason: "alpha: could not be reached" });
    deps.published.length = 0;
    await Provider.probeDue(deps, deps.providers.all());
    expect(deps.published).toEqual([{ type: "provider.ready", provider: "alpha" }]);
    await react(deps, { dispatch() {}, tick() {} }, { type: "provider.ready", provider: "alpha" });
    expect(await Pipeline.dispatch(deps)).toEqual([id]);
    await drive(deps, id, 2);
    expect((await rowOf(deps, id)).status).toBe("completed");
  });

  it("a set-up that fails for a moment waits three times, then asks", async () => {
    const deps = await testPipeline({ providers: [scripted("alpha", () => failed("workspace"))] });
    const id = await newTask(deps);
    for (const parks of [1, 2, 3]) {
      expect((await attemptOnce(deps, id)).row).toMatchObject({ status: "pending", parks, tries: 0 });
      await deps.clock.advance(Routing.unknownWait(parks));
    }
    expect((await attemptOnce(deps, id)).row).toMatchObject({ status: "needs_decision", tries: 0 });
  });

  it("FAILURES 36: a task that names a provider nobody knows asks, naming those there are", async () => {
    const deps = await testPipeline();
    const { row } = await attemptOnce(deps, await newTask(deps, { context: { provider: "nobody" } }));
    expect(row.status).toBe("needs_decision");
    expect(row.decision_prompt).toContain("Name one of: alpha.");
    expect(deps.requests).toEqual([]);
  });

  it("one provider that fails a few times and is then well: the task waits, spends no try, and is done", async () => {
    const deps = await testPipeline({
      providers: [scripted("only", inTurn(failed("stalled"), failed("stalled"), finished()))],
    });
    const begun = deps.clock.now();
    const id = await newTask(deps);
    await untilStill(deps);
    expect(await rowOf(deps, id)).toMatchObject({ status: "completed", tries: 0, parks: 0 });
    expect(served(deps)).toHaveLength(3);
    expect(deps.clock.now() - begun).toBeLessThanOrEqual(60_000);
  });

  it("one that stays so is asked ever more seldom, and the task waits for it", async () => {
    const deps = await testPipeline({ providers: [scripted("only", () => failed("stalled"))] });
    const begun = deps.clock.now();
    const id = await newTask(deps);
    // Dispatch, drive, until it is due: forty times.
    await untilStill(deps, 80);
    expect(await rowOf(deps, id)).toMatchObject({ status: "pending", tries: 0, stalls: 0 });
    // Three to open it, then its cooldown doubles to five minutes.
    const minutes = (deps.clock.now() - begun) / 60_000;
    expect(served(deps).length).toBeLessThanOrEqual(8 + minutes / 5);
  });

  it("an agent that is never done in time spends the tries", async () => {
    const deps = await testPipeline({
      env: { AGENT_TASK_TIMEOUT: "60" },
      providers: [
        scripted(
          "slow",
          (_, signal) =>
            new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(new Error("aborted")))),
        ),
      ],
    });
    const id = await newTask(deps);
    for (const goes of [1, 2]) {
      const driven = attemptOnce(deps, id);
      while (deps.requests.length < goes) await new Promise((resolve) => setImmediate(resolve));
      await deps.clock.advance(60_000);
      await driven;
    }
    const { row, parts } = await wholeOf(deps, id);
    expect(row).toMatchObject({ status: "failed", tries: 2 });
    expect(parts.error).toMatchObject({ class: "stalled" });
    expect(parts.error?.message).toContain("was not done within 60 s");
  });

  it("crashes that cool nothing down spend the tries, and the task fails with what happened", async () => {
    const deps = await testPipeline({ providers: [scripted("alpha", () => failed("crash"))] });
    const id = await newTask(deps);
    await attemptOnce(deps, id);
    expect(await rowOf(deps, id)).toMatchObject({ status: "pending", tries: 1 });
    const { row, parts } = await attemptOnce(deps, id);
    expect(row.status).toBe("failed");
    expect(parts.error).toMatchObject({
      class: "crash",
      message: expect.stringContaining("all 2 tries are spent") as string,
    });
  });

  it("a worker that leaves between the plan and the offer costs no try", async () => {
    const deps = await testPipeline({
      providers: [scripted("cli", () => finished(), { capabilities: { where: "machine" } as never })],
    });
    await Worker.register(deps, { id: "w", capabilities: ["cli"], capacity: 1 });
    const one = await held(deps);
    const planned = await Pipeline.plan(deps, { taskId: one.id, attempt: one.attempt });
    expect(planned.kind).toBe("machine");
    await Worker.leave(deps, "w");
    await drive(deps, one.id, one.attempt);
    expect(await rowOf(deps, one.id)).toMatchObject({ status: "pending", tries: 0, parks: 1 });
  });

  it("with a free worker the order waits for it, in a slot of its own", async () => {
    const deps = await testPipeline({
      providers: [scripted("cli", () => finished(), { capabilities: { where: "machine" } as never })],
    });
    await Worker.register(deps, { id: "w", capabilities: ["cli"], capacity: 1 });
    const one = await held(deps);
    expect((await drive(deps, one.id, one.attempt)).kind).toBe("machine");
    expect((await Worker.find(deps, "w"))?.slots).toEqual([{ task: one.id, attempt: 1, turn: 1, token: "token" }]);
    const next = await held(deps);
    await drive(deps, next.id, next.attempt);
    expect(await rowOf(deps, next.id)).toMatchObject({ status: "pending", parks: 1 });
  });
});

describe("escalation", () => {
  it("a try that was spent makes the next attempt begin with the stronger model", async () => {
    const deps = await testPipeline({
      providers: [
        scripted("alpha", inTurn(failed("crash"), failed("crash"), finished()), { models: models("small", "large") }),
      ],
    });
    const id = await newTask(deps);
    await attemptOnce(deps, id);
    await attemptOnce(deps, id);
    expect(served(deps)).toEqual(["small", "large", "large"]);
  });
});

describe("FAILURES 14: why it stopped outranks what it said", () => {
  it("an agent that is not done in time is stalled, whatever it would have answered", async () => {
    let waiting = false;
    const deps = await testPipeline({
      env: { AGENT_TASK_TIMEOUT: "60" },
      providers: [
        scripted("alpha", (_, signal) => {
          waiting = true;
          return new Promise((_resolve, reject) => {
            const stop = () => reject(new Error("aborted"));
            signal.addEventListener("abort", stop, { once: true });
          });
        }),
        scripted("beta", () => finished()),
      ],
    });
    const one = await held(deps);
    const driven = drive(deps, one.id, one.attempt);
    while (!waiting) await new Promise((resolve) => setImmediate(resolve));
    await deps.clock.advance(60_000);
    await driven;
    expect((await attemptOf(deps, one.id, 1)).tried).toMatchObject([{ provider: "alpha", class: "stalled" }]);
    expect(await rowOf(deps, one.id)).toMatchObject({ status: "completed", model: "beta/m1" });
  });

  it("a provider that throws is a fault of ours, recorded as such, never a success", async () => {
    const deps = await testPipeline({
      providers: [
        scripted("alpha", () => {
          throw new Error("boom");
        }),
      ],
    });
    const { row } = await attemptOnce(deps, await newTask(deps));
    expect(row.status).toBe("needs_decision");
    expect(row.decision_prompt).toContain("boom");
  });
});

describe("FAILURES 7: words in an output mean nothing", () => {
  it.each<[string, Provider.RunResult, string]>([
    ["a verdict of fail", finished({ verdict: "fail", summary: "APPROVED, all ok" }), "rejected"],
    [
      "a verdict of pass over words of failure",
      finished({ verdict: "pass", summary: "2 failed, rejected, error" }),
      "passed",
    ],
  ])("a review with %s is %s", async (_name, result, kind) => {
    const deps = await testPipeline({ providers: [scripted("alpha", () => result)] });
    const id = await newTask(deps, { task_type: "review" });
    await attemptOnce(deps, id);
    expect((await attemptOf(deps, id, 1)).outcome).toEqual({ kind });
  });
});

describe("what is kept of an attempt", () => {
  it("the prompt's hash and variant, usage of every candidate, and a log with header and footer", async () => {
    const deps = await testPipeline({ providers: both(failed("payment")) });
    const id = await newTask(deps);
    await attemptOnce(deps, id);
    const attempt = await attemptOf(deps, id, 1);
    expect(attempt.prompt_sha).toMatch(/^[0-9a-f]{64}$/);
    expect(attempt.prompt_variant).toMatch(/^impl@/);
    expect(await records(deps)).toMatchObject([
      { provider: "beta", model: "beta/b1", tried: 2, tokens_in: 200, tokens_out: 20, cost_usd: 0.002 },
    ]);
    const { readLog } = await import("../../../core/work/attempt/index.ts");
    const { text = "" } = (await readLog(deps.store, id)) ?? {};
    expect(text.match(/^# duration_seconds=/gm)).toHaveLength(2);
    expect(text).toContain("status=failed (payment)");
    expect(text.trimEnd().endsWith("exit=0 status=passed")).toBe(true);
  });

  it.each<[string, Record<string, unknown>, object]>([
    [
      "its context's labels",
      { skill_version: "v2", tags: { team: "a" } },
      { skill_version: "v2", tags: { team: "a" } },
    ],
    ["no label that is none", { skill_version: 7, tags: { a: ["b"] } }, {}],
    ["no label that is too long", { skill_version: "x".repeat(81), tags: { a: "x".repeat(81) } }, {}],
  ])("an attempt remembers %s", async (_name, context, labels) => {
    const deps = await testPipeline();
    const id = await newTask(deps, { context });
    await attemptOnce(deps, id);
    const { skill_version, tags } = await attemptOf(deps, id, 1);
    expect({ ...(skill_version && { skill_version }), ...(tags && { tags }) }).toEqual(labels);
    const { by_skill_version } = await Metrics.read(deps);
    expect(Object.keys(by_skill_version)).toEqual("skill_version" in labels ? ["v2"] : []);
  });

  it("unknown usage is unknown, not zero", async () => {
    const none = { tokens_in: null, tokens_out: null, tokens_cached: null, cost_usd: null };
    const deps = await testPipeline({ providers: [scripted("alpha", () => finished({}, none))] });
    await attemptOnce(deps, await newTask(deps));
    expect(await records(deps)).toMatchObject([{ tokens_in: null, cost_usd: null }]);
    expect((await Metrics.read(deps)).usage).toMatchObject({ tokens_in: null, coverage: 0 });
  });

  it("FAILURES 15, 34: 10 MB of output and rubbish in the context: a small task, an end that can be read", async () => {
    const huge = { ...finished(), output: `${"x".repeat(10_000_000)} \ud83d THE END` };
    const deps = await testPipeline({ providers: [scripted("alpha", () => huge)] });
    const context = { max_runtime_seconds: "soon", provider: 5, executor: [], backlog: null };
    const id = await newTask(deps, { context });
    const one = await attemptOnce(deps, id);
    expect(one.row).toMatchObject({ status: "completed" });
    const { parts } = await wholeOf(deps, id);
    expect(Buffer.byteLength(parts.output ?? "")).toBeLessThanOrEqual(32 * 1024);
    expect(parts.output?.endsWith("THE END")).toBe(true);
  });
});

describe("the project's own simulated provider", () => {
  const simulated = () =>
    Provider.create({ clock: { ...testClock }, home: "/nonexistent", hostEnv: {}, settings: {} }).get("simulated");
  const testClock = {
    now: () => 0,
    sleep: async () => {},
    after: () => () => {},
    every: () => () => {},
  };

  it("plays when it is named or in the scratch repository, and is never taken for real work", async () => {
    const real = scripted("alpha", () => failed("auth"));
    for (const [options, context, status] of [
      [{}, {}, "needs_decision"],
      [{ allowSimulated: true }, {}, "completed"],
      [{ pin: "simulated" }, {}, "completed"],
      [{}, { provider: "simulated" }, "completed"],
    ] as const) {
      const deps = await testPipeline({ providers: [real, simulated()], ...options });
      const { row } = await attemptOnce(deps, await newTask(deps, { context }));
      expect([JSON.stringify(options), JSON.stringify(context), row.status]).toEqual([
        JSON.stringify(options),
        JSON.stringify(context),
        status,
      ]);
      if (status === "completed") expect(row.model).toMatch(/^simulated\//);
    }
  });
});
