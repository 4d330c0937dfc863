import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import * as Pipeline from "../../core/flow/pipeline/index.ts";
import * as Clock from "../../core/ground/clock.ts";
import * as Store from "../../core/ground/store/index.ts";
import { Keys } from "../../core/ground/store/index.ts";
import { nameOf } from "../../core/ground/workflow/index.ts";
import * as Attempt from "../../core/work/attempt/index.ts";
import * as Provider from "../../core/work/provider/index.ts";
import { LIMITS } from "../../functions/runner/definition.ts";
import { MAX_STATE_BYTES } from "../../functions/local/workflow.ts";
import {
  attemptOf,
  failed,
  finished,
  newTask,
  partition,
  rowOf,
  scripted,
  stepping,
  USAGE,
  wholeOf,
} from "../support/pipeline.ts";
import { largestState, machineFor, path, realClock, until, withMachine, type Machine } from "./workflow-support.ts";

const ROUND = ["Outcome?", "RecordFailure", "Candidate?"];

describe("a task through the state machine", () => {
  test("that succeeds takes five transitions and ends its attempt", async () => {
    const deps = await withMachine();
    const row = await deps.through();
    expect(row.status).toBe("completed");
    expect(path(deps, row)).toEqual(["Plan", "Candidate?", "Invoke", "Outcome?", "Settle"]);
    expect(deps.machine.transitions()).toBe(5);
    expect(deps.ends).toEqual([]);
    const attempt = await attemptOf(deps, row.id, 1);
    expect(attempt.end).toMatchObject({ status: "completed", class: null });
    expect(attempt.turn).toBe(1);
  });

  test("whose first candidate answers 429 is served by the second; both are kept", async () => {
    const deps = await withMachine({
      providers: [scripted("alpha", () => failed("rate_limit")), scripted("beta", () => finished())],
    });
    const row = await deps.through();
    expect(row).toMatchObject({ status: "completed", model: "beta/m1" });
    expect(path(deps, row)).toEqual(["Plan", "Candidate?", "Invoke", ...ROUND, "Invoke", "Outcome?", "Settle"]);
    const attempt = await attemptOf(deps, row.id, 1);
    expect(attempt.tried).toMatchObject([{ provider: "alpha", class: "rate_limit", turn: 1, usage: USAGE }]);
    expect(attempt).toMatchObject({ chosen: 1, turn: 2, outcome_turn: 2 });
    const { cooldowns } = await Provider.health(deps);
    expect(cooldowns).toMatchObject([{ provider: "alpha", class: "rate_limit" }]);
  });

  test("that nobody serves, and somebody will by himself, is parked until then", async () => {
    const deps = await withMachine({ providers: [scripted("alpha", () => failed("rate_limit"))] });
    const row = await deps.through();
    expect(row).toMatchObject({ status: "pending", tries: 0 });
    expect(row.retry_not_before).toBe((await Provider.health(deps)).cooldowns[0]?.until);
    expect(row.wait_reason).toContain("alpha");
  });

  test("that only a person can help asks, with the reason and the remedy", async () => {
    const deps = await withMachine({ providers: [scripted("alpha", () => failed("content_filter"))] });
    const row = await deps.through();
    expect(row.status).toBe("needs_decision");
    expect(row.decision_prompt).toContain("alpha m1: planted content_filter");
    expect(row.decision_prompt).toContain(Provider.CLASS_RULES.content_filter.remedy);
  });

  test("whose agent leaves nothing usable fails when its tries are spent, and says so", async () => {
    const deps = await withMachine({ providers: [scripted("alpha", () => failed("bad_result"))] });
    const first = await deps.through();
    expect(first).toMatchObject({ status: "pending", tries: 1 });
    await Pipeline.dispatch(deps);
    await deps.still();
    const whole = await wholeOf(deps, first.id);
    expect(whole.row.status).toBe("failed");
    expect(whole.parts.error).toMatchObject({ class: "bad_result", retryable: true });
    expect(whole.parts.error?.message).toContain("all 2 tries are spent");
  });

  test("a step that breaks is a failure of its candidate and reaches the next", async () => {
    const deps = await withMachine({
      providers: [
        scripted("alpha", () => {
          throw new Error("a bug");
        }),
      ],
    });
    const row = await deps.through();
    expect(path(deps, row)).toEqual(["Plan", "Candidate?", "Invoke", ...ROUND, "Settle"]);
    expect((await attemptOf(deps, row.id, 1)).tried).toMatchObject([{ class: "internal" }]);
    expect(row.status).toBe("needs_decision");
  });
});

