import type { Travelling } from "../../ground/workflow/index.ts";
import * as Attempt from "../../work/attempt/index.ts";
import * as Worker from "../worker/index.ts";
import { enterWithOrder } from "./order.ts";
import type { PipelineDeps } from "./deps.ts";

/**
 * Offers a candidate's go to a live worker with a free slot. `waiting`: the worker holds `token` and will complete it;
 * otherwise the answer is there at once (nobody is free: the candidate is passed over; the attempt is served or stale).
 */
export async function offer(
  deps: PipelineDeps,
  input: Travelling,
  token: string,
): Promise<{ kind: "waiting" } | { kind: "answer"; answer: Travelling }> {
  const answer = (kind: Travelling["kind"]) => ({ kind: "answer" as const, answer: { ...input, kind } });
  const entered = await enterWithOrder(deps, input);
  if (entered.kind !== "order") return answer(entered.kind === "failed" ? "fallback" : "outcome");
  const { order } = entered;
  const slot: Worker.Slot = { task: order.ref.taskId, attempt: order.ref.n, turn: order.ref.turn, token };
  await Attempt.saveOrder(deps.store, order.ref, order);
  for (let attempt = 0; attempt < 5; attempt++) {
    const worker = Worker.available(await Worker.list(deps), order.candidate.provider, deps.clock.now());
    if (!worker) break;
    if (!(await Worker.reserve(deps, worker, slot))) continue;
    await deps.events.publish({
      type: "work.offered",
      worker: worker.id,
      taskId: order.ref.taskId,
      attempt: order.ref.n,
      turn: order.ref.turn,
    });
    return { kind: "waiting" };
  }
  await Attempt.leaveFailure(deps.store, order.ref, {
    failure: Worker.NOBODY_FREE,
    output: "",
    usage: order.spent,
    ms: 0,
  });
  return answer("fallback");
}
