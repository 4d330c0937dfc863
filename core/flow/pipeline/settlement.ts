import * as Provider from "../../work/provider/index.ts";
import type { AttemptRow, OutcomePart } from "../../work/attempt/index.ts";
import * as Task from "../../work/task/index.ts";
import * as Routing from "../routing/index.ts";
import { MAX_STALLS, MAX_TRIES } from "./budgets.ts";
import { errorOf, type Ending } from "./end.ts";

/** How an attempt's end becomes its task's next state. Pure; times in ms. */
export function settlement(input: {
  row: Task.TaskRow;
  attempt: AttemptRow;
  part: OutcomePart | undefined;
  cooldowns: readonly Routing.Cooling[];
  /** 0: a question without a default waits for ever. */
  decisionTimeoutMs: number;
  now: number;
}): Ending {
  const { attempt, part, row, now } = input;
  const parts = { ...(part ? { output: part.output } : {}), ...(part?.evidence ? { result: part.evidence } : {}) };
  if (attempt.later !== undefined && !attempt.outcome)
    return park(row, now + Routing.unknownWait(row.parks), attempt.later, null, false);
  if (!attempt.outcome) return withoutOutcome(input);
  const { outcome } = attempt;
  switch (outcome.kind) {
    case "passed":
    case "red":
    case "rejected":
    case "conflict":
    case "red_after_merge":
      return {
        to: "completed",
        actor: "settle",
        class: null,
        message: outcome.kind,
        outcome,
        change: {
          set: { ...served(attempt), output_len: part?.output.length ?? 0, progress_pct: 100, parks: 0 },
          remove: ["current_step"],
        },
        parts: { ...parts, error: null },
      };
    case "question":
      return ask(outcome.question, input.decisionTimeoutMs, now, parts);
    case "bad":
      return badResult(
        row,
        attempt,
        { class: "bad_result", message: outcome.message },
        outcome.remedy,
        parts,
        tailOf(part),
      );
  }
}

/** No candidate served: wait, ask, or spend a try. */
function withoutOutcome(input: Parameters<typeof settlement>[0]): Ending {
  const { row, attempt, now } = input;
  const last = attempt.tried.at(-1);
  if (last?.class === "lost") return stalled(row, last.message);
  const next = Routing.noCandidate({
    skipped: attempt.skipped ?? [],
    tried: attempt.tried,
    cooldowns: input.cooldowns.filter((c) => c.until === null || c.until > now),
    rules: Provider.CLASS_RULES,
    parks: row.parks,
    now,
  });
  switch (next.kind) {
    case "park":
      return park(row, next.until, next.reason, last?.class ?? null, next.known);
    case "ask":
      return {
        ...ask({ prompt: next.prompt, options: ["retry"] }, input.decisionTimeoutMs, now, {}, "pipeline"),
        class: last?.class ?? null,
        message: next.prompt.split("\n")[0] ?? "",
      };
    case "retry": {
      const failure: Task.Failure = { class: last?.class ?? "internal", message: next.message };
      return badResult(row, attempt, failure, undefined, {}, "");
    }
  }
}

/** A try is spent; within the budget the task goes back to the queue with its diagnostics, else it fails and the budget names itself. */
function badResult(
  row: Task.TaskRow,
  attempt: AttemptRow,
  failure: Task.Failure,
  remedy: string | undefined,
  parts: NonNullable<Ending["parts"]>,
  excerpt: string,
): Ending {
  const spent = row.tries + 1;
  const over = spent >= MAX_TRIES;
  const message = over ? `${failure.message} (all ${MAX_TRIES} tries are spent)` : failure.message;
  return {
    to: over ? "failed" : "pending",
    actor: "settle",
    class: failure.class,
    message,
    change: {
      set: {
        tries: spent,
        parks: 0,
        ...served(attempt),
        ...(parts.output === undefined ? {} : { output_len: parts.output.length }),
      },
      remove: ["current_step", "claimed_by", "claimed_at"],
    },
    parts: { ...parts, error: errorOf({ ...failure, message }, excerpt, remedy) },
  };
}

/** An end that would have been another try, as a question: the work repeats itself, and a person steers. `due`: when it expires, in ms. */
export function askToSteer(ending: Ending, due: number | undefined): Ending {
  return {
    ...ending,
    to: "needs_decision",
    change: {
      ...ending.change,
      set: {
        ...ending.change?.set,
        decision_prompt: `The work repeats itself: ${ending.message}. How should it go on?`,
        current_step: "awaiting steering",
        ...(due === undefined ? {} : { decision_due: due }),
      },
      remove: [
        ...(["claimed_by", "claimed_at", "decision", "decision_by", "decision_default", "decision_options"] as const),
        ...(due === undefined ? (["decision_due"] as const) : []),
      ],
      ...(due === undefined ? {} : { until: due }),
    },
  };
}

/** The step was cut off: a stall, within its own budget. */
function stalled(row: Task.TaskRow, why: string): Ending {
  const stalls = row.stalls + 1;
  const over = stalls >= MAX_STALLS;
  const message = over ? `${why}; all ${MAX_STALLS} stalls are spent` : why;
  return {
    to: over ? "failed" : "pending",
    actor: "settle",
    class: "lost",
    message,
    change: { set: { stalls }, remove: ["current_step", "claimed_by", "claimed_at"] },
    ...(over ? { parts: { error: errorOf({ class: "lost", message }, "") } } : {}),
  };
}

/** Out of the queue until then; parks with an unknown end are counted, since they double. */
function park(
  row: Task.TaskRow,
  until: number,
  reason: string,
  failed: Task.FailureClass | null,
  known: boolean,
): Ending {
  return {
    to: "pending",
    actor: "settle",
    class: failed,
    message: `parked: ${reason}`,
    change: {
      set: { retry_not_before: until, wait_reason: Task.cut(reason, 300), parks: known ? 0 : row.parks + 1 },
      remove: ["current_step", "claimed_by", "claimed_at"],
      until,
    },
  };
}

/** `by`: who asks; what the pipeline asks of a person is not the agent's matter. */
function ask(
  question: Task.Question,
  timeoutMs: number,
  now: number,
  parts: NonNullable<Ending["parts"]>,
  by: "agent" | "pipeline" = "agent",
): Ending {
  const due =
    question.default === undefined
      ? timeoutMs > 0
        ? now + timeoutMs
        : undefined
      : now + (question.default_after_s ?? 0) * 1000;
  return {
    to: "needs_decision",
    actor: "settle",
    class: null,
    message: Task.cut(question.prompt, 200),
    change: {
      set: {
        decision_prompt: question.prompt,
        decision_options: question.options,
        ...(question.default === undefined ? {} : { decision_default: question.default }),
        ...(due === undefined ? {} : { decision_due: due }),
        ...(by === "pipeline" ? { decision_by: by } : {}),
        parks: 0,
      },
      remove: [
        "decision",
        "current_step",
        ...(question.default === undefined ? (["decision_default"] as const) : []),
        ...(due === undefined ? (["decision_due"] as const) : []),
        ...(by === "agent" ? (["decision_by"] as const) : []),
      ],
      ...(due === undefined ? {} : { until: due }),
    },
    parts,
  };
}

/** The model that did it, as clients show it: provider/model. */
function served(attempt: AttemptRow): { model?: string } {
  const candidate = attempt.candidates?.[attempt.chosen];
  return candidate ? { model: `${candidate.provider}/${candidate.model}` } : {};
}

function tailOf(part: OutcomePart | undefined): string {
  const suite = part?.evidence?.suite;
  return suite && suite.exit !== 0 ? suite.tail : (part?.output ?? "");
}
