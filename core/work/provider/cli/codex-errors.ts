import * as z from "zod";
import type { Failure, FailureClass } from "../../task/index.ts";
import { fromHttp, oneLine } from "../classify.ts";
import { parseJson } from "./json.ts";

/**
 * codex 0.169 says why a turn failed only in the message of its terminal event: a status in two fixed forms, the server's
 * error body, or one of its own fixed sentences. Each is matched from the message's start; a message that is none of them
 * is not guessed at.
 */
export function codexFailure(message: string, now: number): Failure {
  const status = STATUS.map((form) => form.exec(message)?.[1]).find((found) => found !== undefined);
  if (status !== undefined) return fromHttp({ status: Number(status), message }, now);

  const body = ErrorBody.safeParse(parseJson(message)).data?.error;
  if (body) {
    const types = [body.code, body.type].filter((type) => typeof type === "string");
    return fromHttp({ status: 400, types, message: body.message }, now);
  }

  const own = SENTENCES.find(([start]) => message.startsWith(start));
  if (own) return { class: own[1], message: oneLine(message) };
  if (MODEL_NOT_FOUND.test(message)) return { class: "model_not_found", message: oneLine(message) };
  return { class: "crash", message: oneLine(message) };
}

/** Whether codex has begun to wait for the network, which it does for ever, whatever its retries are set to (measured). */
export function waitsForNetwork(message: string): boolean {
  return message.startsWith("Reconnecting... waiting for network");
}

const STATUS = [/^exceeded retry limit, last status: (\d{3})\b/, /^unexpected status (\d{3})\b/];

/** codex hands a 400's body on as it is. */
const ErrorBody = z.object({
  error: z.object({
    type: z.string().nullish(),
    code: z.string().nullish(),
    message: z.string(),
  }),
});

/** OpenAI's own message for a 404 with code model_not_found, of which codex shows nothing else. */
const MODEL_NOT_FOUND = /^The (?:requested )?model ['`][^'`]+['`] does not exist/;

/** Order matters: the longer start first. */
const SENTENCES: readonly (readonly [string, FailureClass])[] = [
  ["Quota exceeded. Check your plan and billing details.", "quota"],
  ["You’ve hit your usage limit", "quota"],
  ["To use Codex with your ChatGPT plan", "payment"],
  ["Your workspace is out of credits", "payment"],
  ["You hit your spend cap", "payment"],
  ["Codex ran out of room in the model's context window", "context_length"],
  // What codex makes of a plain 500.
  ["We’re currently experiencing high demand", "overloaded"],
  ["Selected model is at capacity", "overloaded"],
  ["stream disconnected before completion: Incomplete response returned, reason: content_filter", "content_filter"],
  ["stream disconnected before completion", "stalled"],
];
