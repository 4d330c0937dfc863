import * as z from "zod";
import type { Deps } from "../../ground/deps.ts";
import { fail } from "../../ground/errors.ts";
import * as Store from "../../ground/store/index.ts";
import { Keys } from "../../ground/store/index.ts";
import * as Attempt from "../../work/attempt/index.ts";
import * as Metrics from "../../work/metrics/index.ts";
import * as Task from "../../work/task/index.ts";
import { CLIENT_LEASE_MS } from "./budgets.ts";
import { retryNotBefore } from "./control.ts";
import { endAttempt, errorOf, settled, type Ending } from "./end.ts";
import { obey } from "./obey.ts";
import { decide, takenOut } from "./verbs.ts";

/** What a client may change (contract 1.1.2). `cancelled` is set by the verb `cancel` alone. */
export const Update = z.object({
  status: z.enum(["pending", "running", "completed", "failed", "needs_decision"]).nullish(),
  output: z.string().nullish().describe("What it printed; of much, head and tail are kept"),
  progress_pct: z.number().int().min(0).max(100).nullish(),
  current_step: z.string().nullish(),
  decision_prompt: z.string().nullish().describe("What it asks, with the status needs_decision"),
  decision: z.string().nullish().describe("The answer to what it asks"),
  context: z.record(z.string(), z.unknown()).nullish().describe("Merged into what is there, key by key"),
  worker_id: z.string().min(1).max(200).nullish().describe("Who says so: the one who claimed it"),
  target_state: Task.trimmed(600).nullish(),
  success_evidence: Task.evidence.nullish(),
  abort_evidence: Task.evidence.nullish(),
  observation_window_sec: z.coerce.number().int().min(1).max(604_800).nullish(),
  /** Ours. */
  error: z.string().max(4000).nullish().describe("Why it failed"),
  /** Ours. */
  priority: z.number().int().min(0).max(99).nullish().describe("Higher goes first"),
});
export type Update = z.infer<typeof Update>;

/** The longest that a runner may put a requeued task off. */
const LONGEST_RETRY_MS = 86_400_000;

/** Who claims without a name (contract 2.4). */
export const UNKNOWN_WORKER = "unknown";

/** Who calls: on loopback without a worker id an operator, elsewhere whoever the key is. */
export type Caller = { kind: "operator" } | { kind: "key"; id: string };

/**
 * A client's PATCH. Throws 400 `task.nothing_to_change`, 404 `task.not_found`, 409 `task.claimed`, `task.transition`,
 * `task.of_item`, and then nothing is changed.
 */
export async function update(deps: Deps, taskId: string, patch: Update, caller: Caller): Promise<Task.Whole> {
  if (Object.values(patch).every((value) => value === null || value === undefined))
    throw fail("task.nothing_to_change", "At least one field required");
  const task = await Task.read(deps.store, taskId);
  if (!task) throw fail("task.not_found", "Task not found");
  // Refused before anything is written, rather than half way.
  if (patch.context) Task.checkContext({ ...task.parts.context, ...patch.context });
  const named = nameIn(patch);
  await refuseLateWords(deps, task.row, patch, named);
  if (task.row.item) await ofItem(deps, task.row, patch);
  else if (patch.decision && task.row.status === "needs_decision" && (patch.status ?? "pending") === "pending")
    await decide(deps, taskId, patch.decision);
  else if (patch.status && patch.status !== task.row.status)
    await changeStatus(deps, task.row, patch, patch.status, named, caller);
  else {
    if (patch.status) again(task.row, patch.status, named ?? keyName(caller));
    mayReport(task.row, patch, named);
  }
  await changeFields(deps, taskId, patch, named);
  if (patch.context) await obey(deps, taskId, patch.context);
  return (await Task.read(deps.store, taskId)) ?? task;
}

/** From outside an item's task takes context and a decision; all else goes through the pipeline's own verbs. */
async function ofItem(deps: Deps, row: Task.TaskRow, patch: Update): Promise<void> {
  const others = Object.entries(patch).some(
    ([key, value]) => value !== null && value !== undefined && !["context", "decision", "worker_id"].includes(key),
  );
  if (others)
    throw fail("task.of_item", "The task is a phase of a backlog item; only its context and its decision are open", {
      remedy: "Cancel, retry, release or decide it with the verbs of those names.",
    });
  if (patch.decision && row.status === "needs_decision") await decide(deps, row.id, patch.decision);
}

/**
 * A status that is there already: the same owner repeats himself, which changes nothing; anybody else is refused. Who claims
 * without a name claims as `unknown`, and does not get what another has.
 */
function again(row: Task.TaskRow, status: Task.Status, worker: string | undefined): void {
  const claimant = status === "running" ? (worker ?? UNKNOWN_WORKER) : worker;
  const owned = status === "running" || Task.hasEnded(status);
  if (owned && claimant !== undefined && row.claimed_by !== claimant) throw Attempt.alreadyClaimed(row);
}

