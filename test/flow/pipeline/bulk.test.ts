import { describe, expect, it } from "vitest";
import * as Pipeline from "../../../core/flow/pipeline/index.ts";
import * as Store from "../../../core/ground/store/index.ts";
import { Keys } from "../../../core/ground/store/index.ts";
import {
  held,
  meanwhile,
  newTask,
  partition,
  pushItems,
  records,
  rowOf,
  testPipeline,
  untilStill,
  wholeOf,
  type TestPipeline,
} from "../../support/pipeline.ts";

const dry = { dryRun: true, limit: 100 };
const wet = { dryRun: false, limit: 100 };
const WEATHER = { task_type: "spec" } as const;

describe("a bulk change", () => {
  it.each(["cancel", "retry"] as const)("%s: needs a condition", async (action) => {
    const deps = await testPipeline();
    await expect(Pipeline.bulk(deps, action, {}, wet)).rejects.toMatchObject({ code: "input.invalid" });
  });

  it("says in a dry run what it would do, and does nothing", async () => {
    const deps = await testPipeline();
    const first = await newTask(deps, WEATHER);
    await deps.clock.advance(1);
    const ids = [first, await newTask(deps, WEATHER)];
    await newTask(deps);
    expect(await Pipeline.bulk(deps, "cancel", WEATHER, dry)).toEqual({ matched: 2, ids, refused: [], skipped: 0 });
    expect(await Pipeline.bulk(deps, "cancel", WEATHER, { dryRun: true, limit: 1 })).toMatchObject({
      matched: 2,
      ids: ids.slice(0, 1),
    });
    for (const id of ids) expect((await rowOf(deps, id)).status).toBe("pending");
  });

  it("cancels what waits, runs and asks, each as its own verb does, and counts each once", async () => {
    const deps = await testPipeline();
    const pending = await newTask(deps, WEATHER);
    const running = await held(deps, WEATHER);
    await deps.clock.advance(1);
    const asking = await newTask(deps, WEATHER);
    await Pipeline.update(deps, asking, { status: "needs_decision" }, { kind: "operator" });
    const other = await newTask(deps);
    const done = await Pipeline.bulk(deps, "cancel", WEATHER, { ...wet, reason: "rain" });
    expect(done).toEqual({ matched: 3, ids: [pending, asking, running.id], refused: [], skipped: 0 });
    for (const id of done.ids)
      expect(await rowOf(deps, id)).toMatchObject({ status: "cancelled", wait_reason: "cancelled: rain" });
    expect((await rowOf(deps, other)).status).toBe("pending");
    expect(await Pipeline.bulk(deps, "cancel", WEATHER, wet)).toEqual({ matched: 0, ids: [], refused: [], skipped: 0 });
    const back = await Pipeline.bulk(deps, "retry", { status: "cancelled" }, wet);
    expect(back.matched).toBe(3);
    expect((await rowOf(deps, pending)).status).toBe("pending");
    expect((await records(deps)).filter(({ status }) => status !== null)).toEqual([]);
  });

  describe("meets a task that has moved out of its filter since it was found", () => {
    const begun = async (deps: TestPipeline, id: string) =>
      void (await Pipeline.update(deps, id, { status: "running", worker_id: "w" }, { kind: "operator" }));
    const twice = async (deps: TestPipeline, id: string) => {
      await Pipeline.retry(deps, id);
      await Pipeline.cancel(deps, id);
    };

    it.each([
      ["before it is read again", "read", "ST#pending"],
      ["before it is written", "write", "T#"],
    ] as const)("%s: it is left as it is, and counted as passed over", async (_what, when, text) => {
      const deps = await testPipeline();
      const first = await newTask(deps);
      await deps.clock.advance(1);
      const second = await newTask(deps);
      let after: Store.Item[] = [];
      meanwhile(deps.store, when, text, async () => {
        await begun(deps, first);
        after = await partition(deps, first);
      });
      const done = await Pipeline.bulk(deps, "cancel", { status: "pending" }, wet);
      expect(after).not.toEqual([]);
      expect(done).toEqual({ matched: 2, ids: [second], refused: [], skipped: 1 });
      expect(await partition(deps, first)).toEqual(after);
    });

    it("by its worker: another's run of it goes on", async () => {
      const deps = await testPipeline();
      const id = await newTask(deps);
      await begun(deps, id);
      meanwhile(deps.store, "write", `T#${id}`, async () => {
        await Pipeline.release(deps, id);
        await Pipeline.update(deps, id, { status: "running", worker_id: "w2" }, { kind: "operator" });
      });
      expect(await Pipeline.bulk(deps, "cancel", { claimed_by: "w" }, wet)).toMatchObject({ ids: [], skipped: 1 });
      expect(await rowOf(deps, id)).toMatchObject({ status: "running", claimed_by: "w2" });
    });

    it("a retry: what failed is begun again only while it has failed", async () => {
      const deps = await testPipeline();
      const id = await newTask(deps);
      await Pipeline.update(deps, id, { status: "failed", error: "x" }, { kind: "operator" });
      meanwhile(deps.store, "write", `T#${id}`, () => twice(deps, id));
      expect(await Pipeline.bulk(deps, "retry", { status: "failed" }, wet)).toMatchObject({ ids: [], skipped: 1 });
      expect((await rowOf(deps, id)).status).toBe("cancelled");
    });

    it("one that still fits is changed, whatever came between", async () => {
      const deps = await testPipeline();
      const id = await newTask(deps);
      meanwhile(deps.store, "write", `T#${id}`, () => begun(deps, id));
      expect(await Pipeline.bulk(deps, "cancel", { task_type: "impl" }, wet)).toMatchObject({ ids: [id], skipped: 0 });
      expect((await rowOf(deps, id)).status).toBe("cancelled");
    });
  });

  it("goes on behind its cursor, past what is refused", async () => {
    const deps = await testPipeline();
    await pushItems(deps, ["a"]);
    await untilStill(deps);
    const ids = [];
    for (let i = 0; i < 5; i++) {
      ids.push(await newTask(deps));
      await deps.clock.advance(1);
    }
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await Pipeline.bulk(deps, "cancel", { status: "pending" }, { ...wet, limit: 2, cursor });
      expect(page.ids.length).toBeLessThanOrEqual(2);
      seen.push(...page.ids);
      cursor = page.cursor;
    } while (cursor !== undefined);
    expect(seen).toEqual(ids);
  });

  it("tells what it could not change, with the reason, and goes on", async () => {
    const deps = await testPipeline({ env: { AGENT_RUNNER_WORKERS: "1" } });
    await pushItems(deps, ["a"]);
    const [task = ""] = await Pipeline.tick(deps);
    await Pipeline.cancel(deps, task);
    await pushItems(deps, []);
    await Pipeline.push(deps, { id: "b", kind: "product", text: "1. Other {#other}\n" });
    const loose = await newTask(deps);
    await Pipeline.cancel(deps, loose);
    const done = await Pipeline.bulk(deps, "retry", { status: "cancelled" }, wet);
    expect(done.ids).toEqual([loose]);
    expect(done.refused).toMatchObject([{ id: task, code: "task.of_item" }]);
    expect((await rowOf(deps, task)).status).toBe("cancelled");
  });

  it("filters by backlog, worker and time, and by all of them at once", async () => {
    const deps = await testPipeline();
    const a = await newTask(deps);
    await Pipeline.update(deps, a, { status: "running", worker_id: "w" }, { kind: "operator" });
    await deps.clock.advance(1000);
    const middle = new Date(deps.clock.now()).toISOString();
    await deps.clock.advance(1000);
    const b = await newTask(deps);
    await deps.clock.advance(1);
    await pushItems(deps, ["x"]);
    const [ofItem = ""] = await Pipeline.tick(deps);
    const ids = async (filter: Pipeline.Filter) => (await Pipeline.bulk(deps, "cancel", filter, dry)).ids;
    expect(await ids({ claimed_by: "w" })).toEqual([a]);
    expect(await ids({ created_before: middle })).toEqual([a]);
    expect(await ids({ created_after: middle })).toEqual([b, ofItem]);
    expect(await ids({ backlog: "b" })).toEqual([ofItem]);
    expect(await ids({ backlog: "b", claimed_by: "w" })).toEqual([]);
  });

  it("looks at no more than 10 000 tasks a call, whether they fit or not, and the cursor goes on behind them", async () => {
    const deps = await testPipeline();
    const created_at = deps.clock.now();
    const rows = Array.from({ length: 10_000 }, (_, i) => {
      const id = `task_${String(i).padStart(16, "0")}`;
      const row = { ent: "task", id, task_type: "impl", status: "pending", created_at };
      return { ...Keys.task(id), ...Keys.byStatus("pending", created_at, id), ...row };
    });
    const table = deps.store.table;
    const written = Array.from({ length: rows.length / 25 }, (_, i) => rows.slice(i * 25, i * 25 + 25)).map((some) =>
      deps.store.wire("BatchWriteItem", {
        RequestItems: { [table]: some.map((row) => ({ PutRequest: { Item: Store.toAttributes(row) as never } })) },
      }),
    );
    await Promise.all(written);
    await deps.clock.advance(1);
    const id = await newTask(deps, WEATHER);
    const first = await Pipeline.bulk(deps, "cancel", WEATHER, dry);
    expect(first).toEqual({ matched: 0, ids: [], refused: [], skipped: 0, cursor: expect.any(String) as string });
    expect(await Pipeline.bulk(deps, "cancel", WEATHER, { ...dry, cursor: first.cursor })).toEqual({
      matched: 1,
      ids: [id],
      refused: [],
      skipped: 0,
    });
  });

  it.each([
    ["cancel", "completed"],
    ["retry", "pending"],
  ] as const)("%s refuses the status %s, and a cursor of another call", async (action, status) => {
    const deps = await testPipeline();
    await expect(Pipeline.bulk(deps, action, { status }, dry)).rejects.toMatchObject({ code: "input.invalid" });
    await expect(
      Pipeline.bulk(deps, action, { task_type: "impl" }, { ...dry, cursor: "bm90IG9uZQ" }),
    ).rejects.toMatchObject({ code: "input.cursor" });
  });
});

