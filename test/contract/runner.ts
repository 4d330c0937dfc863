import { spawn } from "node:child_process";
import { appendFileSync } from "node:fs";
import { constants } from "node:os";
import * as Id from "../../core/ground/id.ts";
import { fromEnvironment } from "./scaled-clock.ts";

/**
 * An outside runner by contract 2.9 and BEHAVIOUR 2.1 and 2.2: a client of the HTTP API that knows nothing of our code. It says
 * nothing on a claim but its name, treats every answer but the one refusal as a grant, names no worker in its final word. Its
 * figures are the contract's; the clock is fast. Every step is a line of the journal.
 *
 * Where it is not 2.9 to the letter:
 * - It runs the argument array in `context.work`, never `command` nor a diagnostic's: no shell gets what was posted.
 * - It asks for its lease once more before it says how the work ended, and who has lost it stops and says nothing. The contract's
 *   goes on, and its last word, which names nobody, is an operator's to the API: it cannot be told from that of whoever has the
 *   task by then (late-words.test.ts has what is refused and what is not).
 * - It has no PR flow, and so no checkpoints, no requeue of those and no serial tasks; no share of measured value; no second model
 *   where the first is not found; no snapshots and metrics of its own in the context.
 */

type Body = Record<string, unknown>;
type Answer = { status: number; body: Body };
type Task = { id: string; command?: string; context?: Body; status: string };

const env = process.env;
const BASE = env.AGENT_API_BASE ?? "http://localhost:8000";
const WORKER = env.AGENT_WORKER_ID ?? `host:${process.pid}`;
const WORKERS = Number(env.AGENT_RUNNER_WORKERS ?? 1);
const JOURNAL = env.CONTRACT_JOURNAL ?? "/dev/null";
/** Seconds of the contract. */
const POLL_S = 10;
const RUNNER_LEASE_S = 45;
const RUN_LEASE_S = Number(env.AGENT_RUN_LEASE_SECONDS ?? 120);
const HEARTBEAT_S = Number(env.AGENT_RUN_HEARTBEAT_SECONDS ?? 15);
const CONTROL_POLL_S = 5;
const TASK_TIMEOUT_S = 3600;
const RETRIES = 3;
const MIN_RETRY_DELAY_S = 15;
const HOLD_PATTERN = 0.8;
const STEERING_DELAY_S = 120;
/** Retries and calls for steering of a task within so many seconds. */
const INTERVENTIONS = { most: 5, within_s: 900 };
/** What ends a run at once: its provider takes no more. */
const USAGE_LIMIT = /insufficient_quota|quota exceeded|billing hard limit|provider blocked/i;
/** Ms of the machine: a host that is killed refuses at once, one that is slow gets its time. */
const HTTP_TIMEOUT_MS = 10_000;

const clock = fromEnvironment();
const id = Id.system();
const stopping = new AbortController();
process.once("SIGTERM", () => stopping.abort(new Error("stopped")));
const attempts = new Map<string, number>();
const interventions = new Map<string, number[]>();
/** Where this life ends: at the so-many-th step of that name. */
const [dieAt, dieAfter] = (env.CONTRACT_DIE ?? "").split(":");
let passed = 0;

function note(step: string, facts: Body): void {
  const line = JSON.stringify({ step, worker: WORKER, pid: process.pid, at: clock.now(), ...facts });
  appendFileSync(JOURNAL, `${line}\n`);
  if (step === dieAt && ++passed >= Number(dieAfter)) process.kill(process.pid, "SIGKILL");
  console.log(step);
}

/** One request, one try; throws when nobody answers. */
async function send(method: string, path: string, body?: Body): Promise<Answer> {
  const response = await fetch(`${BASE}/api${path}`, {
    method,
    signal: AbortSignal.timeout(HTTP_TIMEOUT_MS),
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
  });
  return { status: response.status, body: (await response.json()) as Body };
}

/** A GET of the poll: three tries, two seconds apart. */
async function get(path: string): Promise<Answer | undefined> {
  for (let attempt = 1; ; attempt++)
    try {
      return await send("GET", path);
    } catch {
      if (attempt >= RETRIES) return undefined;
      await clock.sleep(2000);
    }
}

