import * as z from "zod";
import type { Deps } from "../../ground/deps.ts";
import { CoherenceError } from "../../ground/errors.ts";
import * as Attempt from "../../work/attempt/index.ts";
import * as Task from "../../work/task/index.ts";
import { CLIENT_LEASE_MS } from "./budgets.ts";
import { create } from "./create.ts";
import { UNKNOWN_WORKER } from "./patch.ts";
import { LONGEST_KEY, sessionOf, sessionWrite } from "./session-key.ts";

/** What a client says of the work it is at (contract 1.1.3). */
export const UpsertActive = z.object({
  session_key: Task.trimmed(LONGEST_KEY),
  direction: Task.Create.shape.direction,
  task_type: Task.TaskType.default("impl"),
  worker_id: z.string().min(1).max(200).optional(),
  context: Task.ClientContext.optional(),
});
export type UpsertActive = z.infer<typeof UpsertActive>;

/** Ms for which a session's new task is kept for its own worker; its claim follows at once. */
const RESERVED_MS = 60_000;
/** Tries while others open the same session. */
const TRIES = 10;

/**
 * The one unfinished task of a session, claimed for its worker: found, or made and never started by the pipeline. One key has one
 * such task, whoever asks at once. Throws `task.claimed` (409) when another worker has it.
 */
export async function upsertActive(deps: Deps, input: UpsertActive): Promise<{ created: boolean; task: Task.Whole }> {
  const worker = input.worker_id?.trim() || UNKNOWN_WORKER;
  for (let attempt = 0; ; attempt++) {
    const { named, active } = await sessionOf(deps, input.session_key);
    try {
      if (active) return { created: false, task: await claimed(deps, active, worker) };
      const made = await open(deps, input, worker, named);
      return { created: true, task: await claimed(deps, made, worker) };
    } catch (error) {
      if (!(error instanceof CoherenceError) || attempt >= TRIES) throw error;
      // Another opened it meanwhile, whose task is this session's; or its task came to its end, and it has none.
      const raced = error.code === "idempotency.conflict" || (active && (await isOver(deps, active.id)));
      if (!raced) throw error;
    }
  }
}

async function isOver(deps: Deps, taskId: string): Promise<boolean> {
  const row = await Task.row(deps.store, taskId);
  return row !== undefined && Task.hasEnded(row.status);
}

async function open(
  deps: Deps,
  input: UpsertActive,
  worker: string,
  before: string | undefined,
): Promise<Task.TaskRow> {
  const context = {
    source: "external_active_session",
    ...input.context,
    session_key: input.session_key,
    dispatch: "external",
  };
  const { task } = await create(
    deps,
    { direction: input.direction, task_type: input.task_type, context },
    {
      reservedFor: { worker, until: deps.clock.now() + RESERVED_MS },
      also: (taskId) => [sessionWrite(input.session_key, taskId, before)],
    },
  );
  return task.row;
}

/** Claims it, or finds that its worker has it already, whose lease is then renewed. */
async function claimed(deps: Deps, row: Task.TaskRow, worker: string): Promise<Task.Whole> {
  if (row.status !== "running") {
    await claimOnce(deps, row.id, worker);
  } else {
    if (row.claimed_by !== worker || row.item) throw Attempt.alreadyClaimed(row, deps.clock.now());
    const attempt = await Attempt.read(deps.store, row.id, row.att);
    if (attempt?.by === "client" && attempt.ended_at === undefined)
      await Attempt.renew(deps.store, { taskId: row.id, n: attempt.n, turn: attempt.turn }, attempt.lease_ms);
  }
  const whole = await Task.read(deps.store, row.id);
  if (!whole) throw Attempt.alreadyClaimed(row, deps.clock.now());
  return whole;
}

/** A worker that asks twice at once has it once, and both are told so. */
async function claimOnce(deps: Deps, taskId: string, worker: string): Promise<void> {
  try {
    await Attempt.claim(deps, taskId, { by: "client", owner: worker, leaseMs: CLIENT_LEASE_MS });
  } catch (error) {
    if (!(error instanceof CoherenceError) || error.code !== "task.claimed") throw error;
    const row = await Task.row(deps.store, taskId);
    if (row?.status !== "running" || row.claimed_by !== worker) throw error;
  }
}
