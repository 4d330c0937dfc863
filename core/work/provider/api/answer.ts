import type { AssistantModelMessage, FinishReason, ModelMessage, ToolSet } from "ai";
import type { Clock } from "../../../ground/clock.ts";
import { NO_USAGE, type Failure, type Usage } from "../../task/index.ts";
import type { Price } from "../port.ts";
import { failureOf } from "./failure.ts";
import type { Loaded } from "./model.ts";
import type { ApiLimits } from "./row.ts";
import { chargedFor, usageOfAnswer } from "./tokens.ts";

/** A call of a tool as the model made it; `input` is not checked yet. */
export type Call = { id: string; name: string; input: unknown };

export type Answer =
  /** It came to a whitelisted end. `messages` are what the model said, as the next request repeats it. */
  | { kind: "answered"; text: string; calls: Call[]; messages: ModelMessage[]; usage: Usage }
  | { kind: "failed"; failure: Failure; text: string; usage: Usage };

export type Question = {
  instructions: string;
  messages: ModelMessage[];
  tools: ToolSet;
  limits: Pick<ApiLimits, "firstTokenMs" | "silenceMs" | "answerMs" | "outputTokens">;
  price: Price | null;
};

/** Characters of an answer, its thinking and the arguments of its calls; a call counts `CALL_CHARS` by itself. */
const MOST_CHARS = 2_000_000;
const CALL_CHARS = 2000;

/** Adds up an answer while it comes: arguments come in pieces, at once, or both ways. */
function measure() {
  const chars = { text: 0, pieces: 0, calls: 0 };
  const lengthOf = (text: unknown) => (typeof text === "string" ? text : (JSON.stringify(text) ?? "")).length;
  return (part: { type: string; text?: unknown; delta?: unknown; input?: unknown }): number => {
    if (part.type === "text-delta" || part.type === "reasoning-delta") chars.text += lengthOf(part.text);
    else if (part.type === "tool-input-start") chars.text += CALL_CHARS;
    else if (part.type === "tool-input-delta") chars.pieces += lengthOf(part.delta);
    else if (part.type === "tool-call") chars.calls += lengthOf(part.input);
    return chars.text + Math.max(chars.pieces, chars.calls);
  };
}

const FRAME: ReadonlySet<string> = new Set(["start", "start-step", "finish", "abort", "raw"]);

/** Asks the model once and reads its answer to the end. Throws only when `signal` is aborted. */
export async function ask(
  clock: Clock,
  { streamText, model, wire, options, saysWhy }: Loaded,
  question: Question,
  signal: AbortSignal,
): Promise<Answer> {
  const { instructions, messages, tools, limits, price } = question;
  const ending = new AbortController();
  const watch = silenceWatch(clock, limits, (failure) => ending.abort(failure));
  let text = "";
  const sizeWith = measure();
  const calls: Call[] = [];
  let error: { thrown: unknown } | null = null;
  let usage = NO_USAGE;
  let finish: { reason: FinishReason; raw: string | undefined } | null = null;

  const failed = (failure: Failure): Answer => ({ kind: "failed", failure, text, usage });
  try {
    const result = streamText({
      model,
      instructions,
      messages,
      tools,
      maxOutputTokens: limits.outputTokens,
      // Retries are the pipeline's: one turn is one request, so that a cooldown is kept.
      maxRetries: 0,
      providerOptions: options,
      abortSignal: AbortSignal.any([signal, ending.signal]),
      // Errors are read from the stream; left alone the SDK prints them.
      onError: () => {},
    });
    for await (const part of result.stream) {
      if (part.type === "error") error ??= { thrown: part.error };
      else if (part.type === "finish-step") {
        usage = usageOfAnswer(part.usage, price, chargedFor(part.providerMetadata));
        finish = { reason: part.finishReason, raw: part.rawFinishReason };
      } else if (part.type === "ping") watch.alive();
      // What the SDK says of itself is no part of the answer.
      else if (!FRAME.has(part.type)) watch.began();

      if (sizeWith(part) > MOST_CHARS)
        ending.abort({
          class: "stalled",
          message: `The answer had more than ${MOST_CHARS} characters: it was cut off.`,
        });

      if (part.type === "text-delta") text += part.text;
      else if (part.type === "tool-call") calls.push({ id: part.toolCallId, name: part.toolName, input: part.input });
    }
    signal.throwIfAborted();
    const own = ending.signal.reason as Failure | undefined;
    if (own) return failed(own);
    const wrong = wire.broken ?? error;
    if (wrong) return failed(failureOf(wrong.thrown, watch.hasBegun(), clock.now()));
    const bad = badEnd(finish, { text, calls: calls.length, saysWhy, outputTokens: limits.outputTokens });
    if (bad) return failed(bad);
    const said = (await result.response).messages.filter((message) => message.role === "assistant");
    return { kind: "answered", text, ...withOwnIds(calls, said, messages), usage };
  } catch (thrown) {
    signal.throwIfAborted();
    const own = ending.signal.reason as Failure | undefined;
    const wrong = wire.broken ?? error ?? { thrown };
    return failed(own ?? failureOf(wrong.thrown, watch.hasBegun(), clock.now()));
  } finally {
    watch.stop();
  }
}

