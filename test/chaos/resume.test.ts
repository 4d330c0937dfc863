import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import * as Worker from "../../core/flow/worker/index.ts";
import type { Order, Report } from "../../core/flow/worker/order.ts";
import * as Clock from "../../core/ground/clock.ts";
import * as Process from "../../core/ground/process/index.ts";
import type { RunRequest, RunResult } from "../../core/work/provider/index.ts";
import { NO_USAGE, NOTHING, type Outcome, type Usage } from "../../core/work/task/index.ts";
import { openRepository, type Repository } from "../../core/work/workspace/index.ts";
import { scratch, type Scratch } from "../support/git.ts";
import { finished, scripted, USAGE } from "../support/pipeline.ts";

/** What an attempt finds of one that was killed, on a real repository; the report is kept in memory over all lives. */

const BRANCH = "coherence-item/b/one";
const INTEGRATION = "coherence/b";
const never = new AbortController().signal;

let made: Scratch;
let repository: Repository;
let base: string;
/** Progress by attempt, under the task's id and its name. */
let saved: Map<string, unknown>[];
let outcomes: { outcome: Outcome; output: string; usage: Usage }[];
let runs: string[];
/** What each attempt was told that it used, under its task's type. */
let used: Record<string, Usage>;

beforeEach(async () => {
  made = scratch({
    "package.json": JSON.stringify({ type: "module", scripts: { test: "node --test" } }),
    "test/one.test.js": 'import { test } from "node:test";\ntest("is green", () => {});\n',
  });
  repository = await openRepository({
    dir: made.dir,
    home: made.home,
    clock: Clock.system(),
    env: Process.baseEnv(process.env),
    testCommand: `${process.execPath} --test --test-isolation=none`,
  });
  base = await repository.ensureIntegration(INTEGRATION);
  saved = [];
  outcomes = [];
  runs = [];
  used = {};
});
afterEach(() => made.remove());

function orderOf(type: "impl" | "review", n: number): Order {
  const task = { id: `task_${type}`, type, direction: "Do one" };
  return {
    ref: { taskId: task.id, n, turn: 1 },
    task,
    item: { backlog: "b", item: "one", seq: 1, phase: type, round: 0, text: "Do one" },
    candidate: { provider: "agent", model: "m1", where: "inline", reason: "" },
    spent: NO_USAGE,
    prompt: { text: "Do one", sha256: "", variant: "" },
    tree: { branch: BRANCH, integration: INTEGRATION, lock: "l", base, mergeTip: null, merge: true, accepted: null },
    limits: { timeoutMs: 60_000, leaseMs: 60_000 },
  };
}

function reportOf({ ref: { n }, task: { id } }: Order): Report {
  const mine = (saved[n] ??= new Map<string, unknown>());
  return {
    log: () => {},
    renew: async () => true,
    save: async (name, value) => void mine.set(`${id} ${name}`, value),
    async saved<T>(name: string) {
      const key = `${id} ${name}`;
      for (let i = n; i >= 0; i--) if (saved[i]?.has(key)) return { value: saved[i]?.get(key) as T, n: i, turn: 1 };
      return undefined;
    },
    began: async () => {},
    lock: async () => async () => {},
    used: (usage) => void (used[`${id} ${n}`] = usage),
    outcome: async (outcome, _, output, usage) => void outcomes.push({ outcome, output, usage }),
    fail: async (failure) => expect.unreachable(failure.message),
    postpone: async (why) => expect.unreachable(why),
    pause: async () => expect.unreachable(),
  };
}

/** One life: the agent does what it does, and the life ends at `killedAt`, with nothing written any more. */
async function life(order: Order, agent: (request: RunRequest) => RunResult, killedAt?: Worker.Point): Promise<void> {
  const kill = new AbortController();
  const provider = scripted("agent", (request) => {
    runs.push(`${order.task.type}/${order.ref.n}`);
    return agent(request);
  });
  const at: Worker.At = (point) => {
    if (point !== killedAt) return;
    kill.abort(new Error("killed"));
    throw new Error("killed");
  };
  const tools = {
    clock: Clock.system(),
    provider: () => provider,
    repository,
    scratch: made.home,
    mask: (text: string) => text,
    at,
  };
  await Worker.run(tools, order, reportOf(order), kill.signal);
}