describe("what an attempt says it is doing", () => {
  test("shows while it lasts, and costs no write when it is over at once", async () => {
    const deps = await withMachine({
      clock: realClock(),
      providers: [
        scripted("alpha", async ({ task }) => {
          if (task.direction === "slow") await new Promise((resolve) => setTimeout(resolve, 450));
          return finished();
        }),
      ],
    });
    const quick = await deps.through({ direction: "quick" });
    expect((await attemptOf(deps, quick.id, 1)).step).toBeUndefined();
    const id = await newTask(deps, { direction: "slow" });
    await Pipeline.dispatch(deps);
    await until(async () => (await Attempt.read(deps.store, id, 1))?.step !== undefined, "its step");
    const running = await attemptOf(deps, id, 1);
    expect(running.step).toBe("alpha m1 works");
    expect(running.ended_at).toBeUndefined();
    await deps.still();
  });

  test("and the lease it lost stops it at the next step that lasts, long before a heartbeat", async () => {
    let stopped = 0;
    const deps = await withMachine({
      clock: realClock(),
      providers: [
        scripted(
          "alpha",
          (_, signal) =>
            new Promise((_resolve, reject) =>
              signal.addEventListener("abort", () => (stopped++, reject(new Error("aborted"))), { once: true }),
            ),
        ),
      ],
    });
    const id = await newTask(deps);
    await Pipeline.dispatch(deps);
    await until(() => deps.requests.length > 0, "the agent's start");
    // Its lease is ended behind its back: by another host, whose stop does not reach this machine.
    await Pipeline.cancel({ ...deps, workflow: { ...deps.machine, stop: async () => {} } }, id);
    await until(() => stopped === 1, "the agent's end");
    await deps.still();
    expect((await rowOf(deps, id)).status).toBe("cancelled");
  });
});

