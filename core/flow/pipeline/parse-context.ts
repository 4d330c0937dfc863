import { instantOf } from "../../ground/instant.ts";
import { isTruthy } from "../executor/index.ts";

/** What a client asks of a run by its task's context (contract 2.8, 2.9). */
export type Control = {
  /** Stop the run, for this reason. */
  abort?: string;
  /** Stop it and ask how to go on, for this reason. */
  steer?: string;
  /** The id of a diagnosis that is asked for. Its command is never looked at: it would be a shell for whoever can patch. */
  diagnosis?: string;
};

/** Reads the control keys of a context patch. Pure. */
export function controlIn(patch: Readonly<Record<string, unknown>>): Control {
  const control = isRecord(patch.control) ? patch.control : {};
  const word = [control.action, control.state].some((one) => one === "abort");
  const abort = [patch.abort_requested, patch.control_abort, control.abort].some(isTruthy) || word;
  const reason = firstText(patch.abort_reason, control.reason, control.note, control.message);
  const request = isRecord(patch.diagnostic_request) ? patch.diagnostic_request : undefined;
  const asked = request !== undefined || firstText(patch.diagnostic_command) !== undefined;
  return {
    ...(abort ? { abort: reason ?? "asked for by a client" } : {}),
    ...(isTruthy(patch.steering_requested)
      ? { steer: firstText(patch.steering_reason, control.reason, control.note) ?? "asked for by a client" }
      : {}),
    ...(asked ? { diagnosis: firstText(request?.id) ?? "diagnostic" } : {}),
  };
}

/** What a context says about a run that repeats itself; undefined when it says no number. */
export function holdPatternScore(context: Readonly<Record<string, unknown>>): number | undefined {
  const score = context.hold_pattern_score;
  return typeof score === "number" && Number.isFinite(score) ? score : undefined;
}

/** The longest that a client may put a task off, ms. */
const LONGEST_WAIT_MS = 86_400_000;

/** Until when a context puts its task off, in ms, a day at most; undefined when it names no time to come. */
export function retryNotBefore(context: Readonly<Record<string, unknown>>, now: number): number | undefined {
  const at = context.retry_not_before;
  const ms = typeof at === "string" ? instantOf(at) : typeof at === "number" ? at * 1000 : undefined;
  return ms !== undefined && ms > now ? Math.min(ms, now + LONGEST_WAIT_MS) : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function firstText(...values: unknown[]): string | undefined {
  return values.find((value): value is string => typeof value === "string" && value.trim() !== "")?.trim();
}
