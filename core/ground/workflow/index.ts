/** The port to the state machine: Step Functions on AWS, an interpreter in the local host. */
export type Workflow = {
  /**
   * Starts the execution `name` with `input`. Throws `workflow.exists` when there was ever one of that name: AWS refuses a name
   * for 90 days, so names are `<taskId>-<attempt>`.
   */
  start(name: string, input: Execution): Promise<void>;
  /** Stops a running execution; nothing when it has ended. */
  stop(name: string, reason: string): Promise<void>;
  /** Gives a waiting Offer its answer; false when nobody waits for the token any more. */
  complete(token: string, output: Travelling): Promise<boolean>;
  /** Ends a waiting Offer with an error; false when nobody waits any more. */
  fail(token: string, error: string, cause: string): Promise<boolean>;
  /** Shows that the holder of the token is alive; false when nobody waits any more. */
  heartbeat(token: string): Promise<boolean>;
};

/** What an execution starts with. */
export type Execution = { taskId: string; attempt: number };

/** All that travels between states: ids and words, at most 4 KB. Everything else lies in the table under the attempt. */
export type Travelling = {
  taskId: string;
  attempt: number;
  /** Index into the attempt's candidates, -1 when there is none. */
  candidate: number;
  /** What the last state came to; the Choice states read it. */
  kind: "inline" | "machine" | "none" | "outcome" | "continue" | "fallback" | "settled";
};

/** The name of an execution: one an attempt, never reused. */
export function nameOf(taskId: string, attempt: number): string {
  return `${taskId}-${attempt}`;
}
