import type { Failure, FailureClass } from "../task/index.ts";

/** From what a provider says in numbers and names to a failure. Never from words in an output. */

/** Header names in lower case. */
export type Headers = Readonly<Record<string, string | undefined>>;

export type HttpSignal = {
  status: number;
  headers?: Headers;
  /** The error body's `type` and `code`, where there are such. */
  types?: readonly string[];
  /** One line for a person. */
  message: string;
};

/** Error types that say more than their status; the first that is known decides. */
const BY_TYPE: Readonly<Record<string, FailureClass>> = {
  insufficient_quota: "quota",
  usage_limit_reached: "quota",
  billing_hard_limit_reached: "payment",
  billing_error: "payment",
  permission_error: "payment",
  authentication_error: "auth",
  invalid_api_key: "auth",
  model_not_found: "model_not_found",
  context_length_exceeded: "context_length",
  request_too_large: "context_length",
  content_filter: "content_filter",
  content_policy_violation: "content_filter",
  rate_limit_exceeded: "rate_limit",
  rate_limit_error: "rate_limit",
  overloaded_error: "overloaded",
  server_is_overloaded: "overloaded",
};

/** Types too general to outrank a status; where there is none, as within a stream, they are all there is. */
const WITHOUT_STATUS: Readonly<Record<string, FailureClass>> = {
  api_error: "overloaded",
  server_error: "overloaded",
  invalid_request_error: "bad_request",
  not_found_error: "model_not_found",
};

/** The failure behind an HTTP answer with a status of 400 or more; `now` in ms. */
export function fromHttp(signal: HttpSignal, now: number): Failure {
  const found = firstKnown(BY_TYPE, signal.types ?? []) ?? byStatus(signal.status);
  const headers = signal.headers ?? {};
  const wait = retryAfterMs(headers, now);
  return {
    class: found,
    message: oneLine(signal.message),
    status: signal.status,
    ...(wait === null ? {} : { retry_after_ms: wait }),
    ...(found === "quota" && wait !== null ? { resets_at: now + wait } : {}),
  };
}

/** The failure behind error types that came without a status; null when none is known. */
export function fromTypes(types: readonly string[], message: string): Failure | null {
  const found = firstKnown(BY_TYPE, types) ?? firstKnown(WITHOUT_STATUS, types);
  return found === undefined ? null : { class: found, message: oneLine(message) };
}

function firstKnown(table: Readonly<Record<string, FailureClass>>, types: readonly string[]): FailureClass | undefined {
  return types.map((type) => table[type]).find((found) => found !== undefined);
}

/** The failure behind a process that ended without saying why. */
export function fromExit(exit: { code: number | null; signal: string | null }, lastWords: string): Failure {
  const how = exit.signal === null ? `exit code ${exit.code ?? "unknown"}` : `signal ${exit.signal}`;
  return { class: "crash", message: oneLine(`The agent ended with ${how}${lastWords ? `: ${lastWords}` : "."}`) };
}

function byStatus(status: number): FailureClass {
  if (status >= 500) return "overloaded";
  switch (status) {
    case 401:
      return "auth";
    // The key is known and may not do this: as with billing, only its owner can help.
    case 402:
    case 403:
      return "payment";
    case 404:
      return "model_not_found";
    case 408:
      return "stalled";
    // Somebody else was quicker, or it is too soon: the same request may pass at the next try.
    case 409:
    case 425:
      return "overloaded";
    case 413:
      return "context_length";
    case 429:
      return "rate_limit";
    default:
      return "bad_request";
  }
}

/** Date.parse takes any word with a number for some date. */
const HTTP_DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$|^\d{4}-\d{2}-\d{2}T/;

/** Ms to wait by Retry-After (seconds or a date) or, without it, by the reset of a limit that is used up; null when none says so. */
export function retryAfterMs(headers: Headers, now: number): number | null {
  const ms = headers["retry-after-ms"];
  if (ms !== undefined && /^\d+(\.\d+)?$/.test(ms)) return Math.ceil(Number(ms));
  const after = headers["retry-after"];
  if (after !== undefined) {
    if (/^\d+(\.\d+)?$/.test(after)) return Math.ceil(Number(after) * 1000);
    const at = HTTP_DATE.test(after) ? Date.parse(after) : NaN;
    if (!Number.isNaN(at)) return Math.max(0, at - now);
  }
  const waits = RESETS.filter(([, remaining]) => headers[remaining] === "0")
    .map(([reset]) => resetMs(headers[reset] ?? "", now))
    .filter((wait) => wait !== null);
  return waits.length === 0 ? null : Math.max(...waits);
}

/** Pairs of reset and remaining headers (OpenAI, Anthropic). */
const RESETS = [
  ["x-ratelimit-reset-requests", "x-ratelimit-remaining-requests"],
  ["x-ratelimit-reset-tokens", "x-ratelimit-remaining-tokens"],
  ["anthropic-ratelimit-requests-reset", "anthropic-ratelimit-requests-remaining"],
  ["anthropic-ratelimit-tokens-reset", "anthropic-ratelimit-tokens-remaining"],
] as const;

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Ms until a reset written as a duration ("6m0s", "20ms") or as a date; null when it is neither. */
function resetMs(text: string, now: number): number | null {
  if (/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(text)) {
    const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)];
    return Math.ceil(parts.reduce((sum, [, n, unit]) => sum + Number(n) * (UNIT_MS[unit ?? ""] ?? 0), 0));
  }
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : Math.max(0, at - now);
}

/** One line of at most 500 characters. */
export function oneLine(text: string): string {
  const flat = text.replace(/\s+/g, " ").trim();
  return flat.length <= 500 ? flat : `${flat.slice(0, 499)}…`;
}
