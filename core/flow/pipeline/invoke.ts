import { messageOf } from "../../ground/errors.ts";
import type { Travelling } from "../../ground/workflow/index.ts";
import * as Attempt from "../../work/attempt/index.ts";
import * as Task from "../../work/task/index.ts";
import * as Worker from "../worker/index.ts";
import { buildOrder } from "./order.ts";
import type { PipelineDeps } from "./deps.ts";

/**
 * Carries out a candidate's go in this process and says what it came to. Entered again after a cut-off it raises the turn, so
 * that whatever the old entry still writes changes nothing; an outcome that is there already is not paid twice.
 */
export async function invoke(deps: PipelineDeps, input: Travelling, signal: AbortSignal): Promise<Travelling> {
  const entered = await Attempt.enter(deps.store, input.taskId, input.attempt, input.candidate, deps.work.leaseMs);
  // Served: settle it. Stale: Settle finds an ended attempt and changes nothing.
  if (entered.kind !== "entered") return { ...input, kind: "outcome" };
  const order = await buildOrder(deps, entered.attempt);
  if (!order) return { ...input, kind: "outcome" };
  return { ...input, kind: await carryOut(deps, order, signal) };
}

/** Carries out an order through the table's report: for Invoke, and for the worker in this process. */
export async function carryOut(deps: PipelineDeps, order: Worker.Order, signal: AbortSignal): Promise<Worker.Reported> {
  await Attempt.describe(deps.store, order.ref, {
    prompt_sha: order.prompt.sha256,
    prompt_variant: order.prompt.variant,
  });
  const { report, reported, close } = Worker.tableReport(deps, order, deps.at);
  try {
    await deps.carryOut(order, report, signal);
  } catch (error) {
    deps.log.error({ taskId: order.ref.taskId, err: error }, "a work order broke");
    await report.fail({ class: "internal", message: messageOf(error).slice(0, 500) }, "", Task.NO_USAGE);
  } finally {
    await close();
  }
  return reported();
}
