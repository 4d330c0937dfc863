import { createRequire } from "node:module";
import { StateMachine, type StateMachineDefinition } from "aws-local-stepfunctions";
import { expect, test } from "vitest";
import type { Travelling } from "../../core/ground/workflow/index.ts";
import { definition, LIMITS, TASK_STATES, type TaskState } from "../../functions/runner/definition.ts";
import * as Steps from "../../functions/runner/steps.ts";

/** It has no types of its own. */
const aslValidator = createRequire(import.meta.url)("asl-validator") as (
  definition: unknown,
  options: { checkPaths: boolean; checkArn: boolean },
) => { isValid: boolean; errorsText?: (separator: string) => string };

const arns = Object.fromEntries(
  TASK_STATES.map((state) => [state, `arn:aws:lambda:eu-central-1:123456789012:function:coherence-prod-${state}`]),
) as Record<TaskState, string>;
const asl = definition(arns);
const states = Object.entries(asl.States) as [string, Record<string, unknown> & { Type: string }][];
const tasks = states.filter(([, state]) => state.Type === "Task");

test("the definition is valid ASL, its paths and arns too", () => {
  // It writes defaults into what it is given.
  const { isValid, errorsText } = aslValidator(structuredClone(asl), { checkPaths: true, checkArn: true });
  expect(errorsText?.("\n") ?? "").toBe("");
  expect(isValid).toBe(true);
});

test("the same validator sees a mistake: an unknown next state and a broken path", () => {
  const broken = structuredClone(asl) as unknown as { States: Record<string, Record<string, unknown>> };
  (broken.States.Plan as Record<string, unknown>).Next = "Nowhere";
  expect(aslValidator(broken, { checkPaths: true, checkArn: true }).isValid).toBe(false);
});

test("every Task has a time-out and retries Lambda's own faults; where an agent runs, its end is caught", () => {
  expect(tasks.map(([name]) => name).sort()).toEqual([...TASK_STATES].sort());
  for (const [name, state] of tasks) {
    expect(state.TimeoutSeconds, name).toBeGreaterThan(0);
    const retried = (state.Retry as { ErrorEquals: string[] }[]).flatMap((one) => one.ErrorEquals);
    expect(retried, name).toContain("Lambda.TooManyRequestsException");
    // What a step throws is ours to decide about, never to repeat: a run would be paid twice.
    expect(retried.every((error) => error.startsWith("Lambda."))).toBe(true);
  }
  for (const name of ["Invoke", "Offer"] as const)
    expect((asl.States[name].Catch as { ErrorEquals: string[] }[])[0]?.ErrorEquals).toEqual(["States.ALL"]);
  expect(LIMITS.invokeSeconds).toBeLessThanOrEqual(900);
  expect(asl.States.Offer.HeartbeatSeconds).toBeLessThan(asl.States.Offer.TimeoutSeconds);
});

test("every Task state has a handler: one without would call real AWS", () => {
  const handlers = {
    Plan: Steps.plan,
    Invoke: Steps.invoke,
    Offer: Steps.offer,
    RecordFailure: Steps.recordFailure,
    Settle: Steps.settle,
  } satisfies Record<TaskState, unknown>;
  for (const [name] of tasks) expect(handlers[name as TaskState], name).toBeTypeOf("function");
});

/** What the local interpreter passes over or does wrong. */
const NOT_DONE = [
  "QueryLanguage",
  "Assign",
  "Output",
  "Arguments",
  "Condition",
  "ItemReader",
  "ItemProcessor",
  "Credentials",
  "TimeoutSecondsPath",
  "HeartbeatSecondsPath",
];

test("nothing is used that the local interpreter does not do", () => {
  const walk = (value: unknown, at: string): void => {
    if (Array.isArray(value)) return value.forEach((one, i) => walk(one, `${at}[${i}]`));
    if (typeof value !== "object" || value === null)
      return expect(typeof value === "string" && value.includes("{%"), `JSONata at ${at}`).toBe(false);
    for (const [key, one] of Object.entries(value)) {
      expect(NOT_DONE, `${at}.${key}`).not.toContain(key);
      if (key === "IsPresent" || key === "IsNull") expect(one, `${at}.${key}`).toBe(true);
      walk(one, `${at}.${key}`);
    }
  };
  walk(asl, "$");
  const types = new Set(states.map(([, state]) => state.Type));
  expect([...types].sort()).toEqual(["Choice", "Pass", "Task"]);
  // A falsy result of a Pass would be lost: it has Parameters instead.
  for (const [name, state] of states) if (state.Type === "Pass") expect("Result" in state, name).toBe(false);
});

