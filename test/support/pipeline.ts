import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as Pipeline from "../../core/flow/pipeline/index.ts";
import * as Worker from "../../core/flow/worker/index.ts";
import * as Clock from "../../core/ground/clock.ts";
import { maskOf } from "../../core/ground/mask.ts";
import * as Store from "../../core/ground/store/index.ts";
import { Keys } from "../../core/ground/store/index.ts";
import type { Travelling } from "../../core/ground/workflow/index.ts";
import * as Attempt from "../../core/work/attempt/index.ts";
import * as Backlog from "../../core/work/backlog/index.ts";
import * as Metrics from "../../core/work/metrics/index.ts";
import * as Provider from "../../core/work/provider/index.ts";
import * as Task from "../../core/work/task/index.ts";
import { testDeps, type TestDeps } from "./deps.ts";
import { between } from "./wire.ts";

/** Noon of a day, so that no test meets midnight. */
export const NOON = Date.UTC(2026, 4, 20, 12);

/** A virtual clock on which sleeping takes no real time: it moves the clock on. */
export function stepping(start = NOON): Clock.VirtualClock {
  const clock = Clock.virtual(start);
  return {
    ...clock,
    async sleep(ms, signal) {
      signal?.throwIfAborted();
      // Whole ms, as the machine's own clock counts.
      await clock.advance(Math.max(0, Math.ceil(ms)));
    },
  };
}

export type TestPipeline = Pipeline.PipelineDeps &
  TestDeps & {
    clock: Clock.VirtualClock;
    /** Every request that a scripted provider got, in order. */
    requests: Provider.RunRequest[];
  };

export type PipelineOptions = {
  clock?: Clock.VirtualClock;
  env?: Record<string, string>;
  store?: Store.Store;
  /** Default: one provider `alpha` that finishes everything well. */
  providers?: Provider.Provider[];
  host?: Pipeline.PipelineDeps["host"];
  pin?: string;
  allowSimulated?: boolean;
  at?: Worker.At;
  /** Providers whose probes have answered no. */
  unready?: readonly string[];
};

/** The pipeline's real parts on a table of its own, without a repository; executions are recorded, `drive` walks them. */
export async function testPipeline(options: PipelineOptions = {}): Promise<TestPipeline> {
  const clock = options.clock ?? stepping();
  const ground = await testDeps({
    clock,
    ...(options.env ? { env: options.env } : {}),
    ...(options.store ? { store: options.store } : {}),
  });
  const requests: Provider.RunRequest[] = [];
  const providers = (options.providers ?? [scripted("alpha", () => finished())]).map((one) => ({
    ...one,
    run: (request: Provider.RunRequest, signal: AbortSignal) => (requests.push(request), one.run(request, signal)),
  }));
  const registry: Provider.Registry = {
    all: () => providers,
    get: (name) => providers.find((one) => one.name === name) as Provider.Provider,
  };
  const at = options.at ?? (() => {});
  const scratch = mkdtempSync(join(tmpdir(), "pipeline-"));
  const tools: Worker.Tools = {
    clock,
    provider: registry.get,
    repository: null,
    scratch,
    mask: maskOf(options.env ?? {}),
    at,
  };
  for (const one of providers)
    await Provider.saveReadiness(
      ground,
      one,
      options.unready?.includes(one.name)
        ? { ready: false, detail: "OPENAI_API_KEY is not set", remedy: "Set it." }
        : { ready: true, detail: "it answered" },
    );
  ground.published.length = 0;
  return {
    ...ground,
    clock,
    requests,
    providers: registry,
    host: options.host ?? { id: "h1", incarnation: "one" },
    routing: {
      allowSimulated: options.allowSimulated ?? false,
      ...(options.pin === undefined ? {} : { pin: options.pin }),
    },
    work: { tree: false, merge: false, leaseMs: 60_000 },
    pace: { paused: false, itemsLeft: Infinity, until: Infinity },
    carryOut: (order, report, signal) => Worker.run(tools, order, report, signal),
    settings: async () => ({ prompts: {} }),
    at,
  };
}

/** A target that failed so, without a run. */
export async function coolDown(deps: TestDeps, target: Provider.Target, failure: Task.Failure): Promise<void> {
  const write = await Provider.failureWrite(deps, target, failure);
  if (write) await Store.write(deps.store, write);
}

/** Another host on the same table and clock. */
export async function otherHost(
  deps: TestPipeline,
  host: Pipeline.PipelineDeps["host"],
  more: Partial<TestPipeline> = {},
): Promise<TestPipeline> {
  return { ...deps, host, ...more };
}

type Play = (request: Provider.RunRequest, signal: AbortSignal) => Provider.RunResult | Promise<Provider.RunResult>;

