import { expect, test } from "vitest";
import * as Clock from "../../core/ground/clock.ts";
import * as Provider from "../../core/work/provider/index.ts";
import * as Telemetry from "../../core/work/telemetry/index.ts";
import * as Pipeline from "../../core/flow/pipeline/index.ts";
import { runSchedule, SCHEDULES, type Schedule } from "../../functions/schedules/table.ts";
import { finished, held, newTask, NOON, pushItems, rowOf, scripted, testPipeline } from "../support/pipeline.ts";

const named = (name: string): Schedule => {
  const found = SCHEDULES.find((one) => one.name === name);
  if (!found) throw new Error(`no schedule ${name}`);
  return found;
};

test("each row has a name of its own, a period that EventBridge takes and a grace", () => {
  expect(new Set(SCHEDULES.map((one) => one.name)).size).toBe(SCHEDULES.length);
  for (const one of SCHEDULES) {
    expect(Number.isInteger(one.everyMinutes) && one.everyMinutes >= 1, one.name).toBe(true);
    expect(one.graceMinutes, one.name).toBeGreaterThanOrEqual(1);
    expect(one.name).toMatch(/^[a-z-]+$/);
  }
});

test.each(SCHEDULES.map((one) => [one.name, one] as const))(
  "%s runs on an empty table and pings",
  async (name, row) => {
    const deps = await testPipeline();
    await runSchedule(deps, row);
    const [ping] = await Telemetry.pings(deps);
    expect(ping).toMatchObject({ schedule: name, ok: true, at: deps.clock.now(), ok_at: deps.clock.now() });
    expect(ping?.detail).not.toBe("");
  },
);

test("a schedule that fails pings so, keeps when it was last well, and throws nothing", async () => {
  const deps = await testPipeline();
  const row: Schedule = { ...named("dispatch"), handler: async () => "well" };
  await runSchedule(deps, row);
  await deps.clock.advance(60_000);
  const handler = async () => {
    throw new Error("the secret of the table");
  };
  await runSchedule(deps, { ...row, handler });
  const [ping] = await Telemetry.pings(deps);
  expect(ping).toMatchObject({ ok: false, at: NOON + 60_000, ok_at: NOON, detail: "failed; see the log" });
  expect(JSON.stringify(ping)).not.toContain("secret");
});

test("a schedule whose ping fails too throws nothing: the table is away", async () => {
  const deps = await testPipeline();
  const gone = { ...deps, store: { ...deps.store, table: "there-is-no-such-table" } };
  for (const row of SCHEDULES) await expect(runSchedule(gone, row)).resolves.toBeUndefined();
  expect(await Telemetry.pings(deps)).toEqual([]);
});

test("all at once, twice, harm nothing", async () => {
  const deps = await testPipeline();
  await pushItems(deps, ["a", "b"]);
  const twice = [...SCHEDULES, ...SCHEDULES];
  await Promise.all(twice.map((row) => runSchedule(deps, row)));
  expect((await Telemetry.pings(deps)).every((ping) => ping.ok)).toBe(true);
  await runSchedule(deps, named("dispatch"));
  expect(new Set(deps.started).size).toBe(deps.started.length);
  expect(deps.started).toHaveLength(2);
});

test("dispatch starts what waits", async () => {
  const deps = await testPipeline();
  const id = await newTask(deps);
  await runSchedule(deps, named("dispatch"));
  expect(deps.started).toEqual([`${id}-1`]);
  expect((await Telemetry.pings(deps))[0]?.detail).toBe("1 started");
});

test("the reaper ends what nobody holds", async () => {
  const deps = await testPipeline();
  const { id } = await held(deps);
  await deps.clock.advance(Pipeline.CLAIM_LEASE_MS + 1);
  await runSchedule(deps, named("reaper"));
  expect(await rowOf(deps, id)).toMatchObject({ status: "pending", stalls: 1 });
  expect((await Telemetry.pings(deps))[0]?.detail).toContain("1 reaped");
});

test("the project manager makes the tasks that items need", async () => {
  const deps = await testPipeline();
  await pushItems(deps, ["a", "b"]);
  await runSchedule(deps, named("project-manager"));
  expect((await Telemetry.pings(deps))[0]?.detail).toBe("2 tasks made");
});

test("readiness asks again every 15 minutes, and every minute who was out of reach", async () => {
  const clock = Clock.virtual(NOON);
  const asked: string[] = [];
  const provider = (name: string, transient: boolean) => ({
    ...scripted(name, () => finished()),
    probe: async () => (asked.push(name), { ready: false as const, detail: "", remedy: "", transient }),
  });
  const deps = await testPipeline({ clock, providers: [provider("keyless", false), provider("away", true)] });
  const run = async () => {
    asked.length = 0;
    await runSchedule(deps, named("readiness"));
    return asked;
  };
  await Provider.probeAll(deps, deps.providers.all());
  await clock.advance(60_000);
  expect(await run()).toEqual(["away"]);
  await clock.advance(14 * 60_000);
  expect(await run()).toEqual(["keyless", "away"]);
});

test("freshness is computed on read: a schedule that stopped shows as missed", async () => {
  const deps = await testPipeline();
  await runSchedule(deps, named("dispatch"));
  const stateAt = async (minutes: number) => {
    const all = Telemetry.freshness(SCHEDULES, await Telemetry.pings(deps), NOON + minutes * 60_000);
    return Object.fromEntries(all.map((one) => [one.schedule, one.state]));
  };
  expect(await stateAt(2)).toMatchObject({ dispatch: "fresh", reaper: "never" });
  expect(await stateAt(4)).toMatchObject({ dispatch: "missed" });
});

test("the rows run by a clock, each in its period", async () => {
  const clock = Clock.virtual(NOON);
  const runs: string[] = [];
  const stops = SCHEDULES.map((row) => clock.every(row.everyMinutes * 60_000, () => runs.push(row.name)));
  await clock.advance(30 * 60_000);
  stops.forEach((stop) => stop());
  await clock.advance(30 * 60_000);
  for (const row of SCHEDULES)
    expect(runs.filter((name) => name === row.name)).toHaveLength(Math.floor(30 / row.everyMinutes));
});
