import { beforeAll, describe, expect, it } from "vitest";
import * as Attempt from "../../core/work/attempt/index.ts";
import { contract, inStatus, ms, OWNER, type Contract } from "./support.ts";
import { type Item, status, ended } from "./status-support.ts";

describe("pipeline-status (4.1)", () => {
  it("of an empty store is whole", async () => {
    expect(await status(await contract())).toMatchObject({
      running: [],
      pending: [],
      recent_completed: [],
      running_by_phase: { spec: 0, impl: 0, test: 0, review: 0 },
      latest_request: null,
      latest_response: null,
      attention: {
        stuck: false,
        repeated_failures: false,
        output_empty: false,
        executor_fail: false,
        low_success_rate: false,
        flags: [],
      },
      project_manager: null,
    });
  });

  describe("of many", () => {
    let app: Contract;
    const pending: string[] = [];
    const running: string[] = [];
    const over: string[] = [];
    beforeAll(async () => {
      app = await contract();
      for (let i = 0; i < 25; i++) {
        pending.push(await app.create({ task_type: i % 2 === 0 ? "spec" : "heal" }));
        await app.clock.advance(10);
      }
      for (let i = 0; i < 12; i++) running.push(await inStatus(app, "running", { task_type: "test" }));
      for (let i = 0; i < 14; i++) {
        const end = i % 3 === 0 ? "failed" : i % 3 === 1 ? "completed" : "needs_decision";
        over.push(await inStatus(app, end, { task_type: "review" }));
        await app.clock.advance(10);
      }
    });

    it("shows 10, 20 and 10 of them, the oldest pending and the last changed first", async () => {
      const now = await status(app);
      expect(now.running).toHaveLength(10);
      for (const one of now.running) expect(running).toContain(one.id);
      expect(now.pending.map((one) => one.id)).toEqual(pending.slice(0, 20));
      expect(now.recent_completed.map((one) => one.id)).toEqual([...over].reverse().slice(0, 10));
    });

    it("counts running and pending a phase before it cuts; heals are no phase", async () => {
      expect((await status(app)).running_by_phase).toEqual({ spec: 13, impl: 0, test: 12, review: 0 });
    });

    it("what needs a decision is among the recent", async () => {
      const { recent_completed } = await status(app);
      const there = new Set(recent_completed.map((one) => over.indexOf(one.id) % 3));
      expect(there).toEqual(new Set([0, 1, 2]));
    });

    it("the request is the first that runs, the response the last that ended", async () => {
      const now = await status(app);
      const first = await app.task(now.running[0]?.id ?? "");
      expect(now.latest_request).toMatchObject({ task_id: first.id, status: "running", direction: first.direction });
      expect(now.latest_response).toMatchObject({ task_id: over[13] });
    });
  });

  it("what nobody had worked on is among the recent too: cancelled, or asked about, and also after a pause of months", async () => {
    const app = await contract();
    const cancelled = await app.create();
    await app.post(`/api/agent/tasks/${cancelled}/cancel`);
    await app.clock.advance(10);
    const asks = await app.create();
    expect((await app.patch(asks, { status: "needs_decision", decision_prompt: "which?" })).status).toBe(200);
    expect((await status(app)).recent_completed.map((one) => one.id)).toEqual([asks, cancelled]);
    await app.clock.advance(150 * 86_400_000);
    expect((await status(app)).recent_completed.map((one) => one.id)).toEqual([asks, cancelled]);
  });

  it("an item's seconds: waiting, running, from start to end", async () => {
    const app = await contract();
    const waits = await app.create({ direction: "w".repeat(300) });
    await app.clock.advance(1500);
    const runs = await inStatus(app, "running");
    const done = await ended(app, "completed", { ms: 7900, output: "o".repeat(50) });
    const asks = await inStatus(app, "needs_decision");
    await app.clock.advance(2999);
    const now = await status(app);
    const item = (list: Item[], id: string) => list.find((one) => one.id === id);
    const all = { wait_seconds: null, running_seconds: null, duration_seconds: null };
    // Whole seconds, cut off.
    expect(item(now.pending, waits)).toMatchObject({ ...all, wait_seconds: 14, updated_at: "None", claimed_by: null });
    expect(item(now.pending, waits)?.direction).toBe("w".repeat(100));
    expect(item(now.running, runs)).toMatchObject({ ...all, running_seconds: 12, claimed_by: OWNER });
    expect(item(now.recent_completed, done)).toMatchObject({ ...all, duration_seconds: 7, output_len: 50 });
    expect(item(now.recent_completed, asks)).toMatchObject({ ...all, output_len: 0 });
    const shown = item(now.recent_completed, done);
    const task = await app.task(done);
    expect([ms(shown?.created_at), ms(shown?.updated_at)]).toEqual([ms(task.created_at), ms(task.updated_at)]);
  });

  it("one that runs and has no log has a live tail of null", async () => {
    const app = await contract();
    await inStatus(app, "running");
    expect((await status(app)).running[0]).toHaveProperty("live_tail", null);
  });

  it("the first that runs shows the last 20 lines of its log, blank ones left out", async () => {
    const app = await contract();
    const id = await inStatus(app, "running");
    const writer = Attempt.logWriter(app.deps.store, app.clock, { taskId: id, n: 1, turn: 1 }, ["# task"]);
    for (let i = 1; i <= 30; i++) {
      writer.line(`line ${i}`);
      if (i % 3 === 0) writer.line("  ");
    }
    await writer.end({ seconds: 1, exit: 0, status: "completed" });
    const tail = (await status(app)).running[0]?.live_tail as string[];
    expect(tail).toHaveLength(20);
    // The footer is the last of them.
    expect(tail.slice(0, 19)).toEqual(Array.from({ length: 19 }, (_, i) => `line ${i + 12}`));
  });

  it("previews are cut: 500 of the prompt, 2 000 of the output, whose length is whole", async () => {
    const app = await contract();
    await ended(app, "completed", { output: "o".repeat(3500) });
    const runs = await app.create({ direction: "d".repeat(3000) });
    await app.patch(runs, { status: "running", worker_id: OWNER });
    const { latest_request, latest_response } = await status(app);
    expect(latest_request).toMatchObject({ task_id: runs });
    expect(String(latest_request?.prompt_preview)).toHaveLength(500);
    expect(latest_response).toMatchObject({ output_preview: "o".repeat(2000), output_len: 3500 });
  });
});
