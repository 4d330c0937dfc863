import { expect, it } from "vitest";
import * as Clock from "../../core/ground/clock.ts";
import * as Telemetry from "../../core/work/telemetry/index.ts";
import { testDeps } from "../support/deps.ts";

const MINUTE = 60_000;
const rows: Telemetry.Schedule[] = [
  { name: "dispatch", everyMinutes: 1, graceMinutes: 2 },
  { name: "reaper", everyMinutes: 5, graceMinutes: 5 },
  { name: "monitor", everyMinutes: 5, graceMinutes: 5 },
];

it("shows the last run of each schedule, and since when it is not well", async () => {
  const clock = Clock.virtual(1_700_000_000_000);
  const deps = await testDeps({ clock });
  expect(await Telemetry.pings(deps)).toEqual([]);
  await Telemetry.ping(deps, "reaper", { ok: true, ms: 12, detail: "nothing to do" });
  await clock.advance(MINUTE);
  await Telemetry.ping(deps, "reaper", { ok: false, ms: 3, detail: "store.unavailable" });
  expect(await Telemetry.pings(deps)).toMatchObject([
    { schedule: "reaper", at: 1_700_000_060_000, ok_at: 1_700_000_000_000, ok: false, ms: 3 },
  ]);
});

it("says which schedules missed a period although none runs any more", async () => {
  const clock = Clock.virtual(1_700_000_000_000);
  const deps = await testDeps({ clock });
  await Telemetry.ping(deps, "dispatch", { ok: true, ms: 1, detail: "" });
  await Telemetry.ping(deps, "reaper", { ok: false, ms: 1, detail: "x" });
  const pings = await Telemetry.pings(deps);
  const states = (after: number) => Telemetry.freshness(rows, pings, clock.now() + after).map((one) => one.state);
  expect(states(0)).toEqual(["fresh", "failing", "never"]);
  expect(states(3 * MINUTE)).toEqual(["fresh", "failing", "never"]);
  expect(states(3 * MINUTE + 1)).toEqual(["missed", "failing", "never"]);
  expect(states(11 * MINUTE)).toEqual(["missed", "missed", "never"]);
});
