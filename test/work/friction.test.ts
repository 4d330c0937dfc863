import { beforeEach, describe, expect, it } from "vitest";
import * as Clock from "../../core/ground/clock.ts";
import * as Store from "../../core/ground/store/index.ts";
import * as Friction from "../../core/work/friction/index.ts";
import { FailureClass } from "../../core/work/task/index.ts";
import { testDeps, type TestDeps } from "../support/deps.ts";
import { between } from "../support/wire.ts";

const START = Date.UTC(2026, 4, 20, 12);
let clock: Clock.VirtualClock;
let deps: TestDeps;
beforeEach(async () => {
  clock = Clock.virtual(START);
  deps = await testDeps({ clock });
});

const met = (taskId: string, more: Partial<Friction.Met> = {}): Friction.Met => ({
  provider: "claude",
  reason: "payment",
  taskId,
  message: "billing is off",
  ...more,
});
const events = () => Store.queryAll(deps.store, { pk: "FR#20260520" });

it("FAILURES 48: 184 blocked attempts are one open episode, closed once by the first that is served", async () => {
  await Promise.all(Array.from({ length: 184 }, (_, i) => Friction.open(deps, met(`task_${i}`, { costUsd: 0.5 }))));
  const [episode, ...others] = await Friction.openEpisodes(deps);
  expect(others).toEqual([]);
  expect(episode).toMatchObject({
    provider: "claude",
    reason: "payment",
    count: 184,
    first_seen: START,
    status: "open",
    stage: "agent_execution",
    owner: "agent_pipeline",
    energy_loss_estimate: 92,
  });
  expect(episode?.id).toMatch(/^fric_[0-9a-f]{12}$/);
  expect(await events()).toEqual([]);

  await clock.advance(90 * 60_000);
  await Promise.all([Friction.close(deps, "claude"), Friction.close(deps, "claude")]);
  expect(await Friction.openEpisodes(deps)).toEqual([]);
  const [event, ...more] = await events();
  expect(more).toEqual([]);
  expect(event).toMatchObject({
    id: episode?.id,
    status: "resolved",
    time_open_hours: 1.5,
    resolved_at: "2026-05-20T13:30:00.000Z",
  });
  expect(Friction.FrictionEvent.safeParse(event).success).toBe(true);
});

it("keeps reasons and providers apart, and leaves other providers' episodes open", async () => {
  await Friction.open(deps, met("a"));
  await Friction.open(deps, met("b", { reason: "rate_limit" }));
  await Friction.open(deps, met("c", { provider: "claude-api" }));
  await Friction.close(deps, "claude");
  expect((await Friction.openEpisodes(deps)).map((one) => [one.provider, one.count])).toEqual([["claude-api", 1]]);
});

it("leaves an episode open that is met again while it is being closed, and opens a new one afterwards", async () => {
  await Friction.open(deps, met("a"));
  let interfere = true;
  between(deps.store, async (operation, _, next) => {
    if (operation === "TransactWriteItems" && interfere) {
      interfere = false;
      await Friction.open(deps, met("b"));
    }
    return next();
  });
  await Friction.close(deps, "claude");
  const [still] = await Friction.openEpisodes(deps);
  expect(still).toMatchObject({ count: 2, last_task: "b" });
  await Friction.close(deps, "claude");
  await Friction.open(deps, met("c"));
  const [anew] = await Friction.openEpisodes(deps);
  expect(anew?.count).toBe(1);
  expect(anew?.id).not.toBe(still?.id);
});

describe("every reason", () => {
  const cases = [...FailureClass.options, "paid_provider_blocked", "cost_overrun", "something else", "constructor"];
  it.each(cases)("%s makes a whole event of the contract", async (reason) => {
    await Friction.open(deps, met("a", { reason, message: "x".repeat(5000) }));
    const [episode] = await Friction.openEpisodes(deps);
    expect(Friction.FrictionEvent.safeParse(episode).error).toBeUndefined();
    expect(episode?.notes?.length).toBeLessThanOrEqual(1200);
  });

  it("carries the contract's words where it has some", async () => {
    await Friction.open(deps, met("a", { reason: "paid_provider_blocked" }));
    await Friction.open(deps, met("a", { reason: "internal" }));
    await Friction.open(deps, met("a", { reason: "overloaded" }));
    expect((await Friction.openEpisodes(deps)).map((one) => [one.block_type, one.severity])).toEqual([
      ["unexpected_execution_exception", "critical"],
      ["tool_failure", "high"],
      ["paid_provider_blocked", "high"],
    ]);
  });
});
