import { expect } from "vitest";
import { expectShape, PipelineStatus } from "./shapes.ts";
import { OWNER, type Body, type Contract } from "./support.ts";

/** Contract 4.1 pipeline-status, 4.2 attention, 4.3 metrics. */

export type Item = Body & { id: string };
type Status = {
  running: (Item & { live_tail?: unknown })[];
  pending: Item[];
  recent_completed: Item[];
  running_by_phase: Record<string, number>;
  latest_request: Body | null;
  latest_response: Body | null;
  attention: Record<string, boolean> & { flags: string[] };
};
export const status = async (app: Contract) => {
  const answer = await app.get("/api/agent/pipeline-status");
  expect(answer.status, answer.text).toBe(200);
  expectShape(PipelineStatus, answer.body);
  return answer.body as unknown as Status;
};

/** A task that runs, then ends so. */
export async function ended(
  app: Contract,
  end: "completed" | "failed",
  more: { output?: string; type?: string; ms?: number } = {},
) {
  const id = await app.create({ task_type: more.type ?? "impl" });
  await app.patch(id, { status: "running", worker_id: OWNER });
  await app.clock.advance(more.ms ?? 1000);
  const { output = `it ${end}` } = more;
  const answer = await app.patch(id, { status: end, worker_id: OWNER, output });
  expect(answer.status, answer.text).toBe(200);
  return id;
}
