import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as Id from "../../core/ground/id.ts";
import * as Clock from "../../core/ground/clock.ts";
import type { AttemptRow } from "../../core/work/attempt/index.ts";
import { freePort, resolveEngine, startEngine, type Engine } from "../../functions/local/dynamodb.ts";
import { loopback } from "../../functions/local/loopback.ts";
import { faultsOfAttempts, faultsOfMetrics, readTable, type Table } from "../e2e/table.ts";
import { COMPILED } from "../support/compiled.ts";
import { NOON } from "../support/pipeline.ts";
import { scaled, toEnvironment } from "./scaled-clock.ts";
import type { Body } from "./support.ts";

/**
 * Contract 2.9 end to end: runners that are processes of their own, over HTTP, work on a hundred tasks beside the pipeline's own;
 * runners and host are killed with SIGKILL and start again, until all is done, once.
 */

const SEED = Number(process.env.CONTRACT_SEED ?? 20260520);
const TASKS = 100;
const RUNNERS = 2;
const WIDTH = 12;
/** So many of the tasks fail once; and so many more are aborted by their client. */
const FAIL_ONCE = 10;
const ABORTED = 2;
/** Tasks of the pipeline's own, one every so many ends of the runners'. */
const OWN_EVERY = 5;
/** Tasks that repeat themselves, and fail: their runner asks how to go on. */
const STEERED = 1;
/** One of so many is at work for a second and a half, the rest for a tenth of one. */
const LONG = 20;
const HOST_KILLS = 2;
/** Where the lives of runners end, each of them once: right after the step, before the next request. */
const DIES = ["leased:3", "begun:2", "finished:2", "said:3", "begun:5", "finished:4"];
const FACTOR = 10;
/** Ms of the machine. */
const MINUTE = 1500;
const WAIT_MS = 150_000;
const PLACE = process.platform === "linux" ? "/dev/shm" : tmpdir();
const script = (name: string) => fileURLToPath(new URL(name, import.meta.url));

type Line = {
  step: string;
  worker: string;
  pid: number;
  at: number;
  task?: string;
  run?: string;
  /** Until when the run knew that it had the lease. */
  leased_until: number;
} & Body;

const system = Clock.system();
let home: string;
let engine: Engine;
let base: string;
let clock: Clock.Clock;
let env: Record<string, string>;
/** Every process that is to be ended when something breaks. */
const running = new Set<Child>();
/** Pids of runners that were killed, and when, by the fast clock. */
const killed = new Map<number, number>();
let hostKills = 0;
let over = false;

async function api(method: string, path: string, body?: Body): Promise<{ status: number; body: Body }> {
  // The host may be down: whoever asks waits for its next life. What it made before it died is not made again.
  const key = Id.system().hex(16);
  for (let tries = 0; ; tries++)
    try {
      const response = await fetch(`${base}/api${path}`, {
        method,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        headers: body === undefined ? {} : { "content-type": "application/json", "idempotency-key": key },
      });
      return { status: response.status, body: (await response.json()) as Body };
    } catch (error) {
      if (tries > 500) throw error;
      await system.sleep(20);
    }
}

const launch = (name: string, more: Record<string, string>) =>
  execa(process.execPath, [script(name)], {
    reject: false,
    extendEnv: false,
    env: { ...env, ...more },
    cwd: join(home, "empty"),
    stdin: "ignore",
    stderr: "inherit",
  });
/** As it is made: comparing it to execa's own general type is a quarter of the compiler's work on the whole house. */
type Child = ReturnType<typeof launch>;

function start(name: string, more: Record<string, string>): Child {
  const child = launch(name, more);
  running.add(child);
  void child.then(() => running.delete(child));
  return child;
}

/** Keeps the host alive: it is started again whenever it ends. */
async function keepHost(onStart: (child: Child) => void): Promise<void> {
  for (let broken = 0; !over;) {
    const child = start("host.ts", { COHERENCE_LOG_LEVEL: "silent" });
    onStart(child);
    const { signal } = await child;
    if (signal !== "SIGKILL" && !over && ++broken > 3) throw new Error("the host ends by itself");
  }
}