/** What is sent in the hope that it arrives. */
async function tell(method: string, path: string, body: Body): Promise<Answer | undefined> {
  return send(method, path, body).catch(() => undefined);
}

const iso = (ms: number) => new Date(ms).toISOString().replace("Z", "000+00:00");
const inSeconds = (s: number) => iso(clock.now() + s * 1000);

function beat(status: "idle" | "running", task = "", run = ""): Promise<Answer | undefined> {
  return tell("POST", "/agent/runners/heartbeat", {
    runner_id: WORKER,
    status,
    lease_seconds: RUNNER_LEASE_S,
    host: "test",
    pid: process.pid,
    version: "runner.ts",
    active_task_id: task,
    active_run_id: run,
  });
}

/** The pending tasks that may be run now, as they stand: the list, then each of them. */
async function poll(): Promise<Task[]> {
  const list = await get(`/agent/tasks?status=pending&limit=${Math.max(WORKERS, 20)}`);
  if (list?.status !== 200) return [];
  const found: Task[] = [];
  for (const { id: taskId } of list.body.tasks as Task[]) {
    const answer = await get(`/agent/tasks/${taskId}`);
    if (answer?.status !== 200) continue;
    const task = answer.body as Task;
    if (Date.parse(task.context?.retry_not_before as string) > clock.now()) continue;
    if (task.command) found.push(task);
    else await tell("PATCH", `/agent/tasks/${taskId}`, { status: "failed", output: "No command" });
  }
  return found;
}

type Run = {
  task: Task;
  run_id: string;
  attempt: number;
  /** Until when it knows that it has the lease, ms. */
  leasedUntil: number;
};

async function run(task: Task): Promise<void> {
  const attempt = (attempts.get(task.id) ?? 0) + 1;
  attempts.set(task.id, attempt);
  const one: Run = { task, run_id: `run_${id.hex(12)}`, attempt, leasedUntil: 0 };
  const facts = () => ({ task: task.id, run: one.run_id, leased_until: one.leasedUntil });
  await beat("running", task.id, one.run_id);
  const claim = await tell("POST", "/agent/run-state/claim", {
    ...who(one),
    lease_seconds: RUN_LEASE_S,
    attempt,
    branch: "",
    repo_path: process.cwd(),
    metadata: { task_type: "impl" },
  });
  granted(one, claim);
  note("leased", facts());
  if (claim?.body.claimed === false && claim.body.detail === "lease_owned_by_other_worker") {
    await tell("PATCH", `/agent/tasks/${task.id}`, {
      current_step: "waiting for lease",
      context: { retry_not_before: inSeconds(5) },
    });
    note("denied", facts());
    return;
  }
  const started = await tell("PATCH", `/agent/tasks/${task.id}`, { status: "running", worker_id: WORKER });
  if (started?.status !== 200) {
    const failure_class = started?.status === 409 ? "claim_conflict" : "claim_failed";
    await update(one, { status: "skipped", failure_class, next_action: "skip" });
    note(failure_class, facts());
    return;
  }
  note("begun", facts());
  await update(one, { status: "running", next_action: "execute_command" }, RUN_LEASE_S);
  await carryOut(one);
}

/** Takes down how long a lease lasts; true when the answer says that another has it. */
function granted(one: Run, answer: Answer | undefined): boolean {
  if (answer?.body.claimed === true) one.leasedUntil = Date.parse(String(answer.body.lease_expires_at));
  return answer?.body.claimed === false && answer.body.detail === "lease_owner_mismatch";
}

const who = ({ task, run_id }: Run) => ({ task_id: task.id, run_id, worker_id: WORKER });

function update(one: Run, patch: Body, lease_seconds?: number): Promise<Answer | undefined> {
  return tell("POST", "/agent/run-state/update", {
    ...who(one),
    patch,
    ...(lease_seconds === undefined ? {} : { lease_seconds }),
  });
}

type Result = {
  /** As a shell says it: 128 and the signal's number of what was killed. */
  code: number;
  output: string;
  stopped?: "aborted_by_user" | "usage_limit" | "timeout" | "lease_lost";
};

