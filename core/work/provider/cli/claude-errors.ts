import type { Failure, FailureClass } from "../../task/index.ts";
import { fromHttp, oneLine } from "../classify.ts";

/** The end of a run as Claude Code tells it: fields of its `result` event, and the word of the message before. */
export type ClaudeEnd = {
  subtype?: string | undefined;
  is_error?: boolean | undefined;
  result?: string | undefined;
  stop_reason?: string | null | undefined;
  terminal_reason?: string | undefined;
  api_error_status?: number | null | undefined;
  api_error_type?: string | null | undefined;
  word?: string | undefined;
};

/** Whether it came to its own end: of a model's stop reasons it calls every unknown one a success, we do not. */
export function ended(end: ClaudeEnd): boolean {
  return (
    end.subtype === "success" &&
    end.is_error === false &&
    end.terminal_reason === "completed" &&
    (end.stop_reason === "end_turn" || end.stop_reason === "stop_sequence")
  );
}

/**
 * Why a run that did not come to its own end stopped: by its reasons, then by status and type; for a connection it gives a
 * sentence alone, of which the start is matched. What is none of them is not guessed at.
 */
export function claudeFailure(end: ClaudeEnd, now: number): Failure {
  const message = oneLine(end.result ?? end.subtype ?? "a result without a reason");
  const own =
    BY_REASON[end.terminal_reason ?? ""] ??
    BY_SUBTYPE[end.subtype ?? ""] ??
    BY_STOP[end.stop_reason ?? ""] ??
    BY_WORD[end.word ?? ""];
  if (own) return { class: own, message, ...(end.api_error_status ? { status: end.api_error_status } : {}) };
  if (end.api_error_status) {
    const types = end.api_error_type ? [end.api_error_type] : [];
    return fromHttp({ status: end.api_error_status, types, message }, now);
  }
  const sentence = SENTENCES.find(([start]) => message.startsWith(start));
  if (sentence) return { class: sentence[1], message };
  // It ended in good order for a reason that nobody knows: never a success.
  return { class: end.is_error === false ? "stalled" : "crash", message };
}

const BY_REASON: Readonly<Record<string, FailureClass>> = {
  prompt_too_long: "context_length",
  budget_exhausted: "bad_result",
};

const BY_SUBTYPE: Readonly<Record<string, FailureClass>> = {
  error_max_turns: "bad_result",
  error_max_budget_usd: "bad_result",
};

const BY_STOP: Readonly<Record<string, FailureClass>> = { refusal: "content_filter" };

const BY_WORD: Readonly<Record<string, FailureClass>> = { max_output_tokens: "bad_result" };

const SENTENCES: readonly (readonly [string, FailureClass])[] = [
  ["API Error: Stream idle timeout", "stalled"],
  ["Request timed out.", "stalled"],
  ["API Error: Connection to the API was lost", "stalled"],
  ["API Error: Connection ", "network"],
];
