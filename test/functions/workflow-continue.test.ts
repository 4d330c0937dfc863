import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import * as Pipeline from "../../core/flow/pipeline/index.ts";
import * as Clock from "../../core/ground/clock.ts";
import { nameOf } from "../../core/ground/workflow/index.ts";
import * as Attempt from "../../core/work/attempt/index.ts";
import * as Provider from "../../core/work/provider/index.ts";
import type { RunRequest, RunResult } from "../../core/work/provider/index.ts";
import { startWorker } from "../../functions/worker/worker.ts";
import {
  attemptOf,
  failed,
  finished,
  models,
  newTask,
  partition,
  records,
  scripted,
  USAGE,
} from "../support/pipeline.ts";
import { largestState, path, realClock, until, withMachine } from "./workflow-support.ts";

/** The simulated provider that plays one step for everything. */
function simulated(step: object): Provider.Provider {
  const file = join(mkdtempSync(join(tmpdir(), "scenario-")), "scenario.json");
  writeFileSync(file, JSON.stringify({ name: "one", rules: [{ match: {}, do: step }] }));
  const settings = { COHERENCE_SCENARIO: file };
  return Provider.create({ settings, clock: Clock.system(), home: tmpdir(), hostEnv: {} }).get("simulated");
}

/** Resolves when the run is asked to pause. */
async function asked({ stopBy }: RunRequest): Promise<void> {
  if (stopBy && !stopBy.aborted)
    await new Promise((resolve) => stopBy.addEventListener("abort", resolve, { once: true }));
}

/** Pauses as soon as it is asked to, `parts` times, saving what `grow` makes of what it saved last. */
function pausing(name: string, parts: number, grow: (saved: unknown) => unknown, seen: unknown[]): Provider.Provider {
  return scripted(name, async (request: RunRequest): Promise<RunResult> => {
    seen.push(request.resume);
    if (seen.length > parts) return finished();
    await asked(request);
    return { kind: "continue", saved: grow(request.resume), usage: USAGE };
  });
}

test("a run longer than its step: stopped before a limit of 2 s, entered again, same candidate, new turn", async () => {
  const deps = await withMachine({
    clock: realClock(),
    pin: "simulated",
    providers: [simulated({ step: "slow", ms: 3500 })],
    limits: { invokeSeconds: 2 },
    continueAfterMs: 1500,
  });
  const row = await deps.through();
  expect(row.status).toBe("completed");
  const again = ["Outcome?", "Invoke"];
  expect(path(deps, row)).toEqual(["Plan", "Candidate?", "Invoke", ...again, ...again, "Outcome?", "Settle"]);
  const attempt = await attemptOf(deps, row.id, 1);
  expect(attempt).toMatchObject({ chosen: 0, turn: 3, outcome_turn: 3, tried: [] });
  // What was over when it paused is not waited for again.
  const ms = (attempt.ended_at ?? 0) - attempt.claimed_at;
  expect(ms).toBeGreaterThan(3400);
  expect(ms).toBeLessThan(6000);
  // Three parts were paid: each read the prompt.
  const resumes = deps.requests.map((request) => request.resume as { over_ms: number } | undefined);
  expect(resumes[0]).toBeUndefined();
  expect(resumes[1]?.over_ms).toBeGreaterThan(1400);
  expect(resumes[2]?.over_ms).toBeGreaterThan(2800);
  const prompt = Math.ceil((deps.requests[0]?.prompt.length ?? 0) / 4);
  expect(attempt.usage?.tokens_in).toBeGreaterThanOrEqual(3 * prompt - 3);
  const log = await Attempt.readLog(deps.store, row.id);
  expect(log?.text.match(/status=paused/g)).toHaveLength(2);
  expect(largestState(deps.trace(nameOf(row.id, 1)))).toBeLessThan(4096);
});

test("without a limit nothing pauses", async () => {
  const deps = await withMachine({
    clock: realClock(),
    pin: "simulated",
    providers: [simulated({ step: "slow", ms: 50 })],
  });
  const row = await deps.through();
  expect(deps.requests[0]?.stopBy).toBeUndefined();
  expect((await attemptOf(deps, row.id, 1)).turn).toBe(1);
});

test("a conversation of a megabyte comes back whole, in parts of at most 256 KB", async () => {
  const seen: unknown[] = [];
  const noise = () => Array.from({ length: 60_000 }, () => Math.random().toString(36).slice(2)).join(' ü\\"\u0001');
  const text = noise();
  const deps = await withMachine({
    clock: realClock(),
    providers: [pausing("alpha", 2, (saved) => (saved === undefined ? { text, n: 1 } : { text, n: 2 }), seen)],
    continueAfterMs: 60,
  });
  const row = await deps.through();
  expect(row.status).toBe("completed");
  expect(seen).toEqual([undefined, { text, n: 1 }, { text, n: 2 }]);
  const parts = (await partition(deps, row.id)).filter((item) => item.sk.includes("saved#conversation"));
  expect(parts.length).toBeGreaterThan(4);
  for (const part of parts) expect(Buffer.byteLength(String(part.json)), part.sk).toBeLessThanOrEqual(256 * 1024);
});