describe("control by a task's context", () => {
  const patch = (deps: Parameters<typeof Pipeline.update>[0], id: string, context: Record<string, unknown>) =>
    Pipeline.update(deps, id, { context }, { kind: "operator" });

  it.each([
    { abort_requested: true, abort_reason: "wrong branch" },
    { control_abort: "yes", control: { reason: "wrong branch" } },
    { control: { abort: 1, note: "wrong branch" } },
    { control: { action: "abort", message: "wrong branch" } },
    { control: { state: "abort", reason: "wrong branch" } },
  ])("%j ends our own run, and no later write of it lands", async (context) => {
    const deps = await testPipeline();
    const one = await held(deps);
    const { row } = await patch(deps, one.id, context);
    expect(row).toMatchObject({ status: "cancelled", wait_reason: "cancelled: aborted: wrong branch" });
    await Pipeline.settle(deps, { taskId: one.id, attempt: one.attempt });
    expect((await rowOf(deps, one.id)).status).toBe("cancelled");
  });

  it("ends what waits for us; a run of an outside runner is that runner's", async () => {
    const deps = await testPipeline();
    const waits = await newTask(deps);
    expect((await patch(deps, waits, { abort_requested: "true" })).row.status).toBe("cancelled");
    const theirs = await newTask(deps, { context: { dispatch: "external" } });
    expect((await patch(deps, theirs, { abort_requested: true })).row.status).toBe("pending");
    await Pipeline.update(deps, theirs, { status: "running", worker_id: "w" }, { kind: "operator" });
    expect((await patch(deps, theirs, { abort_requested: true })).row.status).toBe("running");
  });

  it.each([{ abort_requested: false }, { control: { action: "go" } }, { control: "abort" }, { control_abort: 0 }])(
    "%j is no abort",
    async (context) => {
      const deps = await testPipeline();
      const one = await held(deps);
      expect((await patch(deps, one.id, context)).row.status).toBe("running");
    },
  );

  it("steering stops our run and asks; the answer queues it again", async () => {
    const deps = await testPipeline();
    const one = await held(deps);
    const { row } = await patch(deps, one.id, { steering_requested: true, steering_reason: "too wide" });
    expect(row).toMatchObject({ status: "needs_decision", current_step: "awaiting steering" });
    expect(row.decision_prompt).toContain("too wide");
    expect(row.decision_due).toBeUndefined();
    expect((await Pipeline.decide(deps, one.id, "only the parser")).row.status).toBe("pending");
  });

  it("a question about the way expires as any other", async () => {
    const deps = await testPipeline({ env: { PIPELINE_NEEDS_DECISION_TIMEOUT_HOURS: "1" } });
    const one = await held(deps);
    const { row } = await patch(deps, one.id, { steering_requested: true });
    expect(row.decision_due).toBe(deps.clock.now() + 3_600_000);
    await deps.clock.advance(3_600_000);
    await Pipeline.tick(deps);
    expect((await rowOf(deps, one.id)).status).toBe("failed");
  });

  it("FAILURES 23: a diagnosis is answered as rejected, and its command is run by nobody", async () => {
    const deps = await testPipeline();
    const one = await held(deps);
    await patch(deps, one.id, { diagnostic_request: { id: "d1", command: "touch /tmp/owned", timeout_seconds: 5 } });
    const { row, parts } = await wholeOf(deps, one.id);
    expect(row.status).toBe("running");
    expect(parts.context).toMatchObject({
      diagnostic_last_completed_id: "d1",
      diagnostic_last_result: { id: "d1", status: "rejected" },
    });
  });
});
