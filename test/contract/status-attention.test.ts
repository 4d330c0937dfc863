import { describe, expect, it } from "vitest";
import { contract, inStatus, OWNER, type Contract } from "./support.ts";
import { type Item, status, ended } from "./status-support.ts";

describe("attention (4.2)", () => {
  const flags = async (app: Contract) => {
    const { attention } = await status(app);
    const { flags: up, ...each } = attention;
    // The list says what the flags say, in the contract's order.
    const order = ["stuck", "repeated_failures", "output_empty", "executor_fail", "low_success_rate"];
    expect(up).toEqual(order.filter((flag) => each[flag]));
    return up;
  };
  const MINUTES = 60_000;

  it("stuck: due for more than 10 minutes, and nothing moved", async () => {
    const app = await contract();
    await app.create();
    await app.clock.advance(10 * MINUTES);
    expect(await flags(app)).toEqual([]);
    await app.clock.advance(1000);
    expect(await flags(app)).toEqual(["stuck"]);
  });

  it.each<[string, (app: Contract) => Promise<unknown>]>([
    ["started", (app) => inStatus(app, "running")],
    ["finished", (app) => ended(app, "completed")],
    [
      "sent a heartbeat",
      async (app) => {
        const id = String(((await app.get("/api/agent/tasks?status=running")).body.tasks as Item[])[0]?.id);
        return app.patch(id, { progress_pct: 5, worker_id: OWNER });
      },
    ],
  ])("not stuck when something %s within them", async (_name, moves) => {
    const app = await contract();
    await app.create();
    await inStatus(app, "running");
    await app.clock.advance(11 * MINUTES);
    await moves(app);
    await app.clock.advance(9 * MINUTES);
    expect(await flags(app)).toEqual([]);
    await app.clock.advance(2 * MINUTES);
    expect(await flags(app)).toEqual(["stuck"]);
  });

  it("not stuck while all is paused: nothing of ours may start; what outside runners may take is", async () => {
    const app = await contract({ AGENT_AUTO_EXECUTE: "1" });
    await app.create();
    await app.post("/api/agent/queue/pause", { all: true });
    await app.clock.advance(11 * MINUTES);
    expect(await flags(app)).toEqual([]);
    await app.post("/api/agent/queue/resume", { all: true });
    expect(await flags(app)).toEqual(["stuck"]);
    await app.post("/api/agent/queue/pause", { all: true });
    await app.create({ context: { dispatch: "external" } });
    await app.clock.advance(11 * MINUTES);
    expect(await flags(app)).toEqual(["stuck"]);
  });

  it("not stuck while nothing is pending", async () => {
    const app = await contract();
    await inStatus(app, "running");
    await app.clock.advance(25 * MINUTES);
    expect(await flags(app)).toEqual([]);
  });

  it.each([
    [["failed", "failed", "failed"], true],
    [["completed", "failed", "failed", "failed"], true],
    [["failed", "failed"], false],
    [["failed", "failed", "failed", "completed"], false],
    [["failed", "completed", "failed", "failed"], false],
  ] as const)("repeated_failures after %j: %s", async (ends, up) => {
    const app = await contract();
    for (const end of ends) {
      await ended(app, end);
      await app.clock.advance(10);
    }
    expect(await flags(app)).toEqual(up ? ["repeated_failures"] : []);
  });

  it("repeated_failures of one type, though others complete between", async () => {
    const app = await contract();
    for (let i = 0; i < 3; i++) {
      await ended(app, "failed", { type: "spec" });
      await app.clock.advance(10);
      await ended(app, "completed", { type: "test" });
      await app.clock.advance(10);
    }
    expect(await flags(app)).toEqual(["repeated_failures"]);
  });

  it.each([
    ["completed", "output_empty"],
    ["failed", "executor_fail"],
  ] as const)("one of the last five that %s with nothing to show: %s", async (end, flag) => {
    const app = await contract();
    await ended(app, end, { output: "" });
    for (let i = 0; i < 4; i++) {
      await app.clock.advance(10);
      await ended(app, "completed");
      expect(await flags(app)).toEqual([flag]);
    }
    await app.clock.advance(10);
    await ended(app, "completed");
    expect(await flags(app)).toEqual([]);
  });

  it.each([
    [8, 2, false],
    [7, 3, true],
    [7, 2, false],
    [0, 9, false],
  ])("low_success_rate at %i completed and %i failed: %s", async (completed, failed, up) => {
    const app = await contract();
    for (let i = 0; i < failed; i++) await ended(app, "failed");
    await app.clock.advance(10);
    for (let i = 0; i < completed; i++) await ended(app, "completed");
    expect((await flags(app)).includes("low_success_rate")).toBe(up);
  });

  describe("the thresholds are settings", () => {
    it("PIPELINE_ATTENTION_STUCK_MINUTES", async () => {
      const app = await (await contract()).with({ PIPELINE_ATTENTION_STUCK_MINUTES: "2" });
      await app.create();
      await app.clock.advance(2 * MINUTES + 1000);
      expect(await flags(app)).toEqual(["stuck"]);
    });
    it("PIPELINE_ATTENTION_CONSECUTIVE_FAILURES", async () => {
      const app = await (await contract()).with({ PIPELINE_ATTENTION_CONSECUTIVE_FAILURES: "2" });
      for (let i = 0; i < 2; i++) await ended(app, "failed");
      expect(await flags(app)).toEqual(["repeated_failures"]);
    });
    it("PIPELINE_ATTENTION_MIN_TASKS and _SUCCESS_RATE_MIN", async () => {
      const env = { PIPELINE_ATTENTION_MIN_TASKS: "2", PIPELINE_ATTENTION_SUCCESS_RATE_MIN: "0.6" };
      const app = await (await contract()).with(env);
      await ended(app, "failed");
      await app.clock.advance(10);
      await ended(app, "completed");
      expect(await flags(app)).toEqual(["low_success_rate"]);
      await app.clock.advance(10);
      await ended(app, "completed");
      expect(await flags(app)).toEqual([]);
    });
  });
});
