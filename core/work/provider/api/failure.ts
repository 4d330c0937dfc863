import * as z from "zod";
import { messageOf } from "../../../ground/errors.ts";
import type { Failure } from "../../task/index.ts";
import { fromHttp, fromTypes, oneLine } from "../classify.ts";
import { NoStream, WireError } from "./wire.ts";

/**
 * The failure behind what an adapter of the SDK threw or put into its stream. Read are status, headers, the error body's types,
 * and the codes of connection errors; `begun` says that an answer had begun to come, `now` is in ms.
 */
export function failureOf(thrown: unknown, begun: boolean, now: number): Failure {
  const ours = causeOf(thrown, WireError);
  if (ours) return { ...ours.failure, message: oneLine(ours.failure.message) };
  const error = ApiError.safeParse(thrown).data;
  const types = typesOf(thrown);
  const message = bodyMessage(thrown) ?? messageOf(thrown);
  const status = error?.statusCode ?? codeOf(thrown);
  if (status !== undefined && status >= 400) {
    const failure = fromHttp({ status, headers: error?.responseHeaders ?? {}, types, message }, now);
    if (failure.class !== "bad_request") return failure;
    if (TOO_LONG.some((sentence) => sentence.test(message))) return { ...failure, class: "context_length" };
    return refusesPrefill(thrown) ? { ...failure, prefill: true } : failure;
  }
  const known = fromTypes(types, message);
  if (known) return known;
  if (thrown instanceof NoStream) return { class: "stalled", message: oneLine(thrown.message) };
  // A connection that cannot be made is the network's; one that broke during an answer leaves a cut stream.
  const code = connectionCode(thrown);
  if (code !== null && !begun) return { class: "network", message: oneLine(`No connection to the server: ${code}.`) };
  const why = code ?? (types[0] !== undefined ? `the server said ${types[0]}` : nameOf(thrown));
  return { class: "stalled", message: oneLine(`The answer broke off: ${why}.`) };
}

/** Anthropic's and vLLM's fixed sentences for a request over the window, which has no type of its own there. */
const TOO_LONG = [/^prompt is too long: \d/, /^This model's maximum context length is \d/];

/** The fields of the SDK's errors that say something; plain error objects of a stream have none of them. */
const ApiError = z.object({
  statusCode: z.number().optional(),
  responseHeaders: z.record(z.string(), z.string()).optional(),
  responseBody: z.string().optional(),
  requestBodyValues: z.unknown().optional(),
  data: z.unknown().optional(),
  cause: z.unknown().optional(),
});

/** An error as the protocols write it: at the top, under `error`, or under `response.error`. */
const Said = z.object({
  type: z.string().nullish().catch(null),
  code: z.union([z.string(), z.number()]).nullish().catch(null),
  param: z.string().nullish().catch(null),
  message: z.string().nullish().catch(null),
  error: z.unknown().optional(),
  response: z.unknown().optional(),
});
type Said = z.infer<typeof Said>;

/** Every error object in what was thrown, the innermost first: it says most. */
function saidIn(thrown: unknown): Said[] {
  const error = ApiError.safeParse(thrown).data;
  const roots = [parsed(error?.responseBody), error?.data, thrown].filter((root) => root !== undefined);
  return roots.flatMap((root) => nested(root, 3));
}

function nested(value: unknown, depth: number): Said[] {
  const said = Said.safeParse(value).data;
  if (!said || depth === 0) return [];
  return [...nested(said.error, depth - 1), ...nested(said.response, depth - 1), said];
}

function typesOf(thrown: unknown): string[] {
  return saidIn(thrown).flatMap(({ code, type }) => [code, type].filter((word) => typeof word === "string"));
}

/** A status that an error within a stream writes as its code (OpenRouter, vLLM). */
function codeOf(thrown: unknown): number | undefined {
  return saidIn(thrown)
    .map(({ code }) => code)
    .find((code) => typeof code === "number" && code >= 400 && code < 600) as number | undefined;
}

function bodyMessage(thrown: unknown): string | null {
  return saidIn(thrown).find((said) => typeof said.message === "string")?.message ?? null;
}

/** What was thrown and what caused it, the outermost first. */
function* causesOf(thrown: unknown): Generator<Error> {
  for (let at: unknown = thrown, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth++) yield at;
}

/** The first of a kind among the causes. */
function causeOf<T extends Error>(thrown: unknown, kind: new (...args: never[]) => T): T | undefined {
  for (const at of causesOf(thrown)) if (at instanceof kind) return at;
  return undefined;
}

/** The code of a connection error, somewhere among the causes. */
function connectionCode(thrown: unknown): string | null {
  for (const at of causesOf(thrown)) {
    const code = (at as { code?: unknown }).code;
    if (typeof code === "string" && /^(?:E[A-Z_]+|UND_ERR_[A-Z_]+)$/.test(code)) return code;
  }
  return null;
}

function nameOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.name.replace(/^AI_/, "") : "it ended without its end marker";
}

/**
 * Whether a 400 names a message of the assistant's among those we sent: by its `param`, or by the place that Anthropic begins
 * its messages with ("messages.3: …"), looked up in the request itself; or by Anthropic's fixed sentence, which names no place.
 */
function refusesPrefill(thrown: unknown): boolean {
  const sent = Sent.safeParse(ApiError.safeParse(thrown).data?.requestBodyValues).data;
  const messages = sent?.messages ?? sent?.input ?? [];
  return saidIn(thrown).some(({ param, message }) => {
    const place = PLACE.exec(param ?? "") ?? PLACE.exec(message ?? "");
    if (place) return messages[Number(place[1])]?.role === "assistant";
    return NO_PREFILL.test(message ?? "");
  });
}

const Sent = z.object({
  messages: z.array(z.object({ role: z.string().optional() })).optional(),
  input: z.array(z.object({ role: z.string().optional() })).optional(),
});
const PLACE = /^(?:messages|input)[.[]+(\d+)/;
const NO_PREFILL = /^This model does not support assistant message prefill\b/;

function parsed(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
