import * as Pipeline from "../../core/flow/pipeline/index.ts";
import * as Clock from "../../core/ground/clock.ts";
import * as Log from "../../core/ground/log.ts";
import { nameOf, type Execution } from "../../core/ground/workflow/index.ts";
import type { TaskRow } from "../../core/work/task/index.ts";
import { localWorkflow, type ExecutionEvent, type LocalWorkflow } from "../../functions/local/workflow.ts";
import { LIMITS, type Limits } from "../../functions/runner/definition.ts";
import * as Steps from "../../functions/runner/steps.ts";
import { react } from "../../functions/subscribers/subscribers.ts";
import { newTask, rowOf, testPipeline, type PipelineOptions, type TestPipeline } from "../support/pipeline.ts";
import type * as Task from "../../core/work/task/index.ts";

/** The machine's own clock, where real time has to pass. */
export function realClock(): Clock.VirtualClock {
  const clock = Clock.system();
  return { ...clock, advance: (ms) => clock.sleep(ms) };
}

export type Machine = TestPipeline & {
  machine: LocalWorkflow;
  /** What the interpreter said of each execution. */
  events: TestPipeline["events"];
  trace(name: string): ExecutionEvent[];
  /** How executions ended that did not succeed. */
  ends: { execution: Execution; status: string }[];
  /** Resolves when no execution is under way and what their ends set off is done. */
  still(): Promise<void>;
  /** Dispatches, waits until all is still; the task as it then stands. */
  through(input?: Partial<Task.Create>): Promise<TaskRow>;
};

export type MachineOptions = PipelineOptions & { limits?: Partial<Limits>; continueAfterMs?: number };

/** The pipeline's real parts around the real state machine. */
export async function withMachine(options: MachineOptions = {}): Promise<Machine> {
  const pipeline = await testPipeline(options);
  if (options.continueAfterMs !== undefined) pipeline.work.continueAfterMs = options.continueAfterMs;
  const traces = new Map<string, ExecutionEvent[]>();
  const ends: Machine["ends"] = [];
  const reactions: Promise<void>[] = [];
  const nothing = { dispatch: () => {}, tick: () => {} };
  const machine = machineFor(pipeline, {
    limits: { ...LIMITS, ...options.limits },
    handlers: () => deps,
    trace: (name, event) => traces.set(name, [...(traces.get(name) ?? []), event]),
    ended: (execution, status) => {
      ends.push({ execution, status });
      reactions.push(react(deps, nothing, { type: "execution.ended", ...execution, status }));
    },
  });
  const still = async () => {
    while (machine.running() > 0) await new Promise((resolve) => setTimeout(resolve, 2));
    await Promise.all(reactions);
  };
  const deps: Machine = {
    ...pipeline,
    workflow: machine,
    machine,
    ends,
    trace: (name) => traces.get(name) ?? [],
    still,
    async through(input) {
      const id = await newTask(deps, input);
      await Pipeline.dispatch(deps);
      await still();
      return rowOf(deps, id);
    },
  };
  return deps;
}

/** A state machine over a pipeline's store; `handlers` gives the pipeline whose steps it calls. */
export function machineFor(
  pipeline: TestPipeline,
  options: {
    limits: Limits;
    handlers: () => Pipeline.PipelineDeps;
    trace?: (name: string, event: ExecutionEvent) => void;
    ended?: (execution: Execution, status: "FAILED" | "TIMED_OUT" | "ABORTED") => void;
  },
): LocalWorkflow {
  const deps = options.handlers;
  return localWorkflow({
    store: pipeline.store,
    clock: pipeline.clock,
    id: pipeline.id,
    log: Log.silent(),
    limits: options.limits,
    handlers: () => ({
      plan: (input) => Steps.plan(deps(), input),
      invoke: (input, signal) => Steps.invoke(deps(), input, signal),
      offer: (input) => Steps.offer(deps(), input),
      recordFailure: (input) => Steps.recordFailure(deps(), input),
      settle: (input) => Steps.settle(deps(), input),
    }),
    ended: options.ended ?? (() => {}),
    ...(options.trace ? { trace: options.trace } : {}),
  });
}

/** The states an execution entered, in order. */
export function path(deps: Machine, row: Pick<TaskRow, "id" | "att">, attempt = row.att): string[] {
  return deps
    .trace(nameOf(row.id, attempt))
    .flatMap((event) => (event.type === "StateEntered" ? [event.state.name] : []));
}

/** The largest data that any state of an execution had, in bytes. */
export function largestState(events: readonly ExecutionEvent[]): number {
  return Math.max(
    ...events.flatMap((event) => {
      const data =
        "state" in event ? [event.state.input, "output" in event.state ? event.state.output : undefined] : [];
      return data.map((one) => Buffer.byteLength(JSON.stringify(one ?? null)));
    }),
  );
}

/** Waits until something holds, at most some seconds of real time. */
export async function until(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (let i = 0; i < 1500; i++) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 4));
  }
  throw new Error(`waited in vain: ${what}`);
}
