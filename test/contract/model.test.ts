import fc from "fast-check";
import { expect, it } from "vitest";
import { contract, type Answer, type Body, type Contract, type Status } from "./support.ts";

/** Any sequence of words about a task, by two workers and by nobody in particular, against DESIGN 4 as a small model. */

type Word = Exclude<Status, "cancelled">;
type Op =
  { kind: "patch"; to: Word; by: "a" | "b" | null } | { kind: "decision" } | { kind: "cancel" } | { kind: "retry" };
type Model = {
  status: Status;
  /** Who has or had it, as `claimed_by` shows. */
  owner: string | null;
  /** Whether somebody ever worked on it: without that there is no second word. */
  worked: boolean;
};

/** What the text says nothing of: a stranger's word about what asks, has failed, or was completed while it asked. */
function unsaid({ status, owner }: Model, op: Op): boolean {
  if (op.kind !== "patch" || op.by === null || op.by === owner || op.to === "running" || op.to === "pending")
    return false;
  return (
    status === "needs_decision" ||
    (status === "failed" && op.to === "needs_decision") ||
    (status === "completed" && owner === null)
  );
}

/** What becomes of it, or undefined where it is refused. */
function next(model: Model, op: Op): Model | undefined {
  const { status, owner } = model;
  const open = status === "pending" || status === "running" || status === "needs_decision";
  switch (op.kind) {
    case "decision":
      return status === "needs_decision" ? { ...model, status: "pending", owner: null } : model;
    case "cancel":
      return open ? { ...model, status: "cancelled" } : undefined;
    case "retry":
      return status === "failed" || status === "cancelled" ? { ...model, status: "pending", owner: null } : undefined;
    case "patch":
      return said(model, op.to, op.by, op.by === null || op.by === owner);
  }
}

/** `mine`: its owner's word, or that of a caller without a name. */
function said(model: Model, to: Word, by: string | null, mine: boolean): Model | undefined {
  const claimed = { owner: by ?? "unknown", worked: true };
  switch (model.status) {
    case "pending":
      if (to === "running" || to === "completed" || to === "failed") return { status: to, ...claimed };
      return { ...model, status: to };
    case "needs_decision":
      if (to === "pending") return undefined;
      if (to !== "running") return { ...model, status: to };
      // Contract 2.4: what another asked is his to go on with.
      return model.owner === null || model.owner === claimed.owner ? { status: to, ...claimed } : undefined;
    case "running":
      if (to === "running") return claimed.owner === model.owner ? model : undefined;
      if (!mine) return undefined;
      return { ...model, status: to, ...(to === "pending" ? { owner: null } : {}) };
    case "completed":
      if (to === "completed") return mine ? model : undefined;
      return (to === "failed" || to === "needs_decision") && mine && model.worked
        ? { ...model, status: to }
        : undefined;
    case "failed":
      if (to === "failed") return mine ? model : undefined;
      return to === "needs_decision" ? { ...model, status: to } : undefined;
    case "cancelled":
      return undefined;
  }
}

const words = fc.constantFrom<Word>("running", "running", "completed", "failed", "needs_decision", "pending");
const op = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant("patch" as const), to: words, by: fc.constantFrom("a", "b", null) }),
  },
  { weight: 1, arbitrary: fc.constantFrom<Op>({ kind: "decision" }, { kind: "cancel" }, { kind: "retry" }) },
);

function carryOut(app: Contract, id: string, one: Op): Promise<Answer> {
  switch (one.kind) {
    case "patch":
      return app.patch(id, {
        status: one.to,
        output: `${one.by ?? "somebody"} says ${one.to}`,
        ...(one.by === null ? {} : { worker_id: one.by }),
      });
    case "decision":
      return app.patch(id, { decision: "blue" });
    case "cancel":
    case "retry":
      return app.post(`/api/agent/tasks/${id}/${one.kind}`);
  }
}

it("what is allowed happens, what is not changes nothing, and every end is counted once", async () => {
  const app = await contract();
  const totals: Record<string, number> = {};
  let allowed = 0;
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(op, { minLength: 6, maxLength: 16 }), async (ops) => {
      const id = await app.create();
      let model: Model = { status: "pending", owner: null, worked: false };
      for (const [i, one] of ops.entries()) {
        if (unsaid(model, one)) continue;
        // Two ends of one task in the same millisecond are no case of a real clock.
        await app.clock.advance(1000);
        const before = await app.items(id);
        const answer = await carryOut(app, id, one);
        const expected = next(model, one);
        const trail = JSON.stringify([model, ...ops.slice(0, i + 1)]);
        expect(answer.status, `${trail} ${answer.text}`).toBe(expected ? 200 : 409);
        if (!expected) expect(await app.items(id), trail).toEqual(before);
        model = expected ?? model;
        const { status, claimed_by } = await app.task(id);
        expect([status, claimed_by], trail).toEqual([model.status, model.owner]);
        if (expected) allowed++;
        else refused++;
      }
      totals[model.status] = (totals[model.status] ?? 0) + 1;
      const { by_status } = (await app.get("/api/agent/tasks/count")).body;
      expect(by_status).toEqual(totals);
      const { success_rate } = (await app.get("/api/agent/metrics")).body as { success_rate: Body };
      expect(success_rate).toMatchObject({ completed: totals.completed ?? 0, failed: totals.failed ?? 0 });
    }),
    // A smaller counter-example would be counted among the rest.
    { numRuns: 60, endOnFailure: true },
  );
  // The generator is of no use when nearly all is refused.
  expect(Math.min(allowed, refused), `${allowed} allowed, ${refused} refused`).toBeGreaterThan(100);
}, 60_000);
