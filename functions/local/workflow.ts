import type { StateMachine, StateMachineDefinition } from "aws-local-stepfunctions";
import { deadline, type Clock } from "../../core/ground/clock.ts";
import { fail } from "../../core/ground/errors.ts";
import type { Id } from "../../core/ground/id.ts";
import type { Log } from "../../core/ground/log.ts";
import * as Store from "../../core/ground/store/index.ts";
import { Keys } from "../../core/ground/store/index.ts";
import type { Execution, Travelling, Workflow } from "../../core/ground/workflow/index.ts";
import { definition, TASK_STATES, type Limits, type TaskState } from "../runner/definition.ts";

/** AWS refuses the name of an earlier execution for so long. */
const NAME_KEPT_MS = 90 * 86_400_000;
/** Seconds after which the interpreter gives a step up by itself, by a timer of its own: the clock's time-out comes first. */
const INTERPRETER_SECONDS = 2_000_000;
/** A state's data may have 256 KiB on AWS; ours never comes near. A larger one is a fault, found here first. */
export const MAX_STATE_BYTES = 32 * 1024;

/** What the Task states call; `offer` answers whether its token is waited on. */
export type Handlers = {
  plan(input: unknown): Promise<Travelling>;
  invoke(input: unknown, signal: AbortSignal): Promise<Travelling>;
  offer(input: unknown): Promise<{ waiting: true } | { waiting: false; answer: Travelling }>;
  recordFailure(input: unknown): Promise<Travelling>;
  settle(input: unknown): Promise<Travelling>;
};

export type LocalWorkflow = Workflow & {
  /** Stops every execution and resolves when their handlers have ended. */
  close(): Promise<void>;
  /** Executions under way. */
  running(): number;
  /** State transitions so far, as AWS would bill them. */
  transitions(): number;
};

/** What the interpreter says of an execution: states entered and left with their data, caught errors, its end. */
export type ExecutionEvent =
  ReturnType<StateMachine["run"]>["eventLogs"] extends AsyncGenerator<infer Logged> ? Logged : never;

type Waiting = {
  done: (output: Travelling) => void;
  failed: (error: Error) => void;
  beat: () => void;
  forget: () => void;
};

