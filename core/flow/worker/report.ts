import type { Deps } from "../../ground/deps.ts";
import { Lock } from "../../ground/store/index.ts";
import * as Store from "../../ground/store/index.ts";
import * as Attempt from "../../work/attempt/index.ts";
import * as Provider from "../../work/provider/index.ts";
import * as Backlog from "../../work/backlog/index.ts";
import * as Task from "../../work/task/index.ts";
import type { At, Order, Report } from "./order.ts";

/** How a run that reported through the table came out, for the state machine's next step. */
export type Reported = "outcome" | "fallback" | "continue";

/** Ms that a lock lasts without the renewals that come with the lease. */
const LOCK_MS = 60_000;

/** The report of a worker in this process: it writes the table, fenced by the turn. */
export function tableReport(
  deps: Deps,
  order: Order,
  at: At,
): { report: Report; reported(): Reported; close(): Promise<void> } {
  const { ref } = order;
  const owner = `${ref.taskId}/${ref.n}/${ref.turn}`;
  const begun = deps.clock.now();
  const locks = new Set<string>();
  /** The last renewal of the locks; one after the other. */
  let renewing = Promise.resolve();
  const renewLocks = async () => {
    for (const name of locks) await Lock.acquire(deps.store, { name, owner }, LOCK_MS);
  };
  let result: Reported = "fallback";
  let status = "ended";
  let used = order.spent;
  let asked = false;
  /** Absent while nobody knows any of it. */
  const known = () => (Task.isKnown(used) ? used : undefined);
  const log = Attempt.logWriter(
    deps.store,
    deps.clock,
    ref,
    [
      `# task_id=${ref.taskId} attempt=${ref.n} turn=${ref.turn} status=running`,
      `# command=${order.candidate.provider} ${order.candidate.model} (${order.prompt.variant})`,
    ],
    undefined,
  );
  const report: Report = {
    log: log.line,
    async renew(step) {
      // The fence first: a turn that lost its attempt must not keep others from the lock.
      if (!(await Attempt.renew(deps.store, ref, order.limits.leaseMs, step.slice(0, 200), known()))) return false;
      if (order.tests) await Provider.keepTesting(deps, order.tests, Attempt.nameOf(ref));
      renewing = renewing.then(renewLocks, renewLocks);
      await renewing;
      return true;
    },
    async save(name, value) {
      await Attempt.save(deps.store, ref, name, JSON.stringify(value), known());
    },
    async saved<T>(name: string, open?: boolean) {
      return Attempt.saved<T>(deps.store, ref, name, open);
    },
    async began(base) {
      if (!order.item) return;
      const item = await Backlog.item(deps, order.item.backlog, order.item.item);
      if (item?.task === ref.taskId && item.base === undefined)
        await Store.write(deps.store, Backlog.advance(item, { base }, deps.clock.now()));
    },
    async lock(name, signal) {
      await Lock.waitFor(deps.store, { name, owner }, LOCK_MS, signal);
      locks.add(name);
      return async () => {
        locks.delete(name);
        // A renewal that is under way would take the lock again behind its release.
        await renewing.catch(() => {});
        await Lock.release(deps.store, { name, owner });
      };
    },
    used(usage) {
      asked = true;
      used = usage;
    },
    async outcome(outcome, evidence, output, usage) {
      used = usage;
      // As much as the task will keep: a unit of capacity a kilobyte.
      await Attempt.recordOutcome(
        deps.store,
        ref,
        outcome,
        { evidence, output: Task.headAndTail(output) },
        usage,
        asked,
      );
      result = "outcome";
      status = outcome.kind;
      await at("outcome-written", ref);
    },
    async fail(failure, output, usage) {
      await Attempt.leaveFailure(deps.store, ref, {
        failure,
        output: Task.headAndTail(output),
        usage,
        ms: deps.clock.now() - begun,
      });
      status = `failed (${failure.class})`;
      log.line(`[pipeline] ${failure.class}: ${failure.message}`);
    },
    async postpone(why) {
      await Attempt.postpone(deps.store, ref, why);
      result = "outcome";
      status = "postponed";
    },
    async pause() {
      result = "continue";
      status = "paused";
    },
  };
  return {
    report,
    reported: () => result,
    close: () =>
      log.end({
        seconds: (deps.clock.now() - begun) / 1000,
        exit: result === "outcome" ? 0 : result === "continue" ? null : 1,
        status,
      }),
  };
}
