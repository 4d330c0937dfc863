import { beforeAll, describe, expect, it } from "vitest";
import { expectShape, Runner, Runners } from "./shapes.ts";
import { contract, ms, type Body, type Contract } from "./support.ts";

/** Contract 1.4: the register of runners. */

let app: Contract;
let made = 0;
beforeAll(async () => {
  app = await contract();
});
const name = () => `runner-${made++}`;
const beat = async (body: Body, on = app) => {
  const answer = await on.post("/api/agent/runners/heartbeat", body);
  expect(answer.status, answer.text).toBe(200);
  expectShape(Runner, answer.body);
  return answer.body as Body & { metadata: Body };
};
const list = async (query = "", on = app) => {
  const answer = await on.get(`/api/agent/runners${query}`);
  expect(answer.status, answer.text).toBe(200);
  expectShape(Runners, answer.body);
  return answer.body as { runners: (Body & { runner_id: string })[]; total: number };
};

describe("a heartbeat", () => {
  it("with an id alone: idle, online for 90 s, the rest empty", async () => {
    const runner_id = name();
    const runner = await beat({ runner_id });
    expect(runner).toMatchObject({
      runner_id,
      status: "idle",
      online: true,
      host: "",
      pid: null,
      version: "",
      active_task_id: "",
      active_run_id: "",
      last_error: "",
      metadata: {},
    });
    expect(ms(runner.lease_expires_at) - app.clock.now()).toBe(90_000);
    for (const key of ["last_seen_at", "updated_at"]) expect(ms(runner[key])).toBe(app.clock.now());
  });

  it("shows all that was said, and the list shows the same", async () => {
    const said = {
      runner_id: name(),
      status: "running",
      host: "box",
      pid: 42,
      version: "agent_runner.py",
      active_task_id: "task_0000000000000001",
      active_run_id: "run_1",
      last_error: "none yet",
    };
    const runner = await beat({ ...said, lease_seconds: 45, metadata: { region: "eu" }, capabilities: { gpu: true } });
    expect(runner).toMatchObject(said);
    expect(runner.metadata).toMatchObject({ region: "eu", capabilities: { gpu: true } });
    expect(ms(runner.lease_expires_at) - app.clock.now()).toBe(45_000);
    expect((await list()).runners.find((one) => one.runner_id === said.runner_id)).toEqual(runner);
  });

  it.each([
    ["idle", "idle"],
    ["running", "running"],
    ["offline", "offline"],
    ["degraded", "degraded"],
    ["RUNNING", "running"],
    ["Degraded", "degraded"],
    ["BUSY", "idle"],
    ["updating", "idle"],
  ])("the status %s is kept as %s", async (given, kept) => {
    expect((await beat({ runner_id: name(), status: given })).status).toBe(kept);
  });

  it("overwrites all of the one before: what is left out is empty again", async () => {
    const runner_id = name();
    await beat({ runner_id, status: "running", host: "box", pid: 1, last_error: "x", metadata: { a: 1 } });
    await app.clock.advance(1000);
    expect(await beat({ runner_id })).toMatchObject({
      status: "idle",
      host: "",
      pid: null,
      last_error: "",
      metadata: {},
    });
  });

  it.each([" ", "\t\n"])("from nobody (%j) is 422, not a fault of ours", async (runner_id) => {
    expect((await app.post("/api/agent/runners/heartbeat", { runner_id })).status).toBe(422);
  });
});

describe("the list", () => {
  let own: Contract;
  beforeAll(async () => {
    own = await contract();
    for (const [runner_id, lease_seconds] of [
      ["short", 10],
      ["long", 3600],
      ["usual", 90],
    ] as const) {
      await beat({ runner_id, lease_seconds }, own);
      await own.clock.advance(1000);
    }
  });
  const ids = async (query = "") => {
    const { runners, total } = await list(query, own);
    expect(total).toBe(runners.length);
    return runners.map((one) => one.runner_id);
  };

  it("of nobody is empty", async () => {
    expect(await list("", await contract())).toEqual({ runners: [], total: 0 });
  });

  it("is by when they were last seen, the latest first", async () => {
    expect(await ids()).toEqual(["usual", "long", "short"]);
    await beat({ runner_id: "short", lease_seconds: 10 }, own);
    expect(await ids()).toEqual(["short", "usual", "long"]);
  });

  it.each([
    ["?limit=1", 1],
    ["?limit=2", 2],
    ["?limit=500", 3],
  ])("%s has %i, and its total is what it shows", async (query, n) => {
    expect(await ids(query)).toHaveLength(n);
  });

  it("hides those whose lease has run out, unless it is asked for them", async () => {
    await beat({ runner_id: "short", lease_seconds: 10 }, own);
    await own.clock.advance(9999);
    expect(await ids()).toContain("short");
    await own.clock.advance(1);
    expect(await ids()).toEqual(["usual", "long"]);
    const all = await list("?include_stale=true", own);
    expect(all.runners.map((one) => [one.runner_id, one.online])).toEqual([
      ["short", false],
      ["usual", true],
      ["long", true],
    ]);
    for (const word of ["false", "0", "no", "off"]) expect(await ids(`?include_stale=${word}`)).not.toContain("short");
    for (const word of ["1", "yes", "on"]) expect(await ids(`?include_stale=${word}`)).toContain("short");
  });
});