/** Keeps a runner alive; its first lives end by themselves where the plan says. */
async function keepRunner(name: string, plan: string[], onStep: (step: string) => void): Promise<void> {
  for (let life = 1; !over; life++) {
    const die = plan.shift();
    const child = start("runner.ts", { AGENT_WORKER_ID: `${name}:${life}`, ...(die ? { CONTRACT_DIE: die } : {}) });
    child.stdout?.on("data", (text: Buffer) => text.toString().trim().split("\n").forEach(onStep));
    const { signal } = await child;
    if (signal === "SIGKILL" && child.pid !== undefined) killed.set(child.pid, clock.now());
    else if (die) plan.push(die);
    // Its first request may have met no host.
    await system.sleep(50);
  }
}

/** Its whole lines: the last may be on its way. */
const lines = () =>
  readFileSync(join(home, "journal"), "utf8")
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line);

let ids: string[];
let aborted: string[];
let steered: string[];
const own: string[] = [];
let journal: Line[];
let table: Table;
let took: number;

beforeAll(async () => {
  const id = Id.seeded(SEED);
  console.log(`seed ${SEED}`);
  home = mkdtempSync(join(PLACE, "coherence-contract-"));
  for (const folder of ["marks", "empty"]) mkdirSync(join(home, folder));
  writeFileSync(join(home, "journal"), "");
  const scenario = join(home, "scenario.json");
  writeFileSync(
    scenario,
    JSON.stringify({ name: "steady", rules: [{ match: {}, do: { step: "slow", ms: 100 * FACTOR } }] }),
  );
  const binary = await resolveEngine({ home, env: process.env, say: () => {} });
  engine = await startEngine({ binary, file: join(home, "table.db"), clock: system });
  const begun = system.now();
  const setting = { begun, start: NOON, factor: FACTOR, minute: MINUTE };
  clock = scaled(setting);
  const port = await freePort();
  base = `http://127.0.0.1:${port}`;
  env = {
    PATH: process.env.PATH ?? "",
    HOME: home,
    PORT: String(port),
    COHERENCE_HOME: join(home, "host"),
    COHERENCE_SCENARIO: scenario,
    DYNAMODB_ENDPOINT: engine.endpoint,
    NODE_COMPILE_CACHE: COMPILED,
    ...toEnvironment(setting),
    CONTRACT_JOURNAL: join(home, "journal"),
    AGENT_API_BASE: base,
    AGENT_RUNNER_WORKERS: String(WIDTH),
    // The shortest that leaves a heartbeat room.
    AGENT_RUN_LEASE_SECONDS: "30",
    AGENT_RUN_HEARTBEAT_SECONDS: "10",
  };
  let host: Child | undefined;
  const keeping = [keepHost((child) => void (host = child))];

  const post = async (direction: string, context: Body) => {
    const { status, body } = await api("POST", "/agent/tasks", { direction, task_type: "review", context });
    expect(status).toBe(201);
    return String(body.id);
  };
  const works = (seconds: number, first = "") => [
    "/bin/sh",
    "-c",
    `${first}sleep ${seconds.toFixed(2)}; echo "the work of $TASK_ID was done by $RUN_ID"`,
  ];
  const mark = (i: number) => `[ -e ${home}/marks/${i} ] || { : > ${home}/marks/${i}; echo "no luck"; exit 3; }; `;
  ids = await Promise.all(
    Array.from({ length: TASKS }, (_, i) =>
      post(`Outside work ${i}`, {
        dispatch: "external",
        ...(i < FAIL_ONCE ? { runner_retry_max: 3, runner_retry_delay_seconds: 1 } : {}),
        // Some are at work for more than a heartbeat.
        work: works(i % LONG === 0 ? 1.5 : 0.02 + id.random() * 0.1, i < FAIL_ONCE ? mark(i) : ""),
      }),
    ),
  );
  aborted = await Promise.all(
    Array.from({ length: ABORTED }, (_, i) =>
      post(`Endless work ${i}`, { dispatch: "external", work: ["/bin/sh", "-c", "exec sleep 60"] }),
    ),
  );

  steered = await Promise.all(
    Array.from({ length: STEERED }, (_, i) =>
      post(`Work in circles ${i}`, {
        dispatch: "external",
        hold_pattern_score: 0.9,
        runner_retry_max: 3,
        work: ["/bin/sh", "-c", "echo round and round; exit 1"],
      }),
    ),
  );

  // The host dies after so many ends of the runners', drawn once.
  const killHostAt = new Set(Array.from({ length: HOST_KILLS }, (_, i) => 15 + 35 * i + Math.floor(id.random() * 20)));
  let ends = 0;
  const posting: Promise<void>[] = [];
  const onStep = (step: string) => {
    if (step !== "said") return;
    ends++;
    if (killHostAt.delete(ends)) {
      hostKills++;
      host?.kill("SIGKILL");
    }
    if (ends % OWN_EVERY === 0 && !over)
      posting.push(post(`Own work ${ends}`, { provider: "simulated" }).then((task) => void own.push(task)));
  };
  const plans: string[][] = Array.from({ length: RUNNERS }, () => []);
  DIES.map((die) => ({ die, place: id.random() }))
    .sort((a, b) => a.place - b.place)
    .forEach(({ die }, i) => plans[i % RUNNERS]?.push(die));
  keeping.push(...plans.map((plan, i) => keepRunner(`runner-${i + 1}`, plan, onStep)));

  for (const task of aborted) await api("PATCH", `/agent/tasks/${task}`, { context: { control: { action: "abort" } } });
  const ended = Promise.race(keeping);
  for (let settled = false; !settled;) {
    await Promise.race([system.sleep(200), ended]);
    const { body } = await api("GET", "/agent/tasks/count");
    const by = body.by_status as Record<string, number>;
    settled = (by.pending ?? 0) + (by.running ?? 0) === 0 && own.length >= Math.floor(ends / OWN_EVERY);
    expect(system.now() - begun, `${JSON.stringify(by)}\n${hanging()}`).toBeLessThan(WAIT_MS);
  }
  over = true;
  await Promise.all(posting);
  for (const child of running) child.kill("SIGTERM");
  await Promise.all(keeping);
  took = system.now() - begun;
  journal = lines();
  table = await readTable({ wire: loopback(engine.endpoint), table: "coherence", clock, id: Id.system() });
}, WAIT_MS + 30_000);

