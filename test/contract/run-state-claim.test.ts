import { describe, expect, it } from "vitest";
import * as Task from "../../core/work/task/index.ts";
import { api } from "../functions/api/support.ts";
import { hold, newTask, testPipeline } from "../support/pipeline.ts";
import { inStatus, ms, NOBODY, type Body } from "./support.ts";
import { withApp, app, A, B, say, claim, update, read, leaseMs } from "./run-state-support.ts";

withApp();

const DENIED = "lease_owned_by_other_worker";
const beat = (task_id: string, body: Body = A) => say("heartbeat", { task_id, ...body });

describe("claiming", () => {
  it("is granted on a task that nobody has: running, execute_command, nothing known yet", async () => {
    const id = await app.create();
    const snapshot = await claim(id);
    expect(snapshot).toMatchObject({
      claimed: true,
      task_id: id,
      ...A,
      status: "running",
      attempt: 1,
      next_action: "execute_command",
      detail: null,
    });
    for (const key of ["head_sha", "checkpoint_sha", "failure_class"]) expect(snapshot[key] ?? "").toBe("");
    expect(leaseMs(snapshot)).toBe(120_000);
    for (const key of ["last_heartbeat_at", "updated_at"]) expect(ms(snapshot[key])).toBe(app.clock.now());
  });

  it("keeps what was said: attempt, branch, path, lease", async () => {
    const id = await app.create();
    const said = { attempt: 3, branch: "codex/x", repo_path: "/src/x" };
    const snapshot = await claim(id, { ...A, ...said, lease_seconds: 15, metadata: { a: 1 } });
    expect(snapshot).toMatchObject(said);
    expect(leaseMs(snapshot)).toBe(15_000);
    expect(await read(id)).toMatchObject({ claimed: true, ...A, ...said, status: "running" });
  });

  it("changes nothing of the task", async () => {
    const id = await app.create();
    const before = await app.task(id);
    await claim(id);
    const after = await app.task(id);
    expect([after.status, after.claimed_by, after.context]).toEqual([before.status, before.claimed_by, before.context]);
  });

  it("an unknown task is denied as such", async () => {
    expect(await claim(NOBODY)).toMatchObject({ claimed: false, task_id: NOBODY, detail: "task_not_found" });
    expect((await app.get(`/api/agent/run-state/${NOBODY}`)).status).toBe(404);
  });

  it.each([
    ["another worker's run", B],
    ["another run of the same worker", { ...A, run_id: B.run_id }],
    ["the same run of another worker", { ...A, worker_id: B.worker_id }],
  ])("19. while it lasts %s is denied, told who has it, and changes nothing", async (_name, other) => {
    const id = await app.create();
    const granted = await claim(id, { ...A, attempt: 2, branch: "b" });
    const before = await app.items(id);
    await app.clock.advance(1000);
    expect(await claim(id, { ...other, attempt: 9 })).toMatchObject({
      claimed: false,
      detail: DENIED,
      ...A,
      status: "running",
      attempt: 2,
      branch: "b",
      lease_expires_at: granted.lease_expires_at,
    });
    expect(await app.items(id)).toEqual(before);
  });

  it("again by the same run renews it", async () => {
    const id = await app.create();
    await claim(id);
    await app.clock.advance(60_000);
    const again = await claim(id);
    expect(again).toMatchObject({ claimed: true, ...A });
    expect(leaseMs(again)).toBe(120_000);
  });

  it("to the millisecond: one that has run out is anybody's, one that has not is not", async () => {
    const id = await app.create();
    await claim(id, { ...A, lease_seconds: 15 });
    await app.clock.advance(14_999);
    expect(await claim(id, B)).toMatchObject({ claimed: false });
    await app.clock.advance(1);
    expect(await claim(id, B)).toMatchObject({ claimed: true, ...B });
  });

  it.each(["completed", "failed", "cancelled", "needs_decision"])(
    "one whose run said %s is anybody's",
    async (status) => {
      const id = await app.create();
      await claim(id);
      await update(id, { status });
      expect(await claim(id, B)).toMatchObject({ claimed: true, ...B, status: "running" });
    },
  );

  it.each(["completed", "failed", "cancelled"] as const)(
    "a task that %s is denied in the one word runners obey",
    async (status) => {
      const id = await inStatus(app, status);
      const before = await app.items(id);
      expect(await claim(id)).toMatchObject({ claimed: false, detail: DENIED });
      expect(await app.items(id)).toEqual(before);
    },
  );

  it("a backlog item's task is denied in the same word", async () => {
    const item = { backlog: "b", item: "i", seq: 1, phase: "spec", round: 0 } as const;
    const made = await Task.create(app.deps, { direction: "x", task_type: "spec" }, { key: "b#i#1", item });
    expect(await claim(made.task.row.id)).toMatchObject({ claimed: false, detail: DENIED });
  });

  it("a task that our own pipeline runs is denied in the same word", async () => {
    const deps = await testPipeline();
    const one = await api({ on: deps });
    const id = await newTask(deps);
    await hold(deps, id);
    const answer = await one.call("POST", "/api/agent/run-state/claim", { task_id: id, ...A });
    expect([answer.status, answer.body]).toMatchObject([200, { claimed: false, detail: DENIED }]);
  });

  it("16 runs at once: one has it", async () => {
    const id = await app.create();
    const all = await Promise.all(
      Array.from({ length: 16 }, (_, i) => claim(id, { run_id: `run_${i}`, worker_id: `w${i}` })),
    );
    const [winner, ...more] = all.filter((one) => one.claimed);
    expect(more).toEqual([]);
    expect(new Set(all.map((one) => one.run_id))).toEqual(new Set([winner?.run_id]));
  });
});

