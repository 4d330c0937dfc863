import { spawn } from "node:child_process";
import { appendFileSync } from "node:fs";
import * as Id from "../../core/ground/id.ts";
import { fromEnvironment } from "./scaled-clock.ts";

/**
 * An outside runner, by contract 2.9 and BEHAVIOUR 2.1 and 2.2 word for word: a client of the HTTP API that knows nothing of our
 * code. It says nothing on a claim but its name, treats every answer but the one refusal as a grant, names no worker in its final
 * word. Its figures are the contract's; the clock is fast. Every step is a line of the journal.
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
/** Ms of the machine: a host that is killed refuses at once, one that is slow gets its time. */
const HTTP_TIMEOUT_MS = 10_000;

const clock = fromEnvironment();
const id = Id.system();
const stopping = new AbortController();
process.once("SIGTERM", () => stopping.abort(new Error("stopped")));
const attempts = new Map<string, number>();
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
    if (!task.command) await tell("PATCH", `/agent/tasks/${taskId}`, { status: "failed", output: "No command" });
    else if (Date.parse(task.context?.retry_not_before as string) > clock.now()) continue;
    else found.push(task);
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

type Result = { code: number | null; output: string; stopped?: "aborted_by_user" | "timeout" | "lease_lost" };

/** The work: a real child process, watched as the contract has it. */
async function work(one: Run): Promise<Result> {
  const { task, run_id, attempt } = one;
  const [file = "", ...args] = (task.context?.work as string[] | undefined) ?? [];
  const child = spawn(file, args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: env.PATH, RUN_ID: run_id, TASK_ID: task.id, ATTEMPT: String(attempt) },
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  const ended = new Promise<number | null>((resolve) => {
    child.once("error", (error) => ((output += error.message), resolve(127)));
    child.once("close", resolve);
  });
  let stopped: Result["stopped"];
  const stop = (why: Result["stopped"]) => {
    stopped ??= why;
    child.kill("SIGTERM");
  };
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

async function carryOut(one: Run): Promise<void> {
  const { task, run_id, attempt } = one;
  const facts = () => ({ task: task.id, run: run_id, leased_until: one.leasedUntil });
  const { code, output, stopped } = await work(one);
  const abortEvidence = ((task.context?.abort_evidence ?? []) as string[]).some((text) =>
    output.toLowerCase().includes(text.toLowerCase()),
  );
  const done = stopped === undefined && code === 0 && output.trim().length >= 10 && !abortEvidence;
  if (stopped === "lease_lost") return note("lost", facts());
  // The work's own effect, made while the lease lasts: whoever has it looks once more.
  const lease = await tell("POST", "/agent/run-state/heartbeat", { ...who(one), lease_seconds: RUN_LEASE_S });
  if (granted(one, lease) || clock.now() >= one.leasedUntil) return note("lost", facts());
  if (done) note("finished", facts());
  if (done) {
    const end = await tell("PATCH", `/agent/tasks/${task.id}`, { status: "completed", output: output.slice(0, 4000) });
    note("said", { ...facts(), status: "completed", answer: end?.status ?? null });
    await update(one, { status: "completed", next_action: "done" });
    return;
  }
  const failure_class = stopped ?? (abortEvidence ? "abort_evidence_triggered" : "command_failed");
  const retries = Number(task.context?.runner_retry_max ?? 0) - (attempt - 1);
  if (failure_class === "command_failed" && retries > 0) {
    const delay = Math.max(Number(task.context?.runner_retry_delay_seconds ?? 8), MIN_RETRY_DELAY_S);
    const requeued = await tell("PATCH", `/agent/tasks/${task.id}`, {
      status: "pending",
      current_step: "retry scheduled",
      output: output.slice(-4000),
      context: {
        retry_not_before: inSeconds(delay),
        runner_state: "retry_pending",
        runner_retry_count: attempt,
        runner_retry_remaining: retries - 1,
        runner_last_failure: failure_class,
      },
    });
    note("said", { ...facts(), status: "pending", answer: requeued?.status ?? null });
    await update(one, { status: "pending", failure_class, next_action: "retry_scheduled" });
    return;
  }
  const failed = await tell("PATCH", `/agent/tasks/${task.id}`, { status: "failed", output: output.slice(0, 4000) });
  note("said", { ...facts(), status: "failed", answer: failed?.status ?? null, failure_class });
  await update(one, { status: "failed", failure_class, next_action: "needs_attention" });
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