const implement = ({ cwd }: RunRequest) => {
  writeFileSync(join(cwd, "one.js"), "export const one = 1;\n");
  return finished({ summary: "Written." });
};
const review = ({ cwd }: RunRequest) => {
  writeFileSync(join(cwd, "test", "experiment.test.js"), 'throw new Error("a reviewer tried something");\n');
  return finished({ verdict: "pass", summary: "Good." });
};

it("an agent that finished is not run again, though its attempt and the one after it were both killed before its commit", async () => {
  await life(orderOf("impl", 1), implement, "agent-finished");
  // Attempt 2 was claimed and killed before it opened the tree.
  await life(orderOf("impl", 3), implement);
  expect(runs).toEqual(["impl/1"]);
  // The first one was paid, and has kept that: the one that goes on from it used nothing.
  expect(used).toEqual({ "task_impl 1": USAGE });
  expect(outcomes).toMatchObject([{ outcome: { kind: "passed" }, usage: NOTHING }]);
  expect(made.git("show", `${BRANCH}:one.js`)).toBe("export const one = 1;");
});

it("an agent is run again when another began after the one that finished", async () => {
  await life(orderOf("impl", 1), implement, "agent-finished");
  saved[2] = new Map([["task_impl working", { head: base }]]);
  await life(orderOf("impl", 3), implement);
  expect(runs).toEqual(["impl/1", "impl/3"]);
});

it("what a killed review left in the tree is dropped, not merged", async () => {
  await life(orderOf("impl", 1), implement);
  const head = made.git("rev-parse", BRANCH);
  await life(orderOf("review", 1), review, "agent-finished");
  await life(orderOf("review", 2), review);
  expect(runs).toEqual(["impl/1", "review/1"]);
  expect(made.git("rev-parse", BRANCH)).toBe(head);
  expect(outcomes.at(-1)).toMatchObject({ outcome: { kind: "passed", head } });
  expect(made.git("ls-tree", "-r", "--name-only", INTEGRATION)).not.toContain("experiment");
});

it("what a failed review left in the tree is dropped too", async () => {
  await life(orderOf("impl", 1), implement);
  const head = made.git("rev-parse", BRANCH);
  const report = { ...reportOf(orderOf("review", 1)), fail: async () => {} };
  const provider = scripted("agent", (request) => {
    review(request);
    return { kind: "failed", failure: { class: "overloaded", message: "503" }, output: "", usage: USAGE };
  });
  const tools = {
    clock: Clock.system(),
    provider: () => provider,
    repository,
    scratch: made.home,
    mask: (text: string) => text,
    at: () => {},
  };
  await Worker.run(tools, orderOf("review", 1), report, never);
  expect(made.git("rev-parse", BRANCH)).toBe(head);
});

it("a review that was merged and then killed keeps its verdict, and what it cost is counted once", async () => {
  await life(orderOf("impl", 1), implement);
  await life(orderOf("review", 1), review, "integrated");
  const tip = made.git("rev-parse", INTEGRATION);
  await life(orderOf("review", 2), review);
  expect(runs).toEqual(["impl/1", "review/1"]);
  expect(used).toEqual({ "task_impl 1": USAGE, "task_review 1": USAGE });
  expect(outcomes.at(-1)).toMatchObject({ outcome: { kind: "passed", tip }, usage: NOTHING });
  expect(outcomes.at(-1)?.output).toContain('"verdict":"pass"');
});

it("what an agent used is kept when it fails behind it", async () => {
  const failures: { message: string; usage: Usage }[] = [];
  const order = orderOf("impl", 1);
  const report: Report = {
    ...reportOf(order),
    fail: async ({ message }, _, usage) => void failures.push({ message, usage }),
  };
  const at: Worker.At = (point) => {
    if (point === "committed") throw new Error("the disk is full");
  };
  const provider = scripted("agent", implement);
  const tools = {
    clock: Clock.system(),
    provider: () => provider,
    repository,
    scratch: made.home,
    mask: (text: string) => text,
    at,
  };
  await Worker.run(tools, order, report, never);
  expect(failures).toEqual([{ message: "a fault of the pipeline: the disk is full", usage: USAGE }]);
});