/** The state machine in this process: the same definition, in an interpreter; names are refused for 90 days as on AWS. */
export function localWorkflow(options: {
  store: Store.Store;
  clock: Clock;
  id: Id;
  log: Log;
  limits: Limits;
  /** Late, because the handlers need what is made of this. */
  handlers: () => Handlers;
  /** The status-change rule: an execution that ended badly. */
  ended(execution: Execution, status: "FAILED" | "TIMED_OUT" | "ABORTED"): void;
  /** Sees every event of every execution; for tests. */
  trace?: (name: string, event: ExecutionEvent) => void;
}): LocalWorkflow {
  const { store, clock, id, log, limits } = options;
  const arn = (state: TaskState) => `arn:aws:lambda:us-east-1:000000000000:function:${state}`;
  const arns = Object.fromEntries(TASK_STATES.map((state) => [state, arn(state)])) as Record<TaskState, string>;
  const { States, ...asl } = definition(arns, limits);
  const withoutTimers = Object.fromEntries(
    Object.entries(States).map(([name, state]) => [
      name,
      state.Type === "Task" ? { ...state, TimeoutSeconds: INTERPRETER_SECONDS } : state,
    ]),
  );
  // Loaded for the first execution: it brings clients of AWS along that are a fifth of a host's start (measured).
  let loading: Promise<StateMachine> | undefined;
  const interpreter = () =>
    (loading ??= import("aws-local-stepfunctions").then(
      ({ StateMachine }) =>
        new StateMachine({ ...asl, States: withoutTimers } as StateMachineDefinition, {
          // Costs 50 to 200 ms; a test does it once.
          validationOptions: { noValidate: true },
        }),
    ));
  const executions = new Map<string, { stop: (reason: string) => void; done: Promise<void> }>();
  const waiting = new Map<string, Waiting>();
  let transitions = 0;
  let closed = false;

  const offer = async (input: unknown, signal: AbortSignal): Promise<Travelling> => {
    const payload = (input as { Payload?: object }).Payload ?? (input as object);
    const token = `local-${id.hex(24)}`;
    const answer = new Promise<Travelling>((resolve, reject) => {
      let cancel = () => {};
      const forget = () => (cancel(), waiting.delete(token), signal.removeEventListener("abort", aborted));
      const failed = (error: Error) => (forget(), reject(error));
      const aborted = () => failed(new Error("aborted"));
      const beat = () => {
        cancel();
        cancel = clock.after(limits.heartbeatSeconds * 1000, () =>
          failed(Object.assign(new Error("no heartbeat"), { name: "States.HeartbeatTimeout" })),
        );
      };
      signal.addEventListener("abort", aborted, { once: true });
      waiting.set(token, { done: (output) => (forget(), resolve(output)), failed, beat, forget });
      beat();
    });
    answer.catch(() => {});
    try {
      const offered = await options.handlers().offer({ ...payload, token });
      return offered.waiting ? await answer : offered.answer;
    } finally {
      waiting.get(token)?.forget();
    }
  };

  const run = async (name: string, input: Execution, controller: AbortController): Promise<void> => {
    const handlers = options.handlers();
    let inHand: Promise<unknown> = Promise.resolve();
    const step =
      (state: TaskState, work: (input: unknown, signal: AbortSignal) => Promise<Travelling>) =>
      async (data: unknown): Promise<Travelling> => {
        const limit = deadline(clock, States[state].TimeoutSeconds * 1000, controller.signal);
        const working = work(data, limit.signal);
        inHand = working.catch(() => {});
        try {
          const output = await working;
          if (limit.signal.aborted) throw limit.signal.reason;
          const bytes = Buffer.byteLength(JSON.stringify(output));
          if (bytes > MAX_STATE_BYTES)
            throw new Error(`a state's output has ${bytes} bytes; only ids and words travel`);
          return output;
        } catch (error) {
          if (controller.signal.aborted) throw error;
          log.warn({ execution: name, state, err: error }, "a step failed");
          // It was told to stop and has: nothing of it is left at work when the next step begins.
          throw limit.signal.aborted ? Object.assign(new Error("timed out"), { name: "States.Timeout" }) : error;
        } finally {
          limit.clear();
        }
      };
    try {
      const execution = (await interpreter()).run(input, {
        overrides: {
          taskResourceLocalHandlers: {
            Plan: step("Plan", handlers.plan),
            Invoke: step("Invoke", handlers.invoke),
            Offer: step("Offer", offer),
            RecordFailure: step("RecordFailure", handlers.recordFailure),
            Settle: step("Settle", handlers.settle),
          } satisfies Record<TaskState, unknown>,
          // Waits are the clock's; what Retry is for, a fault of Lambda's, is not met here.
          retryIntervalOverrides: Object.fromEntries(TASK_STATES.map((state) => [state, 0])),
        },
        context: { Execution: { Name: name }, Task: { Token: "minted-by-the-handler" } },
      });
      void watch(name, execution.eventLogs);
      if (controller.signal.aborted) execution.abort();
      controller.signal.addEventListener("abort", () => execution.abort(), { once: true });
      await execution.result;
    } catch (error) {
      const kind = (error as Error).name;
      if (!controller.signal.aborted) log.warn({ execution: name, err: error }, "an execution failed");
      options.ended(
        input,
        controller.signal.aborted ? "ABORTED" : kind === "ExecutionTimeoutError" ? "TIMED_OUT" : "FAILED",
      );
    } finally {
      await inHand;
      executions.delete(name);
    }
  };

  const watch = async (name: string, events: AsyncIterable<ExecutionEvent>): Promise<void> => {
    for await (const event of events) {
      if (event.type === "StateEntered" || event.type === "StateRetried") transitions++;
      options.trace?.(name, event);
    }
  };

  return {
    async start(name, input) {
      if (closed) throw new Error("the host stops: nothing is started any more");
      const key = Keys.execution(name);
      const exp = Math.floor((clock.now() + NAME_KEPT_MS) / 1000);
      const taken = await Store.write(store, { kind: "put", item: { ...key, ent: "execution", exp }, if: Store.isNew });
      if (!taken.ok) throw fail("workflow.exists", `There was an execution ${name} already`);
      const controller = new AbortController();
      executions.set(name, {
        stop: (reason) => controller.abort(new Error(reason)),
        done: run(name, input, controller),
      });
      // Stopped while its name was taken.
      if (closed) controller.abort(new Error("the host stops"));
    },
    async stop(name, reason) {
      executions.get(name)?.stop(reason);
    },
    async complete(token, output) {
      const waits = waiting.get(token);
      waits?.done(output);
      return waits !== undefined;
    },
    async fail(token, error, cause) {
      const waits = waiting.get(token);
      waits?.failed(Object.assign(new Error(cause), { name: error }));
      return waits !== undefined;
    },
    async heartbeat(token) {
      const waits = waiting.get(token);
      waits?.beat();
      return waits !== undefined;
    },
    running: () => executions.size,
    transitions: () => transitions,
    async close() {
      closed = true;
      const all = [...executions.values()];
      for (const execution of all) execution.stop("the host stops");
      await Promise.all(all.map((execution) => execution.done));
    },
  };
}