test("the usage of paused turns is added up, in the attempt and in the metrics", async () => {
  const seen: unknown[] = [];
  const deps = await withMachine({
    clock: realClock(),
    providers: [pausing("alpha", 2, () => ({}), seen)],
    continueAfterMs: 40,
  });
  const row = await deps.through();
  const { usage } = await attemptOf(deps, row.id, 1);
  expect(usage).toMatchObject({ tokens_in: 300, tokens_out: 30 });
  const [record] = await records(deps);
  expect(record).toMatchObject({ tokens_in: 300, tried: 1 });
});

test("a failure after pauses is one candidate tried, with all of its usage, and the next candidate begins anew", async () => {
  const seen: unknown[] = [];
  const beta: unknown[] = [];
  const deps = await withMachine({
    clock: realClock(),
    providers: [
      scripted("alpha", async (request) => {
        seen.push(request.resume);
        if (seen.length === 2) return failed("quota");
        await asked(request);
        return { kind: "continue", saved: { mine: "alpha" }, usage: USAGE };
      }),
      scripted("beta", (request) => (beta.push(request.resume), finished())),
    ],
    continueAfterMs: 40,
  });
  const row = await deps.through();
  const attempt = await attemptOf(deps, row.id, 1);
  expect(attempt.tried).toMatchObject([{ provider: "alpha", class: "quota", usage: { tokens_in: 200 } }]);
  expect(attempt.usage).toMatchObject({ tokens_in: 100 });
  expect(seen).toEqual([undefined, { mine: "alpha" }]);
  expect(beta).toEqual([undefined]);
  expect((await records(deps))[0]).toMatchObject({ tokens_in: 300, tried: 2 });
});

test("the same candidate after a server error goes on from its pause and is not paid twice for it", async () => {
  const seen: unknown[] = [];
  const deps = await withMachine({
    clock: realClock(),
    providers: [
      scripted("alpha", async (request) => {
        seen.push(request.resume);
        if (seen.length === 2) return failed("overloaded");
        if (seen.length === 3) return finished();
        await asked(request);
        return { kind: "continue", saved: "so far", usage: USAGE };
      }),
    ],
    continueAfterMs: 40,
  });
  await deps.through();
  expect(seen).toEqual([undefined, "so far", "so far"]);
  expect((await records(deps))[0]).toMatchObject({ tokens_in: 300, tried: 2 });
});

test("the task's time bounds all of it, not a part", async () => {
  const deps = await withMachine({
    clock: realClock(),
    pin: "simulated",
    providers: [{ ...simulated({ step: "slow", ms: 60_000 }), models: models("sim-fast") }],
    continueAfterMs: 300,
  });
  deps.config = { ...deps.config, taskTimeoutMs: 800 };
  const row = await deps.through();
  const attempt = await attemptOf(deps, row.id, 1);
  expect(attempt.tried).toMatchObject([{ class: "stalled" }]);
  expect(attempt.tried[0]?.message).toContain("was not done within");
  // As often as its parts fit into the whole; a busy machine makes them shorter, never longer.
  expect(attempt.turn).toBeGreaterThan(1);
  expect((attempt.ended_at ?? 0) - attempt.claimed_at).toBeLessThan(30_000);
});

test("a pause whose attempt was cancelled meanwhile changes nothing and is not entered again", async () => {
  let entered = 0;
  const deps = await withMachine({
    clock: realClock(),
    providers: [
      scripted("alpha", async (request) => {
        entered++;
        await asked(request);
        return { kind: "continue", saved: {}, usage: USAGE };
      }),
    ],
    continueAfterMs: 200,
  });
  const id = await newTask(deps);
  await Pipeline.dispatch(deps);
  await until(() => entered === 1, "the agent's start");
  await Pipeline.cancel(deps, id);
  const before = await partition(deps, id);
  await new Promise((resolve) => setTimeout(resolve, 400));
  await deps.still();
  expect(entered).toBe(1);
  const after = (await partition(deps, id)).filter((item) => item.ent !== "log");
  expect(after).toEqual(before.filter((item) => item.ent !== "log"));
});

test("a machine's run has no step that ends: its order says nothing of it", async () => {
  const deps = await withMachine({
    providers: [scripted("alpha", () => finished(), { capabilities: { where: "machine" } as never })],
    continueAfterMs: 40,
  });
  const worker = await startWorker(deps, { id: "w1", capacity: 1, capabilities: ["alpha"] });
  await newTask(deps);
  await Pipeline.dispatch(deps);
  await until(() => deps.published.some((event) => event.type === "work.offered"), "the offer");
  await worker.look();
  await deps.still();
  await worker.close();
  expect(deps.requests[0]?.stopBy).toBeUndefined();
});
