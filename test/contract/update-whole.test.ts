import { describe, expect, it } from "vitest";
import type { Operation } from "../../core/ground/store/index.ts";
import { meanwhile } from "../support/pipeline.ts";
import { between } from "../support/wire.ts";
import { inStatus, OWNER, standing, type Body, type Status } from "./support.ts";
import { withApp, app, ok } from "./update-support.ts";

withApp();

/** A PATCH is done whole or not at all: whatever it names is one transaction. */

const FIELDS = {
  output: "what it printed so far",
  progress_pct: 10,
  current_step: "reading",
  decision_prompt: "p",
  target_state: "t",
  success_evidence: ["e"],
  priority: 70,
};
let sessions = 0;
const everything = (): Body => ({ ...FIELDS, context: { k: 1, session_key: `whole-${sessions++}` } });

const CASES: [string, Status, Body][] = [
  ["a claim", "pending", { status: "running", worker_id: OWNER }],
  ["a claim and finish in one", "pending", { status: "completed", worker_id: OWNER }],
  ["a failure of what nobody had begun", "pending", { status: "failed", worker_id: OWNER }],
  ["a finish", "running", { status: "completed", worker_id: OWNER }],
  ["a failure", "running", { status: "failed", worker_id: OWNER }],
  ["a requeue", "running", { status: "pending", worker_id: OWNER }],
  ["a question", "running", { status: "needs_decision", worker_id: OWNER }],
  ["an answer", "needs_decision", { decision: "blue" }],
  ["a claim of what asks", "needs_decision", { status: "running", worker_id: OWNER, decision: "blue" }],
  ["a second word", "completed", { status: "failed", worker_id: OWNER }],
  ["a report", "running", { worker_id: OWNER }],
  ["what is said of one that waits", "pending", {}],
];

const isWrite = (operation: Operation) => /^(Put|Update|Delete|Transact)/.test(operation);

describe("a PATCH of everything at once", () => {
  it.each(CASES)("%s is one write", async (_what, from, body) => {
    const id = await inStatus(app, from);
    const writes: string[] = [];
    const end = between(app.deps.store, (operation, _input, next) => {
      if (isWrite(operation)) writes.push(operation);
      return next();
    });
    const done = await ok(id, { ...everything(), ...body });
    end();
    expect(writes).toEqual(["TransactWriteItems"]);
    const { decision_prompt: _, ...fields } = FIELDS;
    expect(done).toMatchObject({ ...fields, ...(body.status ? { status: body.status } : {}), context: { k: 1 } });
  });

  it.each(CASES)("%s that the table refuses leaves nothing", async (_what, from, body) => {
    const id = await inStatus(app, from);
    const before = await standing(app, id);
    const end = between(app.deps.store, (operation, _input, next) => {
      if (isWrite(operation)) throw Object.assign(new Error("planted"), { name: "ValidationException" });
      return next();
    });
    expect((await app.patch(id, { ...everything(), ...body })).status).toBe(500);
    end();
    expect(await standing(app, id)).toEqual(before);
  });

  it.each(CASES.filter(([, from]) => from !== "completed"))(
    "%s that meets a cancel leaves nothing of a word that is refused",
    async (_what, from, body) => {
      const id = await inStatus(app, from);
      let after: unknown;
      meanwhile(app.deps.store, "write", "M#context", async () => {
        expect((await app.post(`/api/agent/tasks/${id}/cancel`)).status).toBe(200);
        after = await standing(app, id);
      });
      const sent = { ...everything(), ...body };
      const answer = await app.patch(id, sent);
      if (answer.status === 200) {
        // Without a word of its run's it is what it would be of a cancelled task.
        expect(body.status, answer.text).toBeUndefined();
        expect(answer.body).toMatchObject({ status: "cancelled", context: { k: 1 } });
      } else {
        expect(answer.status, answer.text).toBe(409);
        expect(await standing(app, id)).toEqual(after);
      }
    },
  );

  it("of which the status is refused leaves nothing of the rest", async () => {
    const id = await inStatus(app, "running");
    const before = await standing(app, id);
    for (const status of ["running", "completed", "failed", "needs_decision", "pending"])
      expect((await app.patch(id, { ...everything(), status, worker_id: "other" })).status).toBe(409);
    expect(await standing(app, id)).toEqual(before);
  });

  it("two at once of the context and the rest: both are there, whole", async () => {
    const id = await inStatus(app, "running");
    meanwhile(app.deps.store, "write", "M#context", async () => {
      await ok(id, { progress_pct: 20, context: { b: 2 } });
    });
    await ok(id, { current_step: "writing", context: { a: 1 }, worker_id: OWNER });
    expect(await app.task(id)).toMatchObject({
      progress_pct: 20,
      current_step: "writing",
      context: { a: 1, b: 2 },
    });
  });

  it("the priority of a requeue is its place in the queue", async () => {
    const first = await inStatus(app, "pending", { priority: 80 });
    const id = await inStatus(app, "running");
    const { queue } = await ok(id, { status: "pending", priority: 90, worker_id: OWNER });
    expect(queue).toMatchObject({ position: 1 });
    expect((await app.task(first)).queue).toMatchObject({ position: 2 });
  });
});