/** A provider that does what a function says: the port itself, not a stand-in for one of ours. */
export function scripted(name: string, play: Play, more: Partial<Provider.Provider> = {}): Provider.Provider {
  return {
    name,
    family: "api",
    executor: null,
    models: models("m1"),
    verified: null,
    account: "none",
    prefers: [],
    probe: async () => ({ ready: true, detail: "it answered" }),
    run: async (request, signal) => play(request, signal),
    ...more,
    capabilities: { ...CAPABLE, ...more.capabilities },
  };
}

/** Models of these names, each stronger than the one before. */
export function models(...names: string[]): Provider.Model[] {
  return names.map((name, i) => ({
    name,
    price: null,
    context_window: 100_000,
    tier: Math.min(3, i + 1) as Provider.Model["tier"],
  }));
}

const CAPABLE: Provider.Capabilities = {
  edits: true,
  runs_commands: true,
  where: "inline",
  paid: false,
};

export const USAGE: Task.Usage = { tokens_in: 100, tokens_out: 10, tokens_cached: null, cost_usd: 0.001 };

/** A run that came to its end, with this result block. */
export function finished(block: Record<string, unknown> = { summary: "done" }, usage = USAGE): Provider.RunResult {
  return {
    kind: "finished",
    output: `Worked.\n\n\`\`\`coherence-result\n${JSON.stringify(block)}\n\`\`\`\n`,
    usage,
  };
}

/** A run that failed with a class. */
export function failed(failure: Task.FailureClass | Task.Failure, usage = USAGE): Provider.RunResult {
  const one = typeof failure === "string" ? { class: failure, message: `planted ${failure}` } : failure;
  return { kind: "failed", failure: one, output: "", usage };
}

/** Answers in order, the last one again and again. */
export function inTurn(...results: Provider.RunResult[]): Play {
  let i = 0;
  return () => results[Math.min(i++, results.length - 1)] as Provider.RunResult;
}

let made = 0;

/** A new pending task; its id. */
export async function newTask(
  deps: TestPipeline,
  input: Partial<Task.Create> = {},
  options: Task.CreateOptions = {},
): Promise<string> {
  const full = Task.Create.parse({ direction: `Work ${made++}`, task_type: "impl", ...input });
  return (await Task.create(deps, full, options)).task.row.id;
}

/** A running task that this host holds, as dispatch claims it. */
export async function held(
  deps: TestPipeline,
  input: Partial<Task.Create> = {},
): Promise<{ id: string; attempt: number }> {
  return hold(deps, await newTask(deps, input));
}

/** Claims a task for this host. */
export async function hold(deps: TestPipeline, id: string): Promise<{ id: string; attempt: number }> {
  const owner = Pipeline.ownerOf(deps.host);
  const attempt = await Attempt.claim(deps, id, { by: "pipeline", owner, leaseMs: Pipeline.CLAIM_LEASE_MS });
  return { id, attempt: attempt.n };
}

/** Plans an attempt and enters its first turn. */
export async function entered(deps: TestPipeline, one: { id: string; attempt: number }): Promise<Attempt.TurnRef> {
  await Pipeline.plan(deps, { taskId: one.id, attempt: one.attempt });
  const attempt = await attemptOf(deps, one.id, one.attempt);
  const turn = await Attempt.enter(deps.store, one.id, one.attempt, attempt.chosen, deps.work.leaseMs);
  if (turn.kind !== "entered") throw new Error(`not entered: ${turn.kind}`);
  return { taskId: one.id, n: one.attempt, turn: turn.attempt.turn };
}

/** A held task with an outcome, ready to be settled. */
export async function withOutcome(
  deps: TestPipeline,
  one: { id: string; attempt: number },
  outcome: Task.Outcome,
  part: Partial<Attempt.OutcomePart> = {},
): Promise<{ taskId: string; attempt: number }> {
  const ref = await entered(deps, one);
  await Attempt.recordOutcome(deps.store, ref, outcome, { evidence: null, output: "said", ...part }, USAGE);
  return { taskId: one.id, attempt: one.attempt };
}

const never = new AbortController().signal;

/** Walks an attempt as the state machine does: plan, invoke or offer, record the failure, settle. */
export async function drive(
  deps: TestPipeline,
  taskId: string,
  attempt: number,
  signal: AbortSignal = never,
): Promise<Travelling> {
  let now = await Pipeline.plan(deps, { taskId, attempt });
  for (;;)
    switch (now.kind) {
      case "inline":
      case "continue":
        now = await Pipeline.invoke(deps, now, signal);
        break;
      case "machine": {
        const offered = await Pipeline.offer(deps, now, "token");
        if (offered.kind === "waiting") return now;
        now = offered.answer;
        break;
      }
      case "fallback":
        now = await Pipeline.recordFailure(deps, now);
        break;
      case "none":
      case "outcome":
        return Pipeline.settle(deps, { taskId, attempt });
      case "settled":
        return now;
    }
}