const BEGIN = { taskId: "task_1", attempt: 1 };
type Answers = Partial<Record<TaskState, Travelling["kind"][]>>;

/** Runs the definition in the interpreter; each state answers its kinds in turn, `throw` throws. Returns the states entered. */
async function play(answers: Answers, fail: { state: TaskState; error: Error } | null = null) {
  const machine = new StateMachine(asl as unknown as StateMachineDefinition);
  const turns: Partial<Record<TaskState, number>> = {};
  const seen: unknown[] = [];
  const handler = (state: TaskState) => async (input: unknown) => {
    const payload = (input as { Payload?: object }).Payload ?? input;
    seen.push(payload);
    const turn = (turns[state] = (turns[state] ?? 0) + 1);
    if (fail?.state === state && turn === 1) throw fail.error;
    const kinds = answers[state] ?? [];
    return { candidate: 0, ...BEGIN, kind: kinds[Math.min(turn, kinds.length) - 1] ?? "none" };
  };
  const execution = machine.run(BEGIN, {
    overrides: {
      taskResourceLocalHandlers: Object.fromEntries(TASK_STATES.map((state) => [state, handler(state)])),
    },
    context: { Task: { Token: "t" } },
  });
  const path: string[] = [];
  for await (const event of execution.eventLogs) if (event.type === "StateEntered") path.push(event.state.name);
  return { path, seen, result: await execution.result.then((value) => value as unknown) };
}

test("the happy path takes exactly five transitions", async () => {
  const { path } = await play({ Plan: ["inline"], Invoke: ["outcome"], Settle: ["settled"] });
  expect(path).toEqual(["Plan", "Candidate?", "Invoke", "Outcome?", "Settle"]);
});

test("without a candidate it settles after two", async () => {
  const { path } = await play({ Plan: ["none"], Settle: ["settled"] });
  expect(path).toEqual(["Plan", "Candidate?", "Settle"]);
});

test("a fallback goes through RecordFailure to the next candidate, inline or on a machine", async () => {
  const { path } = await play({
    Plan: ["inline"],
    Invoke: ["fallback"],
    RecordFailure: ["machine", "inline", "none"],
    Offer: ["fallback"],
    Settle: ["settled"],
  });
  const round = ["Outcome?", "RecordFailure", "Candidate?"];
  expect(path).toEqual(["Plan", "Candidate?", "Invoke", ...round, "Offer", ...round, "Invoke", ...round, "Settle"]);
});

test("continue enters Invoke again, as often as it says so, with nothing of the step before in its data", async () => {
  const { path, seen } = await play({
    Plan: ["inline"],
    Invoke: ["continue", "continue", "outcome"],
    Settle: ["settled"],
  });
  expect(path.filter((state) => state === "Invoke")).toHaveLength(3);
  expect(path.slice(-2)).toEqual(["Outcome?", "Settle"]);
  for (const one of seen) expect(Buffer.byteLength(JSON.stringify(one))).toBeLessThan(200);
});

test.each(["Invoke", "Offer"] as const)(
  "an error in %s is a failure of its candidate, its text travels nowhere",
  async (state) => {
    const error = new Error("x".repeat(100_000));
    const { path, seen } = await play(
      { Plan: [state === "Invoke" ? "inline" : "machine"], RecordFailure: ["none"], Settle: ["settled"] },
      { state, error },
    );
    expect(path).toEqual(["Plan", "Candidate?", state, "CutOff", "RecordFailure", "Candidate?", "Settle"]);
    expect(seen[2]).toEqual({ ...BEGIN, candidate: 0, kind: "fallback" });
  },
);

test("an error of the pipeline's own steps ends the execution, for the status-change rule", async () => {
  await expect(play({}, { state: "Plan", error: new Error("the table is gone") })).rejects.toThrow(/table is gone/);
});