afterAll(async () => {
  over = true;
  for (const child of running) child.kill("SIGKILL");
  await engine.stop();
  rmSync(home, { recursive: true, force: true });
});

/** The journal of the tasks that have no end yet, to see why. */
function hanging(): string {
  const all = lines();
  const done = new Set(all.filter((line) => line.step === "said" && line.answer === 200).map((line) => line.task));
  return all
    .filter((line) => line.task && !done.has(line.task))
    .map((line) => JSON.stringify(line))
    .join("\n");
}

const attemptsOf = (task: string): AttemptRow[] => table.attempts.filter((one) => one.task_id === task);
const outputOf = (task: string) => {
  const part = table.rows.find((row) => row.pk === `T#${task}` && row.sk === "M#output");
  return JSON.parse(String(part?.json)) as string;
};

/** When a run's own word ended its attempt, by the table; never, where its lease did. */
function heard(task: string, run: readonly Line[]): number {
  const begun = run.find((line) => line.step === "begun")?.at ?? 0;
  const attempt = attemptsOf(task).findLast((one) => one.owner === run[0]?.worker && one.claimed_at <= begun);
  return (attempt?.end?.class === "lost" ? undefined : attempt?.ended_at) ?? Infinity;
}

describe(`${TASKS} tasks, ${RUNNERS} runners and a host that are killed`, () => {
  it("the kills happened, of runners at every step and of the host", () => {
    const steps = [...killed.keys()].map((pid) => journal.findLast((line) => line.pid === pid)?.step);
    console.log(
      `${took} ms; host killed ${hostKills} times, runners at ${steps.join(", ")}; ${journal.length} lines of journal`,
    );
    expect(hostKills).toBe(HOST_KILLS);
    expect(steps.sort()).toEqual(DIES.map((die) => die.split(":")[0]).sort());
  });

  it("every task is completed, and nothing else is: by the tasks, by the counters, by the records", () => {
    const status = (id: string) => table.tasks.find((task) => task.id === id)?.status;
    expect(ids.filter((id) => status(id) !== "completed")).toEqual([]);
    expect(own.filter((id) => status(id) !== "completed")).toEqual([]);
    expect(aborted.map(status)).toEqual(aborted.map(() => "failed"));
    expect(steered.map(status)).toEqual(steered.map(() => "needs_decision"));
    expect(table.tasks).toHaveLength(ids.length + own.length + aborted.length + steered.length);
    const completed = table.records.filter((record) => record.status === "completed");
    expect(completed.filter((record) => ids.includes(record.task_id))).toHaveLength(TASKS);
    expect(table.metrics.success_rate).toMatchObject({ completed: ids.length + own.length, failed: ABORTED });
    expect(table.counts.by_status).toEqual({
      completed: ids.length + own.length,
      failed: ABORTED,
      needs_decision: STEERED,
    });
    expect(own.length).toBeGreaterThan(10);
  });

  it("no task has two attempts that completed, and every attempt has one end and one record", () => {
    for (const id of [...ids, ...own])
      expect(
        attemptsOf(id).filter((one) => one.end?.status === "completed"),
        id,
      ).toHaveLength(1);
    expect([...faultsOfAttempts(table), ...faultsOfMetrics(table)]).toEqual([]);
  });

  it("what a task shows was done once, by the run that was acknowledged", () => {
    for (const id of ids) {
      const [, run] = /^the work of \S+ was done by (run_\w+)$/m.exec(outputOf(id)) ?? [];
      const finished = journal.filter((line) => line.task === id && line.step === "finished");
      expect(
        finished.filter((line) => line.run === run),
        `${id} ${run}`,
      ).toHaveLength(1);
      const said = journal.filter((line) => line.task === id && line.status === "completed" && line.answer === 200);
      // The answer may have died with the host or with the runner, but never are there two.
      expect(said.length, id).toBeLessThanOrEqual(1);
      if (said[0]) expect(said[0].run).toBe(run);
      // Whoever else finished was killed before he could say so, or was not heard.
      for (const other of finished.filter((line) => line.run !== run)) {
        const word = journal.find((line) => line.run === other.run && line.step === "said");
        expect(word ? word.answer : killed.has(other.pid), JSON.stringify(other)).not.toBe(word ? 200 : false);
      }
      const attempt = attemptsOf(id).find((one) => one.end?.status === "completed");
      expect(attempt?.owner).toBe(finished.find((line) => line.run === run)?.worker);
    }
  });

  it("no two runs work on one task at once: the next begins when the one before has ended, or its lease has", () => {
    for (const id of [...ids, ...aborted, ...steered]) {
      const mine = journal.filter((line) => line.task === id);
      const runs = mine.filter((line) => line.step === "begun").map((line) => line.run);
      runs.slice(1).forEach((next, i) => {
        const begun = mine.find((line) => line.run === next && line.step === "begun");
        const before = mine.filter((line) => line.run === runs[i]);
        // One that was killed while its last word was under way noted none: the table knows whether it was heard.
        const said = before.find((line) => line.step === "said")?.at ?? heard(id, before);
        const leased = Math.max(...before.map((line) => line.leased_until));
        expect(
          begun?.at,
          [...before, begun, ...attemptsOf(id)].map((one) => JSON.stringify(one)).join("\n"),
        ).toBeGreaterThanOrEqual(Math.min(said, leased));
      });
    }
  });

  it("those that failed once were queued again and are done; those that were aborted have their reason", () => {
    for (const id of ids.slice(0, FAIL_ONCE)) {
      const pending = attemptsOf(id).filter((one) => one.end?.status === "pending");
      expect(pending.length, id).toBeGreaterThanOrEqual(1);
    }
    const failed = journal.filter((line) => aborted.includes(line.task ?? "") && line.status === "failed");
    for (const line of failed) expect(line).toMatchObject({ failure_class: "aborted_by_user" });
    expect(journal.filter((line) => aborted.includes(line.task ?? "") && line.step === "finished")).toEqual([]);
  });

  it("one that repeats itself asks how to go on, and is not tried again though it might be", () => {
    for (const id of steered) {
      // Not its step: the other runner, denied while it ran, may say only now that it waits for the lease (2.9).
      const context = table.rows.find((row) => row.pk === `T#${id}` && row.sk === "M#context");
      expect(JSON.parse(String(context?.json))).toMatchObject({ steering_requested: true });
      expect(attemptsOf(id).filter((one) => one.end?.class !== "lost")).toMatchObject([
        { end: { status: "needs_decision" } },
      ]);
    }
  });

  it("nothing is held any more", () => {
    expect(table.attempts.filter((one) => one.ended_at === undefined)).toEqual([]);
    for (const { id, status } of table.tasks)
      expect(["completed", "failed", ...(steered.includes(id) ? ["needs_decision"] : [])], id).toContain(status);
  });
});
