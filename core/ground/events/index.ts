import * as z from "zod";

/**
 * The catalogue of events: ids only, never content. Events make the pipeline early; the minute makes it certain. Losing any of
 * them costs at most a minute, receiving one three times costs nothing.
 */
export const Event = z.discriminatedUnion("type", [
  z.object({ type: z.literal("task.created"), taskId: z.string() }),
  /** Pending again: retried, requeued, unparked, decided. */
  z.object({ type: z.literal("task.queued"), taskId: z.string() }),
  /** With the backlog, when the task was an item's and the item may go on. */
  z.object({
    type: z.literal("task.settled"),
    taskId: z.string(),
    attempt: z.number(),
    backlog: z.string().optional(),
  }),
  z.object({ type: z.literal("decision.given"), taskId: z.string() }),
  z.object({ type: z.literal("backlog.pushed"), backlog: z.string() }),
  /** An operator let work begin again. */
  z.object({ type: z.literal("queue.resumed") }),
  /** A run of dispatch came to its bound: another goes on from there. */
  z.object({ type: z.literal("queue.unfinished") }),
  z.object({ type: z.literal("provider.ready"), provider: z.string() }),
  z.object({ type: z.literal("worker.seen"), worker: z.string() }),
  /** A worker has an order to take. */
  z.object({
    type: z.literal("work.offered"),
    worker: z.string(),
    taskId: z.string(),
    attempt: z.number(),
    turn: z.number(),
  }),
  /** An execution of the state machine came to an end that is not success (the status-change rule). */
  z.object({
    type: z.literal("execution.ended"),
    taskId: z.string(),
    attempt: z.number(),
    status: z.enum(["FAILED", "TIMED_OUT", "ABORTED"]),
  }),
]);
export type Event = z.infer<typeof Event>;
export type EventType = Event["type"];

/** Where events go. Publishing never fails the caller: an event that is lost costs at most a minute. */
export type Events = {
  publish(...events: Event[]): Promise<void>;
};