/**
 * Gives each call an id that no other of the conversation has: a server that numbers them anew in each answer, or repeats one, is
 * sent them back, and some refuse what is ambiguous then.
 */
function withOwnIds(
  calls: readonly Call[],
  said: readonly AssistantModelMessage[],
  before: readonly ModelMessage[],
): { calls: Call[]; messages: ModelMessage[] } {
  const taken = new Set<string>();
  for (const { role, content } of before)
    if (role === "assistant" && typeof content !== "string")
      for (const part of content) if (part.type === "tool-call") taken.add(part.toolCallId);
  const ids = calls.map(({ id }, i) => {
    const own = taken.has(id) ? `${id}_${before.length}_${i}` : id;
    taken.add(own);
    return own;
  });
  const idOf = (i: number, id: string) => ids[i] ?? id;
  let next = 0;
  const messages = said.map((message): ModelMessage => {
    if (typeof message.content === "string") return message;
    const content = message.content.map((part) =>
      part.type === "tool-call" ? { ...part, toolCallId: idOf(next++, part.toolCallId) } : part,
    );
    return { ...message, content };
  });
  return { calls: calls.map((call, i) => ({ ...call, id: idOf(i, call.id) })), messages };
}

/** Null for an end that counts as one; success is a whitelist. */
function badEnd(
  finish: { reason: FinishReason; raw: string | undefined } | null,
  { text, calls, saysWhy, outputTokens }: { text: string; calls: number; saysWhy: boolean; outputTokens: number },
): Failure | null {
  // Two ends that the SDK takes for another kind than they are.
  if (finish?.raw === "model_context_window_exceeded")
    return { class: "context_length", message: "The conversation filled the model's window." };
  if (finish?.raw === "pause_turn") return { class: "stalled", message: "The model paused and gave no answer." };
  // An adapter may take a stream that broke off behind a call for one that ended with it.
  if (saysWhy && finish?.raw === undefined)
    return { class: "stalled", message: "The answer broke off: it does not say why it ended." };
  switch (finish?.reason) {
    case "stop":
      return text.trim() !== "" || calls > 0
        ? null
        : { class: "stalled", message: "The answer ended and said nothing." };
    case "tool-calls":
      return calls > 0 ? null : { class: "stalled", message: "The answer ended for a tool call and held none." };
    case "length":
      return {
        class: "bad_result",
        message: `The answer was cut off at ${outputTokens} tokens, the most of one answer.`,
      };
    case "content-filter":
      return { class: "content_filter", message: "The provider's content filter ended the answer." };
    case "interrupted":
    case "error":
    case "other":
    case undefined:
      return { class: "stalled", message: `The answer broke off (${finish?.raw ?? finish?.reason ?? "no end"}).` };
  }
}

/** Ends an answer that is slow to begin, falls silent once it has begun, or never comes to its end. */
function silenceWatch(
  clock: Clock,
  { firstTokenMs, silenceMs, answerMs }: Pick<ApiLimits, "firstTokenMs" | "silenceMs" | "answerMs">,
  end: (failure: Failure) => void,
) {
  let begun = false;
  const wait = (ms: number, what: string) =>
    clock.after(ms, () => end({ class: "stalled", message: `${what} within ${ms / 1000} s.` }));
  let cancel = wait(firstTokenMs, "No answer began");
  const cancelAll = wait(answerMs, "The answer was not whole");
  const alive = () => {
    if (!begun) return;
    cancel();
    cancel = wait(silenceMs, "Nothing more of the answer came");
  };
  return {
    began() {
      begun = true;
      alive();
    },
    /** A sign of life that is no part of the answer. */
    alive,
    hasBegun: () => begun,
    stop: () => (cancel(), cancelAll()),
  };
}
