import { expect, it } from "vitest";
import * as Clock from "../../../core/ground/clock.ts";
import { testDeps } from "../../support/deps.ts";
import { api } from "./support.ts";

const START = Date.UTC(2026, 0, 2, 3, 4, 5);

it.each([
  [0, "0s"],
  [59, "59s"],
  [60, "1m 0s"],
  [3_599, "59m 59s"],
  [3_600, "1h 0m 0s"],
  [90_061, "1d 1h 1m 1s"],
])("health and ready after %i s: six keys, whole seconds, %s", async (after, human) => {
  const clock = Clock.virtual(START + after * 1000 + 999);
  const app = await api({ on: await testDeps({ clock }), startedAt: START });
  const six = {
    version: "1.0.0",
    timestamp: new Date(START + after * 1000).toISOString().replace(".000Z", "Z"),
    started_at: "2026-01-02T03:04:05Z",
    uptime_seconds: after,
    uptime_human: human,
  };
  expect((await app.call("GET", "/api/health")).body).toEqual({ status: "ok", ...six });
  expect((await app.call("GET", "/api/ready")).body).toEqual({ status: "ready", ...six });
  expect((await app.call("GET", "/api/version")).body).toEqual({ version: "1.0.0" });
});