describe("only ids and words travel", () => {
  test("a 10 MB output: every state under 32 KB, head and tail with the task, the whole in chunks of the log", async () => {
    const bytes = 10_000_000;
    const file = join(mkdtempSync(join(tmpdir(), "scenario-")), "scenario.json");
    writeFileSync(file, JSON.stringify({ name: "long", rules: [{ match: {}, do: { step: "output", bytes } }] }));
    const registry = Provider.create({
      settings: { COHERENCE_SCENARIO: file },
      clock: Clock.system(),
      home: tmpdir(),
      hostEnv: {},
    });
    const deps = await withMachine({ providers: [registry.get("simulated")], pin: "simulated" });
    const row = await deps.through();
    expect(row.status).toBe("completed");
    expect(largestState(deps.trace(nameOf(row.id, 1)))).toBeLessThan(MAX_STATE_BYTES);
    expect(largestState(deps.trace(nameOf(row.id, 1)))).toBeLessThan(4096);

    const { output } = (await wholeOf(deps, row.id)).parts;
    expect(Buffer.byteLength(output ?? "")).toBeLessThanOrEqual(32 * 1024);
    expect(output).toMatch(/^\[simulated\] Wrote the module/);
    expect(output).toContain("bytes left out");
    expect(output).toContain("coherence-result");

    const items = await partition(deps, row.id);
    const chunks = items.filter((item) => item.ent === "log");
    const sizes = chunks.map((chunk) => Buffer.byteLength(String(chunk.text)));
    expect(Math.max(...sizes)).toBeLessThanOrEqual(256 * 1024);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeGreaterThan(bytes);
    for (const item of items) expect(Buffer.byteLength(JSON.stringify(item)), item.sk).toBeLessThan(400 * 1024);
    const log = await Attempt.readLog(deps.store, row.id);
    expect(log).toMatchObject({ truncated: true });
    expect(log?.text).toMatch(/status=passed\n$/);
  });

  test.each([
    ["quotes and backslashes", `"\\`],
    ["control characters", "\u0001\u001b"],
    ["halves of characters", "\ud800"],
  ])("an output of a megabyte of %s does not break the table", async (_, piece) => {
    const output = `${piece.repeat(500_000)}\n\n\`\`\`coherence-result\n{"summary":"done"}\n\`\`\`\n`;
    const deps = await withMachine({
      providers: [scripted("alpha", () => ({ kind: "finished", output, usage: USAGE }))],
    });
    const row = await deps.through();
    expect(row.status).toBe("completed");
    expect((await wholeOf(deps, row.id)).parts.result).toMatchObject({ result: { summary: "done" } });
  });

  test("a step that lets a large answer travel fails at once", async () => {
    const deps = await withMachine();
    const machine = machineFor(deps, { limits: LIMITS, handlers: () => ({ ...deps, config: deps.config }) });
    const big = "x".repeat(MAX_STATE_BYTES);
    const ended: string[] = [];
    const other = machineFor(deps, {
      limits: LIMITS,
      handlers: () => ({ ...deps, settings: deps.settings, providers: deps.providers }),
      ended: (_, status) => void ended.push(status),
    });
    await machine.close();
    // The name is an id: one that long is refused by the step's own schema before anything is read.
    await other.start("too-long", { taskId: big, attempt: 1 });
    await until(() => ended.length > 0, "its end");
    expect(ended).toEqual(["FAILED"]);
  });
});