/** The work: a real child process, watched as the contract has it. */
async function work(one: Run): Promise<Result> {
  const { task, run_id, attempt } = one;
  const [file = "", ...args] = (task.context?.work as string[] | undefined) ?? [];
  const child = spawn(file, args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: env.PATH, RUN_ID: run_id, TASK_ID: task.id, ATTEMPT: String(attempt) },
  });
  let output = "";
  let stopped: Result["stopped"];
  const stop = (why: Result["stopped"]) => {
    stopped ??= why;
    child.kill("SIGTERM");
  };
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      if (USAGE_LIMIT.test(output)) stop("usage_limit");
    });
  const ended = new Promise<number>((resolve) => {
    child.once("error", (error) => ((output += error.message), resolve(127)));
    child.once("close", (code, signal) => resolve(code ?? 128 + constants.signals[signal ?? "SIGKILL"]));
  });
  const begun = clock.now();
  const limit = Math.max(30, Math.min(TASK_TIMEOUT_S, Number(task.context?.max_runtime_seconds ?? TASK_TIMEOUT_S)));
  const over = new AbortController();
  const watching = Promise.all([
    again(HEARTBEAT_S, async () => {
      const elapsed = (clock.now() - begun) / 1000;
      if (elapsed > limit) return stop("timeout");
      const said = await tell("PATCH", `/agent/tasks/${task.id}`, {
        progress_pct: Math.max(1, Math.min(95, Math.floor((elapsed / limit) * 90))),
        current_step: "running command",
        context: {
          runner_id: WORKER,
          runner_run_id: run_id,
          runner_last_seen_at: iso(clock.now()),
          runner_pid: child.pid,
          runner_log_tail: output.slice(-2000),
        },
      });
      const lease = await tell("POST", "/agent/run-state/heartbeat", { ...who(one), lease_seconds: RUN_LEASE_S });
      await beat("running", task.id, run_id);
      // Ours, beside the contract: who has lost his task stops. The old one went on and wrote over the next one's work.
      if (granted(one, lease) || said?.status === 409) stop("lease_lost");
    }),
    again(CONTROL_POLL_S, async () => {
      const { context } = ((await send("GET", `/agent/tasks/${task.id}`).catch(() => undefined))?.body ?? {}) as Task;
      if (wantsAbort(context ?? {})) stop("aborted_by_user");
    }),
  ]);
  const code = await ended;
  over.abort();
  await watching;
  return { code, output, ...(stopped ? { stopped } : {}) };

  async function again(seconds: number, act: () => Promise<void>): Promise<void> {
    while (!over.signal.aborted) {
      await clock.sleep(seconds * 1000, over.signal).catch(() => {});
      if (!over.signal.aborted) await act();
    }
  }
}

function wantsAbort(context: Body): boolean {
  const control = (context.control ?? {}) as Body;
  return [
    context.abort_requested,
    context.control_abort,
    control.abort,
    control.action === "abort",
    control.state === "abort",
  ].some((one) => one === true);
}

/** Why a run did not come to a good end, by what comes first in 2.9; undefined: it did. */
function failureOf({ task }: Run, { code, output, stopped }: Result): string | undefined {
  const terms = (task.context?.abort_evidence ?? []) as string[];
  if (terms.some((term) => output.toLowerCase().includes(term.toLowerCase()))) return "abort_evidence_triggered";
  if (stopped !== undefined) return stopped;
  if (code === 137 || code === 143) return "killed";
  return code === 0 && output.trim().length >= 10 ? undefined : "command_failed";
}

async function carryOut(one: Run): Promise<void> {
  const { task, run_id } = one;
  const facts = () => ({ task: task.id, run: run_id, leased_until: one.leasedUntil });
  const begun = clock.now();
  const result = await work(one);
  if (result.stopped === "lease_lost") return note("lost", facts());
  // The work's own effect, made while the lease lasts: whoever has it looks once more.
  const lease = await tell("POST", "/agent/run-state/heartbeat", { ...who(one), lease_seconds: RUN_LEASE_S });
  if (granted(one, lease) || clock.now() >= one.leasedUntil) return note("lost", facts());
  const failure_class = failureOf(one, result);
  await report(one, result, clock.now() - begun, failure_class);
  if (failure_class !== undefined) return afterFailure(one, result, failure_class);
  note("finished", facts());
  await last(one, "completed", { output: result.output.slice(0, 4000) }, { next_action: "done" });
}

