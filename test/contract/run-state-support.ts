import { beforeAll, expect } from "vitest";
import { expectShape, RunState } from "./shapes.ts";
import { contract, ms, OWNER, type Body, type Contract } from "./support.ts";

/** Contract 1.3 with its decisions: leases of runs. */

export let app: Contract;

/** The app that the tests of a file share. */
export function withApp(): void {
  beforeAll(async () => {
    app = await contract();
  });
}
type Snapshot = Body & { claimed: boolean };

export const A = { run_id: "run_aaaaaaaaaaaa", worker_id: OWNER };
export const B = { run_id: "run_bbbbbbbbbbbb", worker_id: "host-2:77" };

export async function say(verb: "claim" | "heartbeat" | "update", body: Body, on = app): Promise<Snapshot> {
  const answer = await on.post(`/api/agent/run-state/${verb}`, body);
  expect(answer.status, answer.text).toBe(200);
  expectShape(RunState, answer.body);
  return answer.body as Snapshot;
}
export const claim = (task_id: string, body: Body = A, on = app) => say("claim", { task_id, ...body }, on);
export const update = (task_id: string, patch: Body, body: Body = A) => say("update", { task_id, ...body, patch });
export const read = async (id: string) => (await app.get(`/api/agent/run-state/${id}`)).body as Snapshot;
export const leaseMs = (snapshot: Snapshot) => ms(snapshot.lease_expires_at) - app.clock.now();