/** What a run says of itself is its owner's word: one who lost the task, or whose task was cancelled, changes nothing any more. */
function mayReport(row: Task.TaskRow, patch: Update, named: string | undefined): void {
  const reports = [patch.output, patch.progress_pct, patch.current_step].some(
    (one) => one !== null && one !== undefined,
  );
  if (!reports || named === undefined) return;
  if (row.status === "cancelled") throw Attempt.alreadyClaimed(undefined);
  if ((row.status === "running" || Task.hasEnded(row.status)) && row.claimed_by !== named)
    throw Attempt.alreadyClaimed(row);
}

/** A pending task was taken from whoever held it last (released, reaped): his late words are not those of a new claim. */
async function refuseLateWords(deps: Deps, row: Task.TaskRow, patch: Update, named: string | undefined): Promise<void> {
  const claims = patch.status === "running";
  if (row.status !== "pending" || row.att === 0 || named === undefined || claims || !isReport(patch)) return;
  const last = await Attempt.read(deps.store, row.id, row.att);
  if (last?.by === "client" && last.owner === named && last.end?.class === "lost")
    throw fail("task.claimed", "The task was taken back from this worker", {
      remedy: "Claim it again before working on it.",
    });
}

function isReport(patch: Update): boolean {
  return [patch.status, patch.output, patch.progress_pct, patch.current_step].some(
    (one) => one !== null && one !== undefined,
  );
}

async function changeStatus(
  deps: Deps,
  row: Task.TaskRow,
  patch: Update,
  to: NonNullable<Update["status"]>,
  named: string | undefined,
  caller: Caller,
): Promise<void> {
  const owner = named ?? keyName(caller) ?? UNKNOWN_WORKER;
  if (to === "running") {
    if (Task.hasEnded(row.status)) throw Attempt.alreadyClaimed(row);
    await Attempt.claim(deps, row.id, { by: "client", owner, leaseMs: leaseOf(row, owner, deps.clock.now()) });
    return;
  }
  const last = row.att > 0 ? await Attempt.read(deps.store, row.id, row.att) : undefined;
  const open = last && last.ended_at === undefined ? last : undefined;
  if (row.status === "running") mayEnd(row, open, named);
  if (row.status === "completed" && (last?.by !== "client" || (named !== undefined && named !== last.owner)))
    throw fail("task.transition", `A ${row.status} task cannot become ${to}`);
  const ending = endingOf(deps, row, patch, to);
  const finishing = row.status === "pending" && (to === "completed" || to === "failed");
  const done = finishing
    ? await claimAndFinish(deps, row, ending, owner)
    : await endAttempt(deps, row, open, { ...ending, ...(await leaving(deps, row)) });
  if (!done) throw Attempt.alreadyClaimed(await Task.row(deps.store, row.id));
  await deps.events.publish(to === "pending" ? { type: "task.queued", taskId: row.id } : settled(row));
}

/** A claim follows the run-state lease of its worker, where there is one. */
function leaseOf(row: Task.TaskRow, owner: string, now: number): number {
  const follows = row.run_worker === owner && (row.run_until ?? 0) > now;
  return follows && row.run_lease_ms !== undefined ? row.run_lease_ms : CLIENT_LEASE_MS;
}

/** Only the owner of a live lease ends what he holds; a caller without a name has his way over clients' attempts, not over ours. */
function mayEnd(row: Task.TaskRow, open: Attempt.AttemptRow | undefined, named: string | undefined): void {
  if (!open) return;
  if (open.by === "pipeline")
    throw fail("task.claimed", `Task already claimed by ${row.claimed_by ?? "the pipeline"}`, {
      remedy: "Cancel or release it: the pipeline's own attempt holds it.",
    });
  if (named !== undefined && named !== open.owner) throw Attempt.alreadyClaimed(row);
}

/** An end that is left (a client's second word): its record is taken out, so that it counts once. */
async function leaving(deps: Deps, row: Task.TaskRow): Promise<Pick<Ending, "also">> {
  const record = await takenOut(deps, row);
  return record ? { also: (now) => [Metrics.takeOut(record, now)] } : {};
}

