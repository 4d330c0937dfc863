import { CoherenceError, fail } from "../../ground/errors.ts";
import * as Store from "../../ground/store/index.ts";
import { Keys, Lock } from "../../ground/store/index.ts";
import * as Backlog from "../../work/backlog/index.ts";
import * as Task from "../../work/task/index.ts";
import * as ProjectManager from "../project-manager/index.ts";
import { create } from "./create.ts";
import { mayStart, ownerOf, type PipelineDeps } from "./deps.ts";
import { dueTasks } from "./due.ts";
import { decide, move } from "./verbs.ts";

/** Ms that the manager's lock lasts; a tick is far shorter. */
const LOCK_MS = 60_000;
/** Items of one state that are looked at in one tick. */
const LOOK = 100;
const MANAGER = "manager";

/**
 * The project manager's step: answers due defaults, makes the tasks that moving items need, starts queued items where a place
 * is free. Under a lock; a second one at the same time does nothing. Returns the tasks it made.
 */
export async function tick(deps: PipelineDeps): Promise<string[]> {
  if (!mayStart(deps)) return [];
  const held = { name: MANAGER, owner: `${ownerOf(deps.host)}#${deps.id.hex(8)}` };
  if (!(await Lock.acquire(deps.store, held, LOCK_MS))) return [];
  try {
    await answerDue(deps);
    // What the lock's time ran out on makes nothing more: every step is conditional on the lock.
    const mine: Store.Write = { kind: "check", key: Keys.lock(MANAGER), if: { mine: Store.eq("owner", held.owner) } };
    const made: string[] = [];
    const { only } = deps.pace;
    const backlogs = (await Backlog.list(deps)).filter((backlog) => only === undefined || backlog.id === only);
    const going = await Promise.all(backlogs.map((backlog) => movingOf(deps, backlog)));
    for (const { moving } of going)
      for (const item of moving) if (item.task === undefined) made.push(...(await makeTask(deps, item, [mine])));
    let places = deps.config.workers - going.reduce((sum, { places }) => sum + places, 0);
    for (const backlog of backlogs) {
      if (places <= 0) break;
      const started = await startQueued(deps, backlog, places, mine);
      made.push(...started);
      places -= started.length;
    }
    return made;
  } finally {
    await Lock.release(deps.store, held);
  }
}

/** Takes the default answer of questions that are due; one without a default has waited long enough and fails. */
async function answerDue(deps: PipelineDeps): Promise<void> {
  const now = deps.clock.now();
  for await (const row of dueTasks(deps, LOOK)) {
    if (row.status !== "needs_decision" || row.decision_due === undefined || row.decision_due > now) continue;
    try {
      await answer(deps, row, now);
    } catch (error) {
      // A person was quicker; anything else concerns this task alone and must not hold up the others.
      if (!(error instanceof CoherenceError) || error.code !== "task.transition")
        deps.log.error({ taskId: row.id, err: error }, "a due question could not be answered");
    }
  }
}

async function answer(deps: PipelineDeps, row: Task.TaskRow, now: number): Promise<void> {
  if (row.decision_default !== undefined) await decide(deps, row.id, row.decision_default);
  else {
    const message = "nobody decided in time";
    await move(deps, row.id, (present) => {
      if (present.status !== "needs_decision" || (present.decision_due ?? Infinity) > now)
        throw fail("task.transition", "The question was answered meanwhile");
      return {
        to: "failed",
        actor: "reaper",
        class: "lost",
        message,
        change: { remove: ["decision_due"] },
        parts: {
          error: {
            class: "lost",
            message,
            excerpt: row.decision_prompt?.slice(-2000) ?? "",
            remedy: "Retry it, or raise PIPELINE_NEEDS_DECISION_TIMEOUT_HOURS.",
            retryable: true,
            who_acts: "user",
          },
        },
      };
    });
  }
}

/** The items of a backlog that move, and how many of them hold a place: parked ones hold none. */
async function movingOf(
  deps: PipelineDeps,
  backlog: Backlog.BacklogRow,
): Promise<{ moving: Backlog.ItemRow[]; places: number }> {
  const moving = (
    await Promise.all(Backlog.MOVING.map((state) => Backlog.inState(deps, backlog.id, state, LOOK)))
  ).flat();
  const tasks = await Store.getMany(
    deps.store,
    moving.slice(0, 100).flatMap((item) => (item.task === undefined ? [] : [Keys.task(item.task)])),
  );
  const parked = new Set(
    (tasks as unknown as (Task.TaskRow | undefined)[])
      .filter((task) => task?.status === "pending" && task.retry_not_before !== undefined)
      .map((task) => task?.id),
  );
  return { moving, places: moving.filter((item) => item.task === undefined || !parked.has(item.task)).length };
}

/** Starts queued items on so many places, product and meta by their ratio. Returns the tasks it made. */
async function startQueued(
  deps: PipelineDeps,
  backlog: Backlog.BacklogRow,
  places: number,
  mine: Store.Write,
): Promise<string[]> {
  const made: string[] = [];
  const queued = await queuedOf(deps, backlog.id);
  const product = queued.filter((item) => item.kind === "product");
  const meta = queued.filter((item) => item.kind === "meta");
  let { started_product: productStarted, started_meta: metaStarted } = backlog;
  while (made.length < places && deps.pace.itemsLeft > 0) {
    const side = Backlog.pick({
      productStarted,
      metaStarted,
      ratio: deps.config.metaRatio,
      productCanMove: product.length > 0,
      metaCanMove: meta.length > 0,
    });
    if (side === "none") break;
    const item = (side === "product" ? product : meta).shift();
    if (!item) break;
    await deps.at("tick", { item: item.id });
    const started = await makeTask(deps, item, [
      {
        kind: "update",
        key: Keys.backlog(backlog.id),
        add: side === "product" ? { started_product: 1 } : { started_meta: 1 },
      },
      mine,
    ]);
    if (started.length === 0) continue;
    made.push(...started);
    if (side === "product") productStarted++;
    else metaStarted++;
    deps.pace.itemsLeft--;
  }
  return made;
}

/** The head of the queue. Meta ranks among the product: where the head is all of one kind, what is behind it is looked at too. */
async function queuedOf(deps: PipelineDeps, backlog: string): Promise<Backlog.ItemRow[]> {
  const head = await Backlog.inState(deps, backlog, "queued", LOOK);
  if (head.length < LOOK || new Set(head.map((item) => item.kind)).size > 1) return head;
  return Backlog.items(deps, backlog, { state: "queued" });
}

/** Makes the task an item's step needs and names it on the item, in one transaction: the same step is the same task. */
async function makeTask(deps: PipelineDeps, item: Backlog.ItemRow, also: Store.Write[]): Promise<string[]> {
  const { input, ref } = ProjectManager.taskFor(item);
  const key = Backlog.taskKey(ref.backlog, ref.item, ref.seq);
  const now = deps.clock.now();
  const change: Backlog.ItemChange = {
    state: item.phase,
    seq: ref.seq,
    task: Task.idOfKey(key),
    ...(item.started_at === undefined ? { started_at: now } : {}),
  };
  try {
    const naming = [Backlog.advance(item, change, now), ...also];
    const { created, task } = await create(deps, Task.Create.parse(input), { key, item: ref, also: naming });
    // Made before and not named: the item takes it, unless it has moved on.
    return created || (await Store.tx(deps.store, naming)).ok ? [task.row.id] : [];
  } catch (error) {
    // The item moved on (a push changed it): the next tick reads it anew, and the others go on now.
    if (error instanceof CoherenceError && error.code === "idempotency.conflict") return [];
    throw error;
  }
}