describe("an execution that ends badly ends its attempt at once", () => {
  /** A provider that works until it is told to stop. */
  const hanging = (seen: { stopped: number }) =>
    scripted(
      "alpha",
      (_, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => (seen.stopped++, reject(new Error("aborted"))), { once: true });
        }),
    );
  const begun = async (deps: Machine): Promise<string> => {
    const id = await newTask(deps);
    await Pipeline.dispatch(deps);
    await until(() => deps.requests.length > 0, "the agent's start");
    return id;
  };

  test("aborted: the agent is stopped, the task is queued again, a stall is spent", async () => {
    const seen = { stopped: 0 };
    const deps = await withMachine({ providers: [hanging(seen)] });
    const id = await begun(deps);
    await deps.machine.stop(nameOf(id, 1), "by hand");
    await deps.still();
    expect(deps.ends).toMatchObject([{ status: "ABORTED" }]);
    expect(seen.stopped).toBe(1);
    expect(await rowOf(deps, id)).toMatchObject({ status: "pending", stalls: 1 });
    expect((await attemptOf(deps, id, 1)).end).toMatchObject({ class: "lost", message: "its execution ended" });
  });

  test("failed: Plan breaks, and nothing waits for a lease", async () => {
    const deps = await withMachine();
    const { providers } = deps;
    deps.providers = {
      ...providers,
      all: () => {
        throw new Error("a bug in Plan");
      },
    };
    const id = await newTask(deps);
    await Pipeline.dispatch(deps);
    await deps.still();
    expect(deps.ends).toMatchObject([{ status: "FAILED" }]);
    expect(await rowOf(deps, id)).toMatchObject({ status: "pending", stalls: 1 });
    deps.providers = providers;
    await Pipeline.dispatch(deps);
    await deps.still();
    expect(await rowOf(deps, id)).toMatchObject({ status: "completed", att: 2 });
  });

  test("cancelled: the execution is stopped and nothing of it lands", async () => {
    const seen = { stopped: 0 };
    const deps = await withMachine({ providers: [hanging(seen)] });
    const id = await begun(deps);
    await Pipeline.cancel(deps, id, "no longer wanted");
    await deps.still();
    expect(seen.stopped).toBe(1);
    expect(await rowOf(deps, id)).toMatchObject({ status: "cancelled", stalls: 0 });
  });

  test("close resolves only when the handlers have ended", async () => {
    let ended = false;
    const deps = await withMachine({
      providers: [
        scripted("alpha", async (_, signal) => {
          await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
          // An agent whose group takes a while to end.
          await new Promise((resolve) => setTimeout(resolve, 150));
          ended = true;
          throw new Error("aborted");
        }),
      ],
    });
    await begun(deps);
    await deps.machine.close();
    expect(ended).toBe(true);
    expect(deps.machine.running()).toBe(0);
  });

  test("timed out: the clock's time-out stops the agent and waits for its end before the next candidate begins", async () => {
    const order: string[] = [];
    const deps = await withMachine({
      clock: realClock(),
      limits: { invokeSeconds: 0.3 },
      providers: [
        scripted("alpha", async (_, signal) => {
          await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
          await new Promise((resolve) => setTimeout(resolve, 100));
          order.push("alpha has ended");
          throw new Error("aborted");
        }),
      ],
    });
    const row = await deps.through();
    order.push("settled");
    expect(order).toEqual(["alpha has ended", "settled"]);
    expect(path(deps, row)).toEqual([
      "Plan",
      "Candidate?",
      "Invoke",
      "CutOff",
      "RecordFailure",
      "Candidate?",
      "Settle",
    ]);
    expect((await attemptOf(deps, row.id, 1)).tried).toMatchObject([
      { class: "lost", message: "the step was cut off" },
    ]);
    expect(row).toMatchObject({ status: "pending", tries: 0, stalls: 1 });
  });

  test("a virtual clock runs the time-outs: nothing waits in real time", async () => {
    const deps = await withMachine({ providers: [hanging({ stopped: 0 })], clock: stepping() });
    const id = await begun(deps);
    await deps.clock.advance(LIMITS.invokeSeconds * 1000 + 1);
    await deps.still();
    expect((await attemptOf(deps, id, 1)).tried).toMatchObject([{ class: "lost" }]);
  });
});

describe("the name of an execution", () => {
  test("is refused when there ever was one, by this machine and by another on the same table", async () => {
    const deps = await withMachine();
    const row = await deps.through();
    const name = nameOf(row.id, 1);
    const again = () => deps.machine.start(name, { taskId: row.id, attempt: 1 });
    await expect(again()).rejects.toMatchObject({ code: "workflow.exists" });
    const second = machineFor(deps, { limits: LIMITS, handlers: () => deps });
    await expect(second.start(name, { taskId: row.id, attempt: 1 })).rejects.toMatchObject({ code: "workflow.exists" });
    expect(second.running()).toBe(0);
    expect(deps.machine.transitions()).toBe(5);
  });

  test("of two starts at once, one has it", async () => {
    const deps = await withMachine();
    const id = await newTask(deps);
    const machines = Array.from({ length: 8 }, () => machineFor(deps, { limits: LIMITS, handlers: () => deps }));
    const started = await Promise.allSettled(
      machines.map((one) => one.start(nameOf(id, 1), { taskId: id, attempt: 1 })),
    );
    expect(started.filter((one) => one.status === "fulfilled")).toHaveLength(1);
    await Promise.all(machines.map((one) => one.close()));
  });

  test("is kept 90 days", async () => {
    const deps = await withMachine();
    const row = await deps.through();
    const kept = await Store.get(deps.store, Keys.execution(nameOf(row.id, 1)));
    expect(kept?.exp).toBeGreaterThan(deps.clock.now() / 1000 + 89 * 86_400);
  });
});
