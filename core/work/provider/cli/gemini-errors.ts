import * as z from "zod";
import type { Failure, FailureClass } from "../../task/index.ts";
import { fromHttp, oneLine } from "../classify.ts";
import { parseJson } from "./json.ts";

/**
 * Why gemini 0.61 gave up. It hands the server's answer on in its message, whole or its sentence alone; then the status is its
 * exit code, of which a system keeps eight bits. Without one, its own fixed sentences and Google's are matched from their start;
 * what is none of them is not guessed at.
 */
export function geminiFailure(error: string, exitCode: number | null, now: number): Failure {
  const [first = ""] = error.split("\n");
  const message = API_ERROR.exec(first)?.[1] ?? first;
  const body = Body.safeParse(parseJson(message)).data?.error;
  const said = oneLine(body?.message ?? message);
  const known = SENTENCES.find(([start]) => start.test(said));
  if (known) return { class: known[1], message: said };
  const status = body?.code ?? statusOf(exitCode);
  if (status !== null) return fromHttp({ status, types: reasonsOf(body), message: said }, now);
  return { class: exitCode === NO_KEY ? "auth" : "crash", message: said };
}

const API_ERROR = /^\[API Error: (.*)\]$/;

/** Its exit code when it found no way to sign in. */
const NO_KEY = 41;

/** An error of Google's, which gemini hands on as it is for all but the statuses that it knows. */
const Body = z.object({
  error: z.object({
    code: z.number().min(400).max(599),
    message: z.string(),
    details: z.array(z.object({ reason: z.string().optional().catch(undefined) })).catch([]),
  }),
});

/** Google's reasons by the names that we have for such; a key that it does not know is its 400. */
const REASONS: Readonly<Record<string, string>> = {
  API_KEY_INVALID: "invalid_api_key",
  API_KEY_EXPIRED: "invalid_api_key",
};

function reasonsOf(body: z.infer<typeof Body>["error"] | undefined): string[] {
  return (body?.details ?? []).flatMap(({ reason }) => REASONS[reason ?? ""] ?? []);
}

/** 400 to 511: lower codes are also its own, and those of signals. */
function statusOf(exitCode: number | null): number | null {
  return exitCode !== null && exitCode >= 144 ? exitCode + 256 : null;
}

const SENTENCES: readonly (readonly [RegExp, FailureClass])[] = [
  // Its own.
  [/^You have exhausted your daily quota on this model\./, "quota"],
  [/^Loop detected, stopping execution/, "bad_result"],
  [/^Maximum session turns exceeded/, "bad_result"],
  [/^Model response was truncated because it exceeded the token limit\./, "bad_result"],
  [/^The model returned (?:an empty response|reasoning thoughts)/, "bad_result"],
  [/^The model response was blocked due to/, "content_filter"],
  // undici's: for an answer that broke off, and for a server that was not reached.
  [/^terminated$/, "stalled"],
  [/^exception TypeError: fetch failed/, "network"],
  // Google's.
  [/^models\/\S+ is not found for API version/, "model_not_found"],
  [/^The input token count (?:\(\d+\) )?exceeds the maximum/, "context_length"],
];
