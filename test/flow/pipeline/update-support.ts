import { expect } from "vitest";
import * as Pipeline from "../../../core/flow/pipeline/index.ts";
import * as Metrics from "../../../core/work/metrics/index.ts";
import { newTask, partition, records, type TestPipeline } from "../../support/pipeline.ts";

const OPERATOR = { kind: "operator" } as Pipeline.Caller;
export const patch = (deps: TestPipeline, id: string, body: Record<string, unknown>, caller = OPERATOR) =>
  Pipeline.update(deps, id, Pipeline.Update.parse(body), caller);

/** A task that the client `w1` runs. */
export async function claimed(deps: TestPipeline, worker = "w1"): Promise<string> {
  const id = await newTask(deps);
  await patch(deps, id, { status: "running", worker_id: worker });
  return id;
}

/** Refused with a code, and nothing changed: task, records, counters. */
export async function refused(
  deps: TestPipeline,
  id: string,
  body: Record<string, unknown>,
  code: string,
  caller = OPERATOR,
) {
  const state = async () => [await partition(deps, id), await records(deps), await Metrics.counts(deps)];
  const before = await state();
  await expect(patch(deps, id, body, caller), JSON.stringify(body)).rejects.toMatchObject({ code });
  expect(await state()).toEqual(before);
}
