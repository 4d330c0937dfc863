import { messageOf } from "../../ground/errors.ts";
import type { Travelling } from "../../ground/workflow/index.ts";
import * as Attempt from "../../work/attempt/index.ts";
import * as Worker from "../worker/index.ts";
import { enterWithOrder } from "./order.ts";
import type { PipelineDeps } from "./deps.ts";

/**
 * Carries out a candidate's go in this process and says what it came to. Entered again after a cut-off it raises the turn, so
 * that whatever the old entry still writes changes nothing; an outcome that is there already is not paid twice.
 */
export async function invoke(deps: PipelineDeps, input: Travelling, signal: AbortSignal): Promise<Travelling> {
  const entered = await enterWithOrder(deps, input);
  switch (entered.kind) {
    case "order":
      return { ...input, kind: await carryOut(deps, entered.order, signal) };
    case "failed":
      return { ...input, kind: "fallback" };
    case "gone":
      // Served: settle it. Stale: Settle finds an ended attempt and changes nothing.
      return { ...input, kind: "outcome" };
  }
}

/** Carries out an order through the table's report: for Invoke, and for the worker in this process. */
export async function carryOut(deps: PipelineDeps, order: Worker.Order, signal: AbortSignal): Promise<Worker.Reported> {
  await Attempt.savePrompt(deps.store, order.ref, order.prompt.text);
  const { report, reported, close } = Worker.tableReport(deps, order, deps.at);
  try {
    await deps.carryOut(order, report, signal);
  } catch (error) {
    deps.log.error({ taskId: order.ref.taskId, err: error }, "a work order broke");
    await report.fail({ class: "internal", message: messageOf(error).slice(0, 500) }, "", order.spent);
  } finally {
    await close();
  }
  return reported();
}