describe("heartbeats", () => {
  it("renew the lease and say what runs", async () => {
    const id = await app.create();
    await claim(id, { ...A, lease_seconds: 15 });
    await app.clock.advance(10_000);
    const snapshot = await beat(id);
    expect(snapshot).toMatchObject({ claimed: true, ...A, status: "running", next_action: "execute_command" });
    expect(leaseMs(snapshot)).toBe(120_000);
    expect(ms(snapshot.last_heartbeat_at)).toBe(app.clock.now());
    expect(leaseMs(await beat(id, { ...A, lease_seconds: 3600 }))).toBe(3_600_000);
  });

  it("of a stranger are a mismatch and change nothing", async () => {
    const id = await app.create();
    await claim(id);
    const before = await app.items(id);
    await app.clock.advance(1000);
    for (const other of [B, { ...A, run_id: B.run_id }, { ...A, worker_id: B.worker_id }])
      expect(await beat(id, other)).toMatchObject({ claimed: false, detail: "lease_owner_mismatch" });
    expect(await app.items(id)).toEqual(before);
  });

  it("without a run are not found", async () => {
    for (const id of [await app.create(), NOBODY])
      expect(await beat(id)).toMatchObject({ claimed: false, task_id: id, detail: "run_state_not_found" });
  });

  it("25. of a run whose lease was taken over are a mismatch", async () => {
    const id = await app.create();
    await claim(id, { ...A, lease_seconds: 15 });
    await app.clock.advance(15_000);
    await claim(id, B);
    expect(await beat(id)).toMatchObject({ claimed: false, detail: "lease_owner_mismatch" });
    expect(await read(id)).toMatchObject(B);
  });

  it.each(["completed", "failed", "cancelled", "needs_decision"])(
    "31. never revive a run that said %s",
    async (status) => {
      const id = await app.create();
      await claim(id);
      const end = await update(id, { status });
      await app.clock.advance(1000);
      await beat(id);
      expect(await read(id)).toMatchObject({ status, lease_expires_at: end.lease_expires_at });
      expect(await claim(id, B)).toMatchObject({ claimed: true });
    },
  );
});