function endingOf(
  deps: Deps,
  row: Task.TaskRow,
  patch: Update,
  to: Exclude<NonNullable<Update["status"]>, "running">,
): Ending {
  const base = { to, actor: "client" as const, class: null, message: `${to} by ${patch.worker_id ?? "a client"}` };
  const output = patch.output ?? "";
  const said = patch.output === null || patch.output === undefined ? {} : { output_len: patch.output.length };
  // With the end, not after it: who reads a finished task reads all of it.
  const parts = patch.output === null || patch.output === undefined ? {} : { output: patch.output };
  switch (to) {
    case "completed":
      return { ...base, change: { set: { progress_pct: 100, ...said } }, parts: { ...parts, error: null } };
    case "failed": {
      const reason = patch.error ?? (output.trim() === "" ? "" : lastLine(output));
      const failure: Task.Failure =
        reason === ""
          ? { class: "unreported", message: "the client gave no reason" }
          : { class: "reported", message: reason };
      return {
        ...base,
        class: failure.class,
        message: Task.cut(failure.message, 500),
        change: { set: said },
        parts: { ...parts, error: errorOf(failure, output) },
      };
    }
    case "needs_decision": {
      const wait = deps.config.decisionTimeoutMs;
      const due = wait > 0 ? deps.clock.now() + wait : undefined;
      return {
        ...base,
        change: {
          set: {
            decision_prompt: Task.cut(patch.decision_prompt ?? row.decision_prompt ?? "", 4000),
            decision_due: due,
          },
          // What an earlier question offered is no answer to this one.
          remove: [
            "decision",
            "decision_default",
            "decision_options",
            ...(due === undefined ? (["decision_due"] as const) : []),
          ],
          ...(due === undefined ? {} : { until: due }),
        },
      };
    }
    case "pending": {
      const until = Math.min(retryNotBefore(patch.context ?? {}) ?? 0, deps.clock.now() + LONGEST_RETRY_MS);
      const remove = ["claimed_by", "claimed_at", "current_step"] as const;
      if (until <= deps.clock.now()) return { ...base, change: { remove } };
      return {
        ...base,
        change: { set: { retry_not_before: until, wait_reason: "its runner tries again later" }, remove, until },
      };
    }
  }
}

/** A final status of a pending, unclaimed task is a claim and a finish in one. */
async function claimAndFinish(deps: Deps, row: Task.TaskRow, ending: Ending, owner: string): Promise<boolean> {
  const attempt = await Attempt.claim(deps, row.id, { by: "client", owner, leaseMs: 0 });
  const running = await Task.row(deps.store, row.id);
  return running !== undefined && endAttempt(deps, running, attempt, ending);
}

/** Everything but the status; renews the lease of a client's attempt. */
async function changeFields(deps: Deps, taskId: string, patch: Update, named: string | undefined): Promise<void> {
  const row = await Task.row(deps.store, taskId);
  if (!row) return;
  if (!patch.status) mayReport(row, patch, named);
  const now = deps.clock.now();
  const set = {
    updated_at: now,
    progress_pct: patch.progress_pct ?? undefined,
    current_step:
      patch.current_step === null || patch.current_step === undefined ? undefined : Task.cut(patch.current_step, 1000),
    decision_prompt:
      patch.decision_prompt === null || patch.decision_prompt === undefined
        ? undefined
        : Task.cut(patch.decision_prompt, 4000),
    target_state: patch.target_state ?? undefined,
    success_evidence: patch.success_evidence ?? undefined,
    abort_evidence: patch.abort_evidence ?? undefined,
    observation_window_sec:
      patch.observation_window_sec === null || patch.observation_window_sec === undefined
        ? undefined
        : Math.max(30, patch.observation_window_sec),
    output_len: patch.output?.length,
    priority: patch.priority ?? undefined,
    ...(patch.priority !== null && patch.priority !== undefined && row.status === "pending" && !Task.isWaiting(row)
      ? Keys.due(row.queue, patch.priority, row.queued_at, row.id)
      : {}),
    // A decision outside a question is kept when there is none yet.
    decision: patch.decision && row.decision === undefined && !row.item ? Task.cut(patch.decision, 4000) : undefined,
  };
  // Under the attempt that was read: who lost the task in between does not write over the next one's words.
  const written = await Store.tx(deps.store, [
    { kind: "update", key: Keys.task(taskId), set, if: { attempt: Store.eq("att", row.att) } },
    ...(patch.output === null || patch.output === undefined ? [] : Task.partWrites(taskId, { output: patch.output })),
  ]);
  if (!written.ok) throw Attempt.alreadyClaimed(await Task.row(deps.store, taskId));
  if (patch.context) await Task.mergeContext(deps.store, taskId, patch.context);
  const attempt = row.status === "running" ? await Attempt.read(deps.store, taskId, row.att) : undefined;
  const stranger = named !== undefined && named !== attempt?.owner;
  if (attempt?.by === "client" && attempt.ended_at === undefined && !stranger)
    await Attempt.renew(
      deps.store,
      { taskId, n: attempt.n, turn: attempt.turn },
      attempt.lease_ms,
      patch.current_step ?? undefined,
    );
}

/** The worker that a PATCH names, or undefined: then an operator speaks, or whoever the key is. */
function nameIn(patch: Update): string | undefined {
  const named = patch.worker_id?.trim() || patch.context?.runner_id;
  return typeof named === "string" && named !== "" ? named : undefined;
}

/** What a caller with a key claims as when he names no worker. */
function keyName(caller: Caller): string | undefined {
  return caller.kind === "key" ? `key:${caller.id}` : undefined;
}

function lastLine(output: string): string {
  return Task.cut(output.trim().split("\n").at(-1) ?? "", 500);
}
