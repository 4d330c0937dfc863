import * as Provider from "../../work/provider/index.ts";
import type { AttemptRow, OutcomePart } from "../../work/attempt/index.ts";
import * as Task from "../../work/task/index.ts";
import * as Routing from "../routing/index.ts";
import { MAX_STALLS, MAX_TRIES } from "./budgets.ts";
import { errorOf, type Ending } from "./end.ts";
import { asking } from "./question.ts";
import { nameOf } from "./wake.ts";

/** How an attempt's end becomes its task's next state. Pure; times in ms. */
export function settlement(input: {
  row: Task.TaskRow;
  attempt: AttemptRow;
  part: OutcomePart | undefined;
  cooling: readonly Provider.Cooling[];
  /** When a question without a default expires; undefined: never. */
  expires: number | undefined;
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
      return ask(outcome.question, due(outcome.question, input), parts);
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
    candidates: attempt.candidates ?? [],
    skipped: attempt.skipped ?? [],
    tried: attempt.tried,
    cooling: input.cooling,
    rules: Provider.CLASS_RULES,
    parks: row.parks,
    now,
  });
  switch (next.kind) {
    case "park":
      return park(row, next.until, next.reason, last?.class ?? null, next.known, awaitedBy(attempt));
    case "ask":
      return {
        ...ask({ prompt: next.prompt, options: ["retry"] }, input.expires, {}, "pipeline"),
        class: last?.class ?? null,
        message: next.prompt.split("\n")[0] ?? "",
      };
    case "retry": {
      const failure: Task.Failure = { class: last?.class ?? "internal", message: next.message };
      return badResult(row, attempt, failure, undefined, {}, "");
    }
  }
}

/** Whose return wakes the task before its time: everybody who could not go, whichever is expected first. */
function awaitedBy({ skipped = [], tried }: AttemptRow): string[] {
  const guarded = skipped.some((one) => one.guard !== undefined) || tried.some((one) => one.class === "budget");
  const away = [...skipped.filter((one) => one.guard === undefined), ...tried];
  return [
    ...new Set([
      ...away.map(({ provider }) => nameOf({ kind: "provider", provider })),
      ...(away.some((one) => one.class === "no_worker") ? [nameOf({ kind: "worker" })] : []),
      ...(guarded ? [nameOf({ kind: "money" })] : []),
    ]),
  ];
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

/** An end that would have been another try, as a question: the work repeats itself, and a person steers. */
export function askToSteer(ending: Ending, expires: number | undefined): Ending {
  const { set, remove, ...waits } = asking({
    decision_prompt: `The work repeats itself: ${ending.message}. How should it go on?`,
    decision_due: expires,
    current_step: "awaiting steering",
  });
  return {
    ...ending,
    to: "needs_decision",
    change: {
      ...ending.change,
      ...waits,
      set: { ...ending.change?.set, ...set },
      remove: ["claimed_by", "claimed_at", ...remove],
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
  waits_for: string[] = [],
): Ending {
  return {
    to: "pending",
    actor: "settle",
    class: failed,
    message: `parked: ${reason}`,
    change: {
      set: { retry_not_before: until, wait_reason: Task.cut(reason, 300), waits_for, parks: known ? 0 : row.parks + 1 },
      remove: ["current_step", "claimed_by", "claimed_at"],
      until,
    },
  };
}

function due(question: Task.Question, { expires, now }: { expires: number | undefined; now: number }) {
  return question.default === undefined ? expires : now + (question.default_after_s ?? 0) * 1000;
}

/** `by`: set for what the pipeline asks of a person, which is not the agent's matter. */
function ask(
  question: Task.Question,
  decision_due: number | undefined,
  parts: NonNullable<Ending["parts"]>,
  by?: "pipeline",
): Ending {
  const { set, remove, ...waits } = asking({
    decision_prompt: question.prompt,
    decision_options: question.options,
    decision_default: question.default,
    decision_due,
    decision_by: by,
  });
  return {
    to: "needs_decision",
    actor: "settle",
    class: null,
    message: Task.cut(question.prompt, 200),
    change: { ...waits, set: { ...set, parks: 0 }, remove: [...remove, "current_step"] },
    parts,
  };
}

/** The model that did it, on the task. */
function served(attempt: AttemptRow): { model?: string } {
  const candidate = attempt.candidates?.[attempt.chosen];
  return candidate ? { model: Task.shownModel(candidate) } : {};
}

function tailOf(part: OutcomePart | undefined): string {
  const suite = part?.evidence?.suite;
  return suite && suite.exit !== 0 ? suite.tail : (part?.output ?? "");
}
