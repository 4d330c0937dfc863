import { describe, expect, test } from "vitest";
import * as Pipeline from "../../core/flow/pipeline/index.ts";
import { Event, type EventType } from "../../core/ground/events/index.ts";
import * as Provider from "../../core/work/provider/index.ts";
import { coalesce } from "../../functions/local/coalesce.ts";
import { localEvents } from "../../functions/local/events.ts";
import { react } from "../../functions/subscribers/subscribers.ts";
import { attemptOnce, failed, finished, held, newTask, rowOf, scripted, testPipeline } from "../support/pipeline.ts";

type Calls = { dispatch: number; tick: number };

async function reacted(event: Event, deps?: Pipeline.PipelineDeps): Promise<Calls> {
  const calls: Calls = { dispatch: 0, tick: 0 };
  const reactions = { dispatch: () => void calls.dispatch++, tick: () => void calls.tick++ };
  await react(deps ?? (await testPipeline()), reactions, event);
  return calls;
}

const EVENTS: { [T in EventType]: { event: Extract<Event, { type: T }>; calls: Calls } } = {
  "task.created": { event: { type: "task.created", taskId: "t" }, calls: { dispatch: 1, tick: 0 } },
  "task.queued": { event: { type: "task.queued", taskId: "t" }, calls: { dispatch: 1, tick: 0 } },
  "task.settled": {
    event: { type: "task.settled", taskId: "t", attempt: 1, backlog: "b" },
    calls: { dispatch: 0, tick: 1 },
  },
  "decision.given": { event: { type: "decision.given", taskId: "t" }, calls: { dispatch: 0, tick: 1 } },
  "backlog.pushed": { event: { type: "backlog.pushed", backlog: "b" }, calls: { dispatch: 0, tick: 1 } },
  "queue.resumed": { event: { type: "queue.resumed" }, calls: { dispatch: 1, tick: 0 } },
  "queue.unfinished": { event: { type: "queue.unfinished" }, calls: { dispatch: 1, tick: 0 } },
  "provider.ready": { event: { type: "provider.ready", provider: "alpha" }, calls: { dispatch: 1, tick: 0 } },
  "worker.seen": { event: { type: "worker.seen", worker: "w" }, calls: { dispatch: 1, tick: 0 } },
  "work.offered": {
    event: { type: "work.offered", worker: "w", taskId: "t", attempt: 1, turn: 1 },
    calls: { dispatch: 0, tick: 0 },
  },
  "execution.ended": {
    event: { type: "execution.ended", taskId: "t", attempt: 1, status: "FAILED" },
    calls: { dispatch: 1, tick: 0 },
  },
};

describe("the reaction to an event", () => {
  test("is known for every event of the catalogue", () => {
    const known = Event.options.map((option) => option.shape.type.value);
    expect(Object.keys(EVENTS).sort()).toEqual([...known].sort());
  });

  test.each(Object.values(EVENTS).map(({ event, calls }) => [event.type, event, calls] as const))(
    "%s: its verbs, on a task that is not there either",
    async (_, event, calls) => {
      expect(await reacted(event)).toEqual(calls);
    },
  );

  test("events carry ids only", () => {
    for (const { event } of Object.values(EVENTS)) {
      expect(Event.parse(event)).toEqual(event);
      expect(Object.values(event).every((value) => typeof value === "string" || typeof value === "number")).toBe(true);
    }
  });

  test("provider.ready wakes who is parked for that provider, nobody else; three times is once", async () => {
    const deps = await testPipeline({
      providers: [scripted("alpha", () => failed("rate_limit")), scripted("beta", () => failed("rate_limit"))],
    });
    const ids: string[] = [];
    for (const provider of ["alpha", "beta"]) {
      const id = await newTask(deps, { context: { provider } });
      await attemptOnce(deps, id);
      ids.push(id);
    }
    const [alpha = "", beta = ""] = ids;
    expect((await rowOf(deps, alpha)).wait_reason).toMatch(/^alpha:/);
    for (let i = 0; i < 3; i++) await reacted({ type: "provider.ready", provider: "alpha" }, deps);
    expect(await Pipeline.dispatch(deps)).toEqual([alpha]);
    expect((await rowOf(deps, alpha)).retry_not_before).toBeUndefined();
    expect((await rowOf(deps, beta)).retry_not_before).toBeDefined();
    expect(await Pipeline.dispatch(deps)).toEqual([]);
  });

  test("worker.seen wakes who waits for one, not who waits for a provider", async () => {
    const machine = { edits: true, runs_commands: true, where: "machine" as const, paid: false };
    const deps = await testPipeline({
      providers: [
        scripted("alpha", () => finished(), { capabilities: machine }),
        scripted("beta", () => failed("rate_limit")),
      ],
    });
    const waits = await newTask(deps, { context: { provider: "alpha" } });
    const cooling = await newTask(deps, { context: { provider: "beta" } });
    await attemptOnce(deps, waits);
    await attemptOnce(deps, cooling);
    await reacted({ type: "worker.seen", worker: "w1" }, deps);
    expect(await Pipeline.dispatch(deps)).toEqual([waits]);
    expect((await rowOf(deps, waits)).retry_not_before).toBeUndefined();
    expect((await rowOf(deps, cooling)).retry_not_before).toBe((await Provider.health(deps)).cooldowns[0]?.until);
  });

  test("execution.ended ends the attempt at once; three times spends one stall", async () => {
    const deps = await testPipeline();
    const { id } = await held(deps);
    const event: Event = { type: "execution.ended", taskId: id, attempt: 1, status: "ABORTED" };
    for (let i = 0; i < 3; i++) await reacted(event, deps);
    expect(await rowOf(deps, id)).toMatchObject({ status: "pending", stalls: 1, att: 1 });
  });

  test("execution.ended of an attempt with an outcome settles it rather than paying twice", async () => {
    const deps = await testPipeline();
    const id = await newTask(deps);
    await attemptOnce(deps, id);
    const before = await rowOf(deps, id);
    await reacted({ type: "execution.ended", taskId: id, attempt: 1, status: "FAILED" }, deps);
    expect(await rowOf(deps, id)).toEqual(before);
  });
});

