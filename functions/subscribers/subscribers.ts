import type { Event } from "../../core/ground/events/index.ts";
import * as Pipeline from "../../core/flow/pipeline/index.ts";

/**
 * What follows an event. Every one is written so that losing it costs at most a minute (a schedule does the same) and receiving
 * it three times costs nothing.
 */
export type Reactions = {
  /** Gives free slots to the queue. */
  dispatch(): void;
  /** Moves items on, then gives free slots. */
  tick(): void;
};

/** Reacts to one event. */
export async function react(deps: Pipeline.PipelineDeps, reactions: Reactions, event: Event): Promise<void> {
  switch (event.type) {
    case "task.created":
    case "task.queued":
    case "queue.resumed":
    case "queue.unfinished":
      return reactions.dispatch();
    case "task.settled":
      return event.backlog === undefined ? reactions.dispatch() : reactions.tick();
    case "decision.given":
    case "backlog.pushed":
      return reactions.tick();
    case "provider.ready":
      await Pipeline.wake(deps, { kind: "provider", provider: event.provider });
      return reactions.dispatch();
    case "worker.seen":
      await Pipeline.wake(deps, { kind: "worker" });
      return reactions.dispatch();
    case "execution.ended":
      await Pipeline.executionEnded(deps, event.taskId, event.attempt);
      return reactions.dispatch();
    case "work.offered":
      // The worker it is for takes it.
      return;
  }
}
