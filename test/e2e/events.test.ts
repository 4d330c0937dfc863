import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import * as Clock from "../../core/ground/clock.ts";
import * as Config from "../../core/ground/config.ts";
import type { Event } from "../../core/ground/events/index.ts";
import * as Id from "../../core/ground/id.ts";
import * as Log from "../../core/ground/log.ts";
import * as Pipeline from "../../core/flow/pipeline/index.ts";
import type { Point } from "../../core/flow/worker/index.ts";
import type { AttemptRow } from "../../core/work/attempt/index.ts";
import * as Backlog from "../../core/work/backlog/index.ts";
import type { Scenario } from "../../core/work/provider/simulated/scenario.ts";
import { startHost } from "../../functions/local/host.ts";
import type { Host } from "../../functions/local/setting.ts";
import { parseOptions } from "../../functions/local/options.ts";
import { standing } from "../../functions/local/progress.ts";
import { drive, itemOf, otherHost, pushItems, rowOf, testPipeline } from "../support/pipeline.ts";
import { mainline, once, project, type Project } from "./project.ts";
import { faults, readTable, tableOf, type Table } from "./table.ts";

const WORKERS = 3;
const ITEMS = 4;
const RULES: Scenario["rules"] = [
  { match: { item: "item-01", phase: "review", round: 0 }, do: { step: "review_rejects", findings: ["No."] } },
  {
    match: { item: "item-02", phase: "spec", attempt: 1 },
    do: { step: "question", prompt: "How?", options: [], default: "so" },
  },
];

type Worked = { made: Project; base: string; table: Table; passed: { point: Point; what: string }[]; events: Event[] };

/** The real host in this process, its minutes `minuteMs` long, with events that go where `publish` says, until all is done. */
async function work(
  minuteMs: number,
  publish: (events: Event[], deliver: Host["events"]["publish"]) => Promise<void>,
): Promise<Worked> {
  const made = project(ITEMS, RULES, WORKERS);
  places.push(join(made.dir, ".."));
  const base = made.git("rev-parse", "HEAD");
  const system = Clock.system();
  const clock: Clock.Clock = { ...system, every: (ms, run) => system.every(ms === 60_000 ? minuteMs : ms, run) };
  const passed: Worked["passed"] = [];
  const events: Event[] = [];
  const host = await startHost({
    options: parseOptions(once(made)) as Exclude<ReturnType<typeof parseOptions>, "help">,
    directory: made.dir,
    config: Config.read(made.env),
    clock,
    id: Id.system(),
    log: Log.create("error"),
    say: () => {},
    signal: new AbortController().signal,
    at: (point, facts) => void passed.push({ point, what: JSON.stringify(facts) }),
  });
  const deliver = host.events.publish;
  host.events.publish = (...published) => (events.push(...published), publish(published, deliver));
  try {
    while (!(await standing(host.deps, "work", true)).settled) await system.sleep(50);
  } finally {
    await host.stop();
  }
  return { made, base, table: await tableOf(made.home), passed, events };
}

const places: string[] = [];
afterEach(() => places.splice(0).forEach((place) => rmSync(place, { recursive: true, force: true })));

/** All is done, merged once, nothing was run, counted or held twice. */
function expectOnce({ made, base, table, passed }: Worked): void {
  expect(table.items.map((item) => [item.state, item.round])).toEqual([
    ["done", 1],
    ["done", 0],
    ["done", 0],
    ["done", 0],
  ]);
  expect(faults(table)).toEqual([]);
  expect(mainline(made, base)).toHaveLength(ITEMS);
  // Four phases each; one question more, one round of impl, test and review more.
  expect(table.tasks).toHaveLength(4 * ITEMS + 3);
  expect(table.attempts).toHaveLength(4 * ITEMS + 4);
  for (const point of ["claimed", "agent-working", "committed", "outcome-written", "integrated", "settled"] as const) {
    const all = passed.filter((one) => one.point === point).map((one) => one.what);
    expect(new Set(all).size, `${point}: ${all.join(" ")}`).toBe(all.length);
  }
  expect(atOnce(table.attempts)).toBeLessThanOrEqual(WORKERS);
}

/** The most attempts that were open at one time. */
function atOnce(attempts: readonly AttemptRow[]): number {
  return Math.max(
    ...attempts.map(
      ({ claimed_at: at }) => attempts.filter((one) => one.claimed_at <= at && (one.ended_at ?? Infinity) > at).length,
    ),
  );
}

describe("losing and repeating events", () => {
  it("every event is dropped: the schedules alone finish the backlog", async () => {
    const worked = await work(200, async () => {});
    expectOnce(worked);
    expect(worked.events.length).toBeGreaterThan(40);
  }, 240_000);

  it("every event is delivered three times while three minutes a second pass by: nothing happens twice", async () => {
    const worked = await work(300, (events, deliver) => deliver(...events, ...events, ...events));
    expectOnce(worked);
  }, 240_000);
});

describe("two hosts at once", () => {
  it("their ticks and dispatches exceed no place and no slot, and make no task twice", async () => {
    const a = await testPipeline({ env: { AGENT_RUNNER_WORKERS: "5" } });
    const b = await otherHost(a, { id: "h2", incarnation: "two" });
    const ids = Array.from({ length: 12 }, (_, i) => `i${i + 1}`);
    await pushItems(a, ids);
    const made: string[] = [];
    const started: string[] = [];
    const most = { items: 0, attempts: 0 };
    for (let round = 0; round < 60; round++) {
      const ticks = await Promise.all([a, b, a, b].map((deps) => Pipeline.tick(deps)));
      const dispatched = await Promise.all(
        [a, b, b, a].map(async (deps) => ({ deps, ids: await Pipeline.dispatch(deps) })),
      );
      made.push(...ticks.flat());
      const { items, attempts } = await readTable(a.store);
      most.items = Math.max(most.items, items.filter((item) => Backlog.MOVING.includes(item.state)).length);
      most.attempts = Math.max(most.attempts, attempts.filter((one) => one.ended_at === undefined).length);
      // One of what runs ends with each step of theirs, so that they always find something to give away.
      for (const { deps, ids: mine } of dispatched)
        for (const id of mine) {
          const { att } = await rowOf(a, id);
          started.push(`${id}/${att}`);
          await Promise.all([
            drive(deps, id, att),
            Pipeline.tick(a),
            Pipeline.tick(b),
            Pipeline.dispatch(b).then(ran(b)),
            Pipeline.dispatch(a).then(ran(a)),
          ]);
        }
      if (items.every((item) => item.state === "done")) break;
    }
    function ran(deps: typeof a) {
      return async (taken: string[]) => {
        for (const id of taken) {
          const { att } = await rowOf(a, id);
          started.push(`${id}/${att}`);
          await drive(deps, id, att);
        }
      };
    }
    for (const id of ids) expect((await itemOf(a, id)).state).toBe("done");
    expect(most.items).toBe(5);
    expect(most.attempts).toBe(5);
    expect(new Set(made).size).toBe(made.length);
    expect(new Set(started).size).toBe(started.length);
    expect(started).toHaveLength(4 * ids.length);
    expect(a.requests).toHaveLength(4 * ids.length);
  });
});