/** Resolves when what is due by now has run. */
const settled = () => new Promise((resolve) => setTimeout(resolve, 5));

describe("coalesce", () => {
  test("never runs twice at once; asked for while it runs, it runs once more", async () => {
    let running = 0;
    let most = 0;
    let runs = 0;
    const job = coalesce(
      async () => {
        runs++;
        most = Math.max(most, ++running);
        await settled();
        running--;
      },
      () => {},
    );
    for (let i = 0; i < 10; i++) job();
    await settled();
    for (let i = 0; i < 10; i++) job();
    await job.idle();
    expect(most).toBe(1);
    expect(runs).toBeGreaterThanOrEqual(2);
    expect(runs).toBeLessThanOrEqual(3);
  });

  test("a run asked for at its very end is not lost", async () => {
    let runs = 0;
    let job = () => {};
    const made = coalesce(
      async () => {
        // Asked for by what the run itself publishes, as its last act.
        if (++runs < 3) void Promise.resolve().then(() => job());
      },
      () => {},
    );
    job = made;
    made();
    await settled();
    await made.idle();
    expect(runs).toBe(3);
  });

  test("what it throws goes to its hearer, and the next run runs", async () => {
    const heard: unknown[] = [];
    let runs = 0;
    const job = coalesce(
      async () => {
        if (++runs === 1) throw new Error("once");
      },
      (error) => heard.push(error),
    );
    job();
    await job.idle();
    job();
    await job.idle();
    expect(runs).toBe(2);
    expect(heard).toMatchObject([{ message: "once" }]);
  });

  test("a job that throws before it awaits, or whose hearer throws, does not stop it for good", async () => {
    let runs = 0;
    const job = coalesce(
      () => {
        runs++;
        throw new Error("at once");
      },
      () => {
        throw new Error("the hearer too");
      },
    );
    job();
    await job.idle()?.catch(() => {});
    await settled();
    job();
    await job.idle()?.catch(() => {});
    expect(runs).toBe(2);
  });
});

describe("local events", () => {
  const created = (taskId: string): Event => ({ type: "task.created", taskId });

  test("reach every subscriber, after the publisher has gone on", async () => {
    const events = localEvents(() => {});
    const seen: string[] = [];
    for (const name of ["one", "two"])
      events.subscribe(async (event) => void seen.push(`${name} ${"taskId" in event ? event.taskId : ""}`));
    const published = events.publish(created("a"), created("b"));
    expect(seen).toEqual([]);
    await published;
    await events.idle();
    expect(seen.sort()).toEqual(["one a", "one b", "two a", "two b"]);
  });

  test("a subscriber that fails fails alone, and its publisher never", async () => {
    const failures: string[] = [];
    const events = localEvents((event, error) => failures.push(`${event.type}: ${(error as Error).message}`));
    let seen = 0;
    events.subscribe(() => {
      throw new Error("at once");
    });
    events.subscribe(async () => {
      throw new Error("later");
    });
    events.subscribe(async () => void seen++);
    await expect(events.publish(created("a"))).resolves.toBeUndefined();
    await events.idle();
    expect(failures.sort()).toEqual(["task.created: at once", "task.created: later"]);
    expect(seen).toBe(1);
  });

  test("idle waits for what a delivery publishes in turn", async () => {
    const events = localEvents(() => {});
    const seen: string[] = [];
    events.subscribe(async (event) => {
      await settled();
      seen.push(event.type);
      if (event.type === "task.created") await events.publish({ type: "task.queued", taskId: "a" });
    });
    await events.publish(created("a"));
    await events.idle();
    expect(seen).toEqual(["task.created", "task.queued"]);
  });

  test("nothing is delivered after close, not even what was published just before", async () => {
    const events = localEvents(() => {});
    let seen = 0;
    events.subscribe(async () => void seen++);
    void events.publish(created("a"));
    events.close();
    await events.publish(created("b"));
    await events.idle();
    expect(seen).toBe(0);
  });
});