/** Says how the run ended, of the task first and then of the run. */
async function last(one: Run, status: string, patch: Body, run: Body): Promise<void> {
  const { task, run_id } = one;
  const answer = await tell("PATCH", `/agent/tasks/${task.id}`, { status, ...patch });
  const facts = { task: task.id, run: run_id, leased_until: one.leasedUntil };
  note("said", { ...facts, status, answer: answer?.status ?? null, failure_class: run.failure_class });
  await update(one, { status, ...run });
}

/** The runtime event of a run, and the friction of one that failed (5.4); sent in the hope that somebody takes them. */
async function report({ task }: Run, { code, output }: Result, ms: number, failed: string | undefined): Promise<void> {
  const tool = `tool:${task.command?.split(" ")[0] ?? ""}`;
  const metadata = { task_id: task.id, returncode: code, output_len: output.length, worker_id: WORKER };
  const status_code = failed === undefined ? 200 : 500;
  const runtime_ms = Math.max(0.1, ms);
  await tell("POST", "/runtime/events", {
    source: "worker",
    endpoint: tool,
    method: "RUN",
    status_code,
    runtime_ms,
    metadata,
  });
  if (failed === undefined) return;
  const lost = (ms / 1000) * 0.01;
  await tell("POST", "/friction/events", {
    id: `fr_toolfail_${task.id}_${id.hex(8)}`,
    timestamp: iso(clock.now()),
    stage: "agent_runner",
    block_type: "tool_failure",
    severity: "high",
    owner: "automation",
    unblock_condition: "Fix tool invocation/dependencies/auth; rerun task",
    energy_loss_estimate: lost,
    cost_of_delay: lost,
    status: "resolved",
    endpoint: tool,
    resolved_at: iso(clock.now()),
    resolution_action: "task_marked_failed",
  });
}

/** What follows a failure, in the order of 2.9: a run that repeats itself asks, one with a retry left is tried again, the rest fails. */
async function afterFailure(one: Run, { output }: Result, failure_class: string): Promise<void> {
  const { task, attempt } = one;
  const retries = Number(task.context?.runner_retry_max ?? 0) - (attempt - 1);
  const steered = Number(task.context?.hold_pattern_score ?? 0) >= HOLD_PATTERN;
  if (steered || (retries > 0 && !mayIntervene(task.id)))
    return last(
      one,
      "needs_decision",
      {
        current_step: "awaiting steering",
        output: output.slice(-4000),
        context: { retry_not_before: inSeconds(STEERING_DELAY_S), steering_requested: true },
      },
      { failure_class, next_action: "steering_required" },
    );
  if (retries > 0) {
    const delay = Math.max(Number(task.context?.runner_retry_delay_seconds ?? 8), MIN_RETRY_DELAY_S);
    return last(
      one,
      "pending",
      {
        current_step: "retry scheduled",
        output: output.slice(-4000),
        context: {
          retry_not_before: inSeconds(delay),
          runner_state: "retry_pending",
          runner_retry_count: attempt,
          runner_retry_remaining: retries - 1,
          runner_last_failure: failure_class,
        },
      },
      { failure_class, next_action: "retry_scheduled" },
    );
  }
  await last(one, "failed", { output: output.slice(0, 4000) }, { failure_class, next_action: "needs_attention" });
}

/** Whether a task may be tried once more within the window; counts that it is. */
function mayIntervene(task: string): boolean {
  const since = clock.now() - INTERVENTIONS.within_s * 1000;
  const recent = (interventions.get(task) ?? []).filter((at) => at > since);
  if (recent.length >= INTERVENTIONS.most) return false;
  interventions.set(task, [...recent, clock.now()]);
  return true;
}

const health = await send("GET", "/health").catch(() => undefined);
if (health?.status !== 200) process.exit(1);
note("up", {});
while (!stopping.signal.aborted) {
  await beat("idle");
  const batch = (await poll()).slice(0, WORKERS);
  // The next look waits for the slowest of them.
  await Promise.all(batch.map(run));
  if (!stopping.signal.aborted) await clock.sleep(POLL_S * 1000, stopping.signal).catch(() => {});
}
process.exit(0);
