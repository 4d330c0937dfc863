import { beforeEach, expect, it } from "vitest";
import * as Store from "../../core/ground/store/index.ts";
import { Keys } from "../../core/ground/store/index.ts";
import * as Worker from "../../core/flow/worker/index.ts";
import * as Attempt from "../../core/work/attempt/index.ts";
import { NO_USAGE } from "../../core/work/task/index.ts";
import { attemptOf, entered, held, testPipeline, USAGE, type TestPipeline } from "../support/pipeline.ts";
import { between } from "../support/wire.ts";

const NAME = "merge#backlog";
const never = new AbortController().signal;

let deps: TestPipeline;
beforeEach(async () => {
  deps = await testPipeline();
});

/** A task in its first turn, and the report of its worker, which writes through `store`. */
async function begun(store: Store.Store = deps.store) {
  const ref = await entered(deps, await held(deps));
  const order: Worker.Order = {
    ref,
    task: { id: ref.taskId, type: "impl", direction: "Work" },
    candidate: { provider: "alpha", model: "m1", where: "inline", reason: "" },
    spent: NO_USAGE,
    prompt: { text: "", sha256: "", variant: "impl" },
    tree: null,
    limits: { timeoutMs: 60_000, leaseMs: 60_000 },
  };
  return { ref, report: Worker.tableReport({ ...deps, store }, order, () => {}).report };
}

const lockRow = () => Store.get(deps.store, Keys.lock(NAME));

/** A store whose writes of the lock stand still from `stop` to `go`; `waiting` resolves when one does. */
function gated() {
  const state = { stopped: false, go: () => {}, reached: () => {} };
  const opened = new Promise<void>((resolve) => (state.go = resolve));
  const waiting = new Promise<void>((resolve) => (state.reached = resolve));
  const store = { ...deps.store };
  between(store, async (operation, input, next) => {
    if (operation === "UpdateItem" && JSON.stringify(input).includes(Keys.lock(NAME).pk) && state.stopped) {
      state.reached();
      await opened;
    }
    return next();
  });
  return { store, stop: () => (state.stopped = true), go: () => state.go(), waiting };
}

it("a lock is renewed with the lease while it is held", async () => {
  const { report } = await begun();
  await report.lock(NAME, never);
  const until = (await lockRow())?.until as number;
  await deps.clock.advance(10_000);
  expect(await report.renew("merging")).toBe(true);
  expect((await lockRow())?.until).toBe(until + 10_000);
});

it("a renewal under way does not take a lock again behind its release", async () => {
  const gate = gated();
  const { report } = await begun(gate.store);
  const unlock = await report.lock(NAME, never);
  gate.stop();
  const renewed = report.renew("merging");
  await gate.waiting;
  const unlocked = unlock();
  // Whatever a release does without waiting is done by then.
  await Promise.race([unlocked, new Promise((resolve) => setTimeout(resolve, 200))]);
  gate.go();
  expect(await renewed).toBe(true);
  await unlocked;
  expect(await lockRow()).toBeUndefined();
});

it("a turn that lost its attempt does not renew its lock", async () => {
  const { ref, report } = await begun();
  await report.lock(NAME, never);
  const before = await lockRow();
  await Attempt.enter(deps.store, ref.taskId, ref.n, 0, 60_000); // a later turn holds the attempt
  await deps.clock.advance(10_000);
  expect(await report.renew("merging")).toBe(false);
  expect(await lockRow()).toEqual(before);
});

it("what the go has used so far lies with the attempt at the next renewal, and at once with what is saved", async () => {
  const { ref, report } = await begun();
  const kept = async () => (await attemptOf(deps, ref.taskId, ref.n)).usage;
  await report.renew("working");
  expect(await kept()).toBeUndefined();
  report.used(USAGE);
  expect(await kept()).toBeUndefined();
  await report.renew("working");
  expect(await kept()).toEqual(USAGE);
  const more = { ...USAGE, cost_usd: 2 };
  report.used(more);
  await report.save("finished", { output: "said" });
  expect(await kept()).toEqual(more);
});
