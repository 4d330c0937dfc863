import { expect, it } from "vitest";
import * as Store from "../../core/ground/store/index.ts";
import * as Attempt from "../../core/work/attempt/index.ts";
import * as Metrics from "../../core/work/metrics/index.ts";
import * as Task from "../../core/work/task/index.ts";
import { testDeps } from "../support/deps.ts";
import { injectConflicts } from "../support/conflicts.ts";

it("are empty for an empty store", async () => {
  const deps = await testDeps();
  expect(await Metrics.counts(deps)).toEqual({ total: 0, by_status: {} });
  expect(await Metrics.countsByType(deps, "failed")).toEqual({});
});

it("are what a recount finds, by status and by type, whatever tasks go through and conflicts they meet", async () => {
  const deps = await testDeps();
  injectConflicts(deps.store, 0.3);
  const types = ["spec", "impl", "heal"] as const;
  const tasks = await Promise.all(
    Array.from({ length: 48 }, (_, i) =>
      Task.create(deps, { direction: `task ${i}`, task_type: types[i % 3] ?? "spec" }),
    ),
  );
  const move = async (id: string, to: Task.Status, actor: Task.Actor) => {
    const row = await Task.row(deps.store, id);
    if (!row) throw new Error("no such task");
    expect(await Store.tx(deps.store, (now) => Task.transition(deps.id, row, to, actor, now))).toEqual({ ok: true });
  };
  await Promise.all(
    tasks.map(async ({ task }, i) => {
      const { id } = task.row;
      if (i % 8 === 0) return;
      if (i % 8 === 1) return move(id, "cancelled", "operator");
      await Attempt.claim(deps, id, { by: "client", owner: "w", leaseMs: 60_000 });
      if (i % 8 === 2) return;
      if (i % 8 === 3) return move(id, "needs_decision", "client");
      if (i % 8 === 4) return move(id, "completed", "client");
      await move(id, "failed", "client");
      if (i % 8 === 5) return;
      await move(id, "pending", "operator");
      if (i % 8 === 6) return;
      await Attempt.claim(deps, id, { by: "client", owner: "w", leaseMs: 60_000 });
      await move(id, "completed", "client");
      await move(id, "failed", "client");
    }),
  );
  expect(await Metrics.counts(deps)).toEqual({
    total: 48,
    by_status: { pending: 12, cancelled: 6, running: 6, needs_decision: 6, completed: 6, failed: 12 },
  });
  const rows = await Promise.all(tasks.map(({ task }) => Task.row(deps.store, task.row.id)));
  for (const status of Task.Status.options) {
    const expected: Metrics.ByType = {};
    for (const row of rows) if (row?.status === status) expected[row.task_type] = (expected[row.task_type] ?? 0) + 1;
    expect(await Metrics.countsByType(deps, status)).toEqual(expected);
  }
});
