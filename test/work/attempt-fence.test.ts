import { beforeAll, describe, expect, it } from "vitest";
import * as Store from "../../core/ground/store/index.ts";
import * as Pipeline from "../../core/flow/pipeline/index.ts";
import * as Attempt from "../../core/work/attempt/index.ts";
import * as Task from "../../core/work/task/index.ts";
import {
  attemptOf,
  entered,
  finished,
  held,
  hold,
  inTurn,
  partition,
  scripted,
  testPipeline,
  USAGE,
  wholeOf,
  type TestPipeline,
} from "../support/pipeline.ts";

let deps: TestPipeline;
beforeAll(async () => {
  const good = inTurn(finished());
  deps = await testPipeline({ providers: [scripted("alpha", good), scripted("beta", good)] });
});

const PASSED: Task.Outcome = { kind: "passed" };
const PART: Attempt.OutcomePart = { evidence: null, output: "late" };
const TRIED: Task.Tried = { provider: "alpha", model: "m1", turn: 1, class: "crash", message: "", ms: 1, usage: USAGE };
const enter = (ref: Attempt.TurnRef, candidate = 0) =>
  Attempt.enter(deps.store, ref.taskId, ref.n, candidate, deps.work.leaseMs);

/** What counts: parts and log chunks of a turn lie beside it and count only when the attempt names them. */
async function whatCounts(id: string) {
  return (await partition(deps, id)).filter((item) => !/^(A#\d+#|L#)/.test(item.sk));
}

/** Every write of a turn; each must say whether it was taken. */
const WRITES: [string, (ref: Attempt.TurnRef, as: Attempt.AttemptRow) => Promise<boolean>][] = [
  ["renew", (ref) => Attempt.renew(deps.store, ref, 60_000, "late")],
  ["save", (ref) => Attempt.save(deps.store, ref, "x", '"late"')],
  ["postpone", (ref) => Attempt.postpone(deps.store, ref, "late")],
  ["recordOutcome", (ref) => Attempt.recordOutcome(deps.store, ref, PASSED, PART, USAGE)],
  ["recordFailure", (_, as) => Attempt.recordFailure(deps.store, as, TRIED, 1)],
  [
    "endWrite",
    async (_, as) => {
      const end = { status: "completed", class: null, message: "late" } as const;
      return (await Store.write(deps.store, Attempt.endWrite(as, end, deps.clock.now(), true))).ok;
    },
  ],
];

type Stale = { ref: Attempt.TurnRef; as: Attempt.AttemptRow };

/** How a turn that once held an attempt comes to be late. */
const LATE: [string, () => Promise<Stale>][] = [
  [
    "a turn that was entered again",
    async () => {
      const ref = await entered(deps, await held(deps));
      const as = await attemptOf(deps, ref.taskId, ref.n);
      expect((await enter(ref)).kind).toBe("entered");
      return { ref, as };
    },
  ],
  [
    "a turn whose candidate failed and made room for the next",
    async () => {
      const ref = await entered(deps, await held(deps));
      const as = await attemptOf(deps, ref.taskId, ref.n);
      await Attempt.recordFailure(deps.store, as, TRIED, 1);
      expect((await enter(ref, 1)).kind).toBe("entered");
      return { ref, as };
    },
  ],
  [
    "an attempt that was settled",
    async () => {
      const one = await held(deps);
      const ref = await entered(deps, one);
      const as = await attemptOf(deps, ref.taskId, ref.n);
      await Attempt.recordOutcome(deps.store, ref, PASSED, PART, USAGE);
      await Pipeline.settle(deps, { taskId: ref.taskId, attempt: ref.n });
      return { ref, as };
    },
  ],
  [
    "an attempt that was cancelled",
    async () => {
      const ref = await entered(deps, await held(deps));
      const as = await attemptOf(deps, ref.taskId, ref.n);
      await Pipeline.cancel(deps, ref.taskId);
      return { ref, as };
    },
  ],
  [
    "an old attempt, while the next one works",
    async () => {
      const ref = await entered(deps, await held(deps));
      const as = await attemptOf(deps, ref.taskId, ref.n);
      await Pipeline.release(deps, ref.taskId);
      const next = await entered(deps, await hold(deps, ref.taskId));
      expect(next.n).toBe(ref.n + 1);
      return { ref, as };
    },
  ],
];

describe("FAILURES 19, 27, 31: the fence: a late writer changes nothing", () => {
  it.each(LATE.flatMap(([late, make]) => WRITES.map(([name, write]) => [name, late, make, write] as const)))(
    "%s of %s",
    async (_name, _late, make, write) => {
      const { ref, as } = await make();
      const before = await whatCounts(ref.taskId);
      expect(await write(ref, as)).toBe(false);
      expect(await whatCounts(ref.taskId)).toEqual(before);
    },
  );

  it.each(LATE.slice(2))("entering again after %s", async (_name, make) => {
    const { ref } = await make();
    const before = await whatCounts(ref.taskId);
    expect((await enter(ref)).kind).toBe("stale");
    expect(await whatCounts(ref.taskId)).toEqual(before);
  });

  it("a timed-out candidate writes nothing once its failure is recorded, also before the next one enters", async () => {
    const ref = await entered(deps, await held(deps));
    await Pipeline.recordFailure(deps, { taskId: ref.taskId, attempt: ref.n, candidate: 0, kind: "fallback" });
    const as = await attemptOf(deps, ref.taskId, ref.n);
    expect(as).toMatchObject({ chosen: -1, failed_turn: 1 });
    const before = await whatCounts(ref.taskId);
    for (const [name, write] of WRITES.slice(0, -1)) expect(await write(ref, as), name).toBe(false);
    expect(await whatCounts(ref.taskId)).toEqual(before);
  });

  it("a late outcome is not taken for the next turn's: only the part that the attempt names is read", async () => {
    const ref = await entered(deps, await held(deps));
    await enter(ref);
    expect(await Attempt.recordOutcome(deps.store, ref, PASSED, PART, USAGE)).toBe(false);
    const now = { ...ref, turn: 2 };
    const part = { evidence: null, output: "in time" };
    expect(await Attempt.recordOutcome(deps.store, now, { kind: "red" }, part, USAGE)).toBe(true);
    const attempt = await attemptOf(deps, ref.taskId, ref.n);
    expect(await Attempt.readOutcome(deps.store, attempt)).toEqual(part);
    expect(attempt.outcome).toEqual({ kind: "red" });
  });
});

describe("an outcome is paid once", () => {
  it("entering again returns the outcome that is there, and raises no turn", async () => {
    const ref = await entered(deps, await held(deps));
    await Attempt.recordOutcome(deps.store, ref, PASSED, PART, USAGE);
    const before = await partition(deps, ref.taskId);
    const again = await enter(ref);
    expect(again).toMatchObject({ kind: "served", attempt: { outcome: PASSED, turn: 1 } });
    expect(await partition(deps, ref.taskId)).toEqual(before);
  });

  it("invoking again asks no provider", async () => {
    const one = await held(deps);
    const begun = deps.requests.length;
    const plan = await Pipeline.plan(deps, { taskId: one.id, attempt: one.attempt });
    for (const _ of [1, 2, 3])
      expect((await Pipeline.invoke(deps, plan, new AbortController().signal)).kind).toBe("outcome");
    expect(deps.requests.length - begun).toBe(1);
  });

  it("a second outcome of the same turn changes nothing", async () => {
    const ref = await entered(deps, await held(deps));
    await Attempt.recordOutcome(deps.store, ref, PASSED, PART, USAGE);
    const before = await partition(deps, ref.taskId);
    expect(await Attempt.recordOutcome(deps.store, ref, { kind: "red" }, PART, USAGE)).toBe(false);
    expect(await partition(deps, ref.taskId)).toEqual(before);
  });

  it("three entries at once: each has a turn of its own, the last one holds it", async () => {
    const ref = await entered(deps, await held(deps));
    const turns = await Promise.all([1, 2, 3].map(() => enter(ref)));
    expect(turns.map((one) => one.attempt?.turn).sort()).toEqual([2, 3, 4]);
    const held3 = await Promise.all([2, 3, 4].map((turn) => Attempt.renew(deps.store, { ...ref, turn }, 1000)));
    expect(held3).toEqual([false, false, true]);
  });
});

describe("plan and failure, once", () => {
  it("a plan repeated changes nothing and answers the same", async () => {
    const one = await held(deps);
    const first = await Pipeline.plan(deps, { taskId: one.id, attempt: one.attempt });
    const before = await partition(deps, one.id);
    expect(await Pipeline.plan(deps, { taskId: one.id, attempt: one.attempt })).toEqual(first);
    expect(await partition(deps, one.id)).toEqual(before);
  });

  it("two plans at once agree", async () => {
    const one = await held(deps);
    const plans = await Promise.all([1, 2, 3].map(() => Pipeline.plan(deps, { taskId: one.id, attempt: one.attempt })));
    expect(plans).toEqual([plans[0], plans[0], plans[0]]);
    expect(plans[0]).toMatchObject({ candidate: 0, kind: "inline" });
  });

  it("a plan of an ended attempt chooses nobody", async () => {
    const one = await held(deps);
    await Pipeline.cancel(deps, one.id);
    const before = await partition(deps, one.id);
    expect((await Pipeline.plan(deps, { taskId: one.id, attempt: one.attempt })).kind).toBe("none");
    expect(await partition(deps, one.id)).toEqual(before);
  });

  it("RecordFailure repeated, one after the other and three at once, records once and answers the same", async () => {
    const ref = await entered(deps, await held(deps));
    await Attempt.leaveFailure(deps.store, ref, {
      failure: { class: "rate_limit", message: "429" },
      output: "",
      usage: USAGE,
      ms: 5,
    });
    const input = { taskId: ref.taskId, attempt: ref.n, candidate: 0, kind: "fallback" } as const;
    const at3 = await Promise.all([1, 2, 3].map(() => Pipeline.recordFailure(deps, input)));
    expect(at3).toEqual([at3[0], at3[0], at3[0]]);
    expect(at3[0]).toMatchObject({ candidate: 1, kind: "inline" });
    expect(await Pipeline.recordFailure(deps, input)).toEqual(at3[0]);
    const attempt = await attemptOf(deps, ref.taskId, ref.n);
    expect(attempt.tried).toMatchObject([{ provider: "alpha", turn: 1, class: "rate_limit", ms: 5, usage: USAGE }]);
  });

  it("a failure left twice is the first one's", async () => {
    const ref = await entered(deps, await held(deps));
    const part = (message: string) => ({
      failure: { class: "crash" as const, message },
      output: "",
      usage: USAGE,
      ms: 1,
    });
    await Attempt.leaveFailure(deps.store, ref, part("first"));
    await Attempt.leaveFailure(deps.store, ref, part("second"));
    expect((await Attempt.readFailure(deps.store, ref))?.failure.message).toBe("first");
  });
});

describe("saved progress", () => {
  it("the newest of a name is found, over turns and attempts; with an outcome it is no progress", async () => {
    const ref = await entered(deps, await held(deps));
    await Attempt.save(deps.store, ref, "finished", '"one"');
    await enter(ref);
    await Attempt.save(deps.store, { ...ref, turn: 2 }, "finished", '"two"');
    const next = { taskId: ref.taskId, n: 2 };
    expect(await Attempt.saved(deps.store, ref, "finished")).toEqual({ value: "two", n: 1, turn: 2 });
    expect(await Attempt.saved(deps.store, next, "finished", true)).toEqual({ value: "two", n: 1, turn: 2 });
    expect(await Attempt.saved(deps.store, next, "other")).toBeUndefined();
    await Attempt.recordOutcome(deps.store, { ...ref, turn: 2 }, PASSED, PART, USAGE);
    expect(await Attempt.saved(deps.store, next, "finished", true)).toBeUndefined();
  });
});

describe("FAILURES 15: the log of a turn", () => {
  it("is kept whole in chunks with header and footer, also when a chunk ends within an emoji", async () => {
    const ref = await entered(deps, await held(deps));
    const log = Attempt.logWriter(deps.store, deps.clock, ref, ["# task_id=x"], undefined);
    const line = "😀".repeat(50_000);
    for (let i = 0; i < 6; i++) log.line(line);
    log.line(`half \ud83d of one`);
    await log.end({ seconds: 1.25, exit: 0, status: "passed" });
    log.line("dropped");
    const page = await Attempt.readLog(deps.store, ref.taskId, 0);
    const end = await Attempt.readLog(deps.store, ref.taskId);
    expect(page?.truncated).toBe(true);
    expect(page?.text.startsWith(`# task_id=x\n---\n${line}\n`)).toBe(true);
    expect(end?.text.endsWith(`\nhalf \ufffd of one\n# duration_seconds=1.3 exit=0 status=passed\n`)).toBe(true);
    expect(end?.text).not.toContain("dropped");
    let [whole, at] = ["", 0];
    for (;;) {
      const next = await Attempt.readLog(deps.store, ref.taskId, at);
      whole += next?.text ?? "";
      at = next?.next ?? 0;
      if (!next?.truncated) break;
    }
    expect(Buffer.byteLength(whole)).toBe(end?.next);
    expect(whole.split("\ufffd")).toHaveLength(2);
    expect(end?.text.split("\ufffd")).toHaveLength(2);
  });

  it("a task without a log has none", async () => {
    const one = await held(deps);
    expect(await Attempt.readLog(deps.store, one.id)).toBeUndefined();
    expect((await wholeOf(deps, one.id)).parts.output).toBeUndefined();
  });
});