/** Claims a task for this host and walks its attempt to the end; the task as it then stands. */
export async function attemptOnce(deps: TestPipeline, id: string): Promise<Task.Whole> {
  const one = await hold(deps, id);
  await drive(deps, one.id, one.attempt);
  return wholeOf(deps, id);
}

export async function wholeOf(deps: Pick<TestDeps, "store">, id: string): Promise<Task.Whole> {
  const whole = await Task.read(deps.store, id);
  if (!whole) throw new Error(`no task ${id}`);
  return whole;
}

export async function rowOf(deps: Pick<TestDeps, "store">, id: string): Promise<Task.TaskRow> {
  return (await wholeOf(deps, id)).row;
}

export async function attemptOf(deps: Pick<TestDeps, "store">, id: string, n: number): Promise<Attempt.AttemptRow> {
  const attempt = await Attempt.read(deps.store, id, n);
  if (!attempt) throw new Error(`no attempt ${n} of ${id}`);
  return attempt;
}

/** Every item of a task's partition, to compare before and after. */
export function partition(deps: Pick<TestDeps, "store">, id: string): Promise<Store.Item[]> {
  return Store.queryAll(deps.store, { pk: Keys.taskPartition(id) });
}

/** Every metric record of the clock's day. */
export async function records(deps: Pick<TestDeps, "store" | "clock">): Promise<Metrics.MetricRow[]> {
  const items = await Store.queryAll(deps.store, { pk: Keys.metricPartition(deps.clock.now()) });
  return items as unknown as Metrics.MetricRow[];
}

/** How often each thing ended, said three times: by the tasks themselves, by the counters, by the metrics. */
export async function threeCounts(deps: TestPipeline, ids: readonly string[]) {
  const rows = await Promise.all(ids.map((id) => rowOf(deps, id)));
  const tasks = { completed: 0, failed: 0 };
  for (const { status } of rows) if (status === "completed" || status === "failed") tasks[status]++;
  const { by_status } = await Metrics.counts(deps);
  const { completed, failed } = (await Metrics.read(deps)).success_rate;
  return {
    tasks,
    counters: { completed: by_status.completed ?? 0, failed: by_status.failed ?? 0 },
    metrics: { completed, failed },
  };
}

/** Pushes a backlog of items `a`, `b`, … under one header. */
export async function pushItems(
  deps: TestPipeline,
  ids: readonly string[],
  more: { id?: string; kind?: "product" | "meta" } = {},
): Promise<Backlog.Pushed> {
  const lines = ids.map((id, i) => `${i + 1}. Make ${id} work {#${id}}`);
  const text = `## Phase 1: First\n\n${lines.join("\n")}\n`;
  return Pipeline.push(deps, { id: more.id ?? "b", kind: more.kind ?? "product", text });
}

export async function itemOf(deps: Pick<TestDeps, "store">, id: string, backlog = "b"): Promise<Backlog.ItemRow> {
  const item = await Backlog.item(deps, backlog, id);
  if (!item) throw new Error(`no item ${id}`);
  return item;
}

/** The pipeline's own way through its work: ticks, dispatches and drives until nothing moves, at most `most` times. */
export async function untilStill(deps: TestPipeline, most = 200): Promise<void> {
  for (let i = 0; i < most; i++) {
    const made = await Pipeline.tick(deps);
    const started = await Pipeline.dispatch(deps);
    await Promise.all(started.map(async (id) => drive(deps, id, (await rowOf(deps, id)).att)));
    if (made.length + started.length > 0) continue;
    const due = await Pipeline.nextDue(deps);
    if (due === undefined) return;
    await deps.clock.advance(Math.max(1, due - deps.clock.now()));
  }
}

/**
 * Runs `act` once, right after the first read (or before the first write) whose request holds `text`, while its caller still
 * waits: a race made visible.
 */
export function meanwhile(store: Store.Store, when: "read" | "write", text: string, act: () => Promise<unknown>): void {
  const isWrite = /^(Put|Update|Delete|Transact)/;
  let done = false;
  between(store, async (operation, input, next) => {
    if (done || isWrite.test(operation) !== (when === "write") || !JSON.stringify(input).includes(text)) return next();
    done = true;
    if (when === "write") await act();
    const answer = await next();
    if (when === "read") await act();
    return answer;
  });
}
