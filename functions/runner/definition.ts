/** The Task states of the machine; each has one handler in steps.ts. */
export const TASK_STATES = ["Plan", "Invoke", "Offer", "RecordFailure", "Settle"] as const;
export type TaskState = (typeof TASK_STATES)[number];

/** Seconds that a run in the step itself, and one on a machine, may take; the agent's own limit is shorter. */
export type Limits = { invokeSeconds: number; offerSeconds: number; heartbeatSeconds: number };

export const LIMITS: Limits = { invokeSeconds: 900, offerSeconds: 86_400, heartbeatSeconds: 120 };

/** Lambda's own faults are tried again; what a step throws is for Catch. */
const RETRY = [
  {
    ErrorEquals: [
      "Lambda.ServiceException",
      "Lambda.AWSLambdaException",
      "Lambda.SdkClientException",
      "Lambda.TooManyRequestsException",
    ],
    IntervalSeconds: 1,
    MaxAttempts: 5,
    BackoffRate: 2,
    JitterStrategy: "FULL",
  },
];

/**
 * The state machine of one attempt: plain ASL, JSONPath. Pure: the deployment, the local host and the tests build the same.
 * Between states travel ids and words only (core/ground/workflow). The happy path takes five transitions.
 */
export function definition(arns: Readonly<Record<TaskState, string>>, limits: Limits = LIMITS) {
  const isKind = (kind: string, Next: string) => ({ Variable: "$.kind", StringEquals: kind, Next });
  const task = (state: TaskState, TimeoutSeconds: number) => ({
    Type: "Task" as const,
    Resource: arns[state],
    TimeoutSeconds,
    Retry: RETRY,
  });
  // The step was cut off: its failure is recorded, and what travelled stays as it was (an error's cause may be 32 KB).
  const Catch = [{ ErrorEquals: ["States.ALL"], ResultPath: null, Next: "CutOff" }];
  return {
    Comment: "One attempt on a task: plan, run a candidate, record failures, settle.",
    StartAt: "Plan",
    States: {
      Plan: { ...task("Plan", 60), Next: "Candidate?" },
      "Candidate?": {
        Type: "Choice" as const,
        Choices: [isKind("inline", "Invoke"), isKind("machine", "Offer")],
        Default: "Settle",
      },
      Invoke: { ...task("Invoke", limits.invokeSeconds), Catch, Next: "Outcome?" },
      Offer: {
        ...task("Offer", limits.offerSeconds),
        Resource: "arn:aws:states:::lambda:invoke.waitForTaskToken",
        Parameters: {
          FunctionName: arns.Offer,
          Payload: {
            "taskId.$": "$.taskId",
            "attempt.$": "$.attempt",
            "candidate.$": "$.candidate",
            "kind.$": "$.kind",
            "token.$": "$$.Task.Token",
          },
        },
        HeartbeatSeconds: limits.heartbeatSeconds,
        Catch,
        Next: "Outcome?",
      },
      "Outcome?": {
        Type: "Choice" as const,
        Choices: [isKind("continue", "Invoke"), isKind("fallback", "RecordFailure")],
        Default: "Settle",
      },
      // Only ids and words travel: the error itself lies in the log of the step.
      CutOff: {
        Type: "Pass" as const,
        Parameters: {
          "taskId.$": "$.taskId",
          "attempt.$": "$.attempt",
          "candidate.$": "$.candidate",
          kind: "fallback",
        },
        Next: "RecordFailure",
      },
      RecordFailure: { ...task("RecordFailure", 60), Next: "Candidate?" },
      Settle: { ...task("Settle", 60), End: true },
    },
  };
}
