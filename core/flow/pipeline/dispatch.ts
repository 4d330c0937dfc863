import * as Store from "../../ground/store/index.ts";
import { Keys } from "../../ground/store/index.ts";
import { CoherenceError } from "../../ground/errors.ts";
import * as Workflow from "../../ground/workflow/index.ts";
import * as Attempt from "../../work/attempt/index.ts";
import * as Task from "../../work/task/index.ts";
import { CLAIM_LEASE_MS } from "./budgets.ts";
import { mayStart, ownerOf, type PipelineDeps } from "./deps.ts";
import { dueTasks } from "./due.ts";

type Slot = { task: string; attempt: number };
type LockRow = { version: number; slots: Slot[] };

/** Parked tasks promoted in one run; the next event or minute goes on. */
const BATCH = 50;

/**
 * Gives free slots to the head of the queue. Idempotent and safe to run at once anywhere: a claim and its slot are one
 * transaction on the lock's version. Returns the tasks it started.
 */
export async function dispatch(deps: PipelineDeps): Promise<string[]> {
  if (!mayStart(deps)) return [];
  await promote(deps);
  const started: string[] = [];
  const lock = await readLock(deps);
  let { version, slots } = lock;
  const passed = new Set<string>();
  while (slots.length < deps.config.workers) {
    const page = await Store.query(deps.store, {
      index: "gsi3",
      pk: Keys.queuePartition("pipeline"),
      // Past those that cannot be claimed (leased by outside runners), or they would hold up all behind them.
      limit: Math.min(Store.MAX_LIMIT, deps.config.workers - slots.length + passed.size + 2),
    });
    const next = page.items.map((item) => item.pk.slice(2)).filter((id) => !passed.has(id));
    if (next.length === 0) break;
    for (const id of next) {
      if (slots.length >= deps.config.workers) break;
      passed.add(id);
      const row = await Task.row(deps.store, id);
      if (row?.status !== "pending" || row.queue !== "pipeline" || (row.retry_not_before ?? 0) > deps.clock.now())
        continue;
      if (deps.pace.only !== undefined && row.item && row.item.backlog !== deps.pace.only) continue;
      const taken = [...slots, { task: id, attempt: row.att + 1 }];
      const outcome = await Store.tx(deps.store, (now) => [
        ...Attempt.claimWrites(deps, row, { by: "pipeline", owner: ownerOf(deps.host), leaseMs: CLAIM_LEASE_MS }, now)
          .writes,
        lockWrite(version, taken),
      ]);
      if (!outcome.ok) {
        // Another dispatch moved the lock: its view is newer, ours starts over with the next event.
        if (outcome.refused.some((refusal) => refusal.key.pk === Keys.lock("dispatch").pk)) return started;
        continue;
      }
      version++;
      slots = taken;
      started.push(id);
      await deps.at("claimed", { taskId: id, attempt: row.att + 1 });
      await start(deps, id, row.att + 1);
    }
    if (page.cursor === undefined) break;
  }
  return started;
}

/** Starts the execution; one that exists already was started by whoever held the slot before a crash. */
async function start(deps: PipelineDeps, taskId: string, attempt: number): Promise<void> {
  try {
    await deps.workflow.start(Workflow.nameOf(taskId, attempt), { taskId, attempt });
  } catch (error) {
    if (error instanceof CoherenceError && error.code === "workflow.exists") return;
    // The lease of a minute ends by itself and the reaper gives the task back.
    deps.log.error({ taskId, attempt, err: error }, "the execution could not be started");
  }
}

/** The lock with the slots whose attempts have not ended. */
async function readLock(deps: PipelineDeps): Promise<LockRow> {
  const item = (await Store.get(deps.store, Keys.lock("dispatch"))) as unknown as LockRow | undefined;
  const slots = item?.slots ?? [];
  const attempts = await Store.getMany(
    deps.store,
    slots.map((slot) => Keys.attempt(slot.task, slot.attempt)),
  );
  return {
    version: item?.version ?? 0,
    slots: slots.filter((_, i) => attempts[i] && attempts[i].ended_at === undefined),
  };
}

function lockWrite(version: number, slots: Slot[]): Store.Write {
  return {
    kind: "update",
    key: Keys.lock("dispatch"),
    set: { ent: "lock", slots, version: version + 1 },
    if: { version: version === 0 ? Store.absent("version") : Store.eq("version", version) },
  };
}

/** Puts parked tasks that are due back into the queue. */
async function promote(deps: PipelineDeps): Promise<void> {
  for await (const row of dueTasks(deps, BATCH))
    if (row.status === "pending") await Store.write(deps.store, Task.wake(row));
}

/** Wakes tasks that are parked with one of these reasons' beginnings: the event that ends their waiting came. */
export async function wake(deps: PipelineDeps, matches: (reason: string) => boolean): Promise<void> {
  const page = await Store.query(deps.store, { index: "gsi3", pk: Keys.DELAYED, limit: BATCH * 4 });
  for (const item of page.items) {
    const row = await Task.row(deps.store, item.pk.slice(2));
    if (row?.status === "pending" && matches(row.wait_reason ?? "")) await Store.write(deps.store, Task.wake(row));
  }
}

/** When the next parked task or due default comes up, in ms; undefined when none waits. */
export async function nextDue(deps: PipelineDeps): Promise<number | undefined> {
  const page = await Store.query(deps.store, { index: "gsi3", pk: Keys.DELAYED, limit: 1 });
  const due = Number(page.items[0]?.gsi3sk?.toString().slice(0, 13));
  return Number.isFinite(due) ? due : undefined;
}
