import { expect } from "vitest";
import type { VirtualClock } from "../../core/ground/clock.ts";
import { api, type Answer, type Api } from "../functions/api/support.ts";
import { testDeps, type TestDeps } from "../support/deps.ts";
import { stepping } from "../support/pipeline.ts";

export { NOBODY, type Answer } from "../functions/api/support.ts";

export type Body = Record<string, unknown>;

export type Contract = Api & {
  clock: VirtualClock;
  get(path: string): Promise<Answer>;
  post(path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  patch(id: string, body: unknown): Promise<Answer>;
  /** A task as GET shows it. */
  task(id: string): Promise<Body>;
  /** The same table and clock with other settings, or for another caller. */
  with(env: Record<string, string>, options?: Parameters<typeof api>[0]): Promise<Contract>;
};

/**
 * The API as a runner's host sees it, on a table of its own and a clock that moves when told to: what is posted waits for whoever
 * claims it.
 */
export async function contract(env: Record<string, string> = {}): Promise<Contract> {
  const clock = stepping();
  return over(await testDeps({ clock, env: { AGENT_AUTO_EXECUTE: "0", ...env } }), clock);
}

async function over(deps: TestDeps, clock: VirtualClock, options: Parameters<typeof api>[0] = {}): Promise<Contract> {
  const app = await api({ on: deps, ...options });
  return {
    ...app,
    clock,
    get: (path) => app.call("GET", path),
    post: (path, body, headers) => app.call("POST", path, body, headers),
    patch: (id, body) => app.call("PATCH", `/api/agent/tasks/${id}`, body),
    async task(id) {
      const { status, body, text } = await app.call("GET", `/api/agent/tasks/${id}`);
      expect(status, text).toBe(200);
      return body;
    },
    async with(env, more = {}) {
      const other = await testDeps({ clock, store: deps.store, env: { AGENT_AUTO_EXECUTE: "0", ...env } });
      return over(other, clock, more);
    },
  };
}

/** What the table has to say of a task and of all ends: the same before and after what is refused. */
export async function standing(app: Contract, id: string): Promise<unknown> {
  const [items, count, metrics] = await Promise.all([
    app.items(id),
    app.get("/api/agent/tasks/count"),
    app.get("/api/agent/metrics"),
  ]);
  return [items, count.body, metrics.body];
}

/** Refused with this status and the contract's body, and nothing changed. */
export async function refused(app: Contract, id: string, body: unknown, status: number, detail?: string | RegExp) {
  const before = await standing(app, id);
  const answer = await app.patch(id, body);
  expect(answer.status, answer.text).toBe(status);
  expect(Object.keys(answer.body)).toEqual(["detail"]);
  if (typeof detail === "string") expect(answer.body.detail).toBe(detail);
  else if (detail) expect(answer.body.detail).toMatch(detail);
  expect(await standing(app, id)).toEqual(before);
}

export type Status = "pending" | "running" | "needs_decision" | "completed" | "failed" | "cancelled";

/** Who has a task that `inStatus` made, where somebody has it. */
export const OWNER = "host-1:42";

/** A new task, brought into a status by the contract's own requests. */
export async function inStatus(app: Contract, status: Status, more: Body = {}): Promise<string> {
  const id = await app.create(more);
  const step = async (answer: Promise<Answer>) => {
    const { status: code, text } = await answer;
    expect(code, text).toBe(200);
  };
  if (status === "pending") return id;
  if (status === "cancelled") {
    await step(app.post(`/api/agent/tasks/${id}/cancel`));
    return id;
  }
  await step(app.patch(id, { status: "running", worker_id: OWNER }));
  await app.clock.advance(1000);
  if (status === "needs_decision")
    await step(app.patch(id, { status, worker_id: OWNER, decision_prompt: "red or blue?" }));
  if (status === "completed" || status === "failed")
    await step(app.patch(id, { status, worker_id: OWNER, output: `it ${status} after a second` }));
  return id;
}

/** Ms of a timestamp in either of the contract's forms. */
export const ms = (value: unknown): number => Date.parse(value as string);
