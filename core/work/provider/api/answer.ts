import type { FinishReason, ModelMessage, ToolSet } from "ai";
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
  limits: Pick<ApiLimits, "firstTokenMs" | "silenceMs" | "outputTokens">;
  price: Price | null;
};

const FRAME: ReadonlySet<string> = new Set(["start", "start-step", "finish", "abort", "raw"]);

/** Asks the model once and reads its answer to the end. Throws only when `signal` is aborted. */
export async function ask(
  clock: Clock,
  { streamText, model, options }: Loaded,
  question: Question,
  signal: AbortSignal,
): Promise<Answer> {
  const { instructions, messages, tools, limits, price } = question;
  const ending = new AbortController();
  const watch = silenceWatch(clock, limits, (failure) => ending.abort(failure));
  let text = "";
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

      if (part.type === "text-delta") text += part.text;
      else if (part.type === "tool-call") calls.push({ id: part.toolCallId, name: part.toolName, input: part.input });
    }
    signal.throwIfAborted();
    const own = ending.signal.reason as Failure | undefined;
    if (own) return failed(own);
    if (error) return failed(failureOf(error.thrown, watch.hasBegun(), clock.now()));
    const bad = badEnd(finish, calls.length, limits.outputTokens);
    if (bad) return failed(bad);
    const said = (await result.response).messages.filter((message) => message.role === "assistant");
    return { kind: "answered", text, calls, messages: said, usage };
  } catch (thrown) {
    signal.throwIfAborted();
    const own = ending.signal.reason as Failure | undefined;
    return failed(own ?? failureOf(error ? error.thrown : thrown, watch.hasBegun(), clock.now()));
  } finally {
    watch.stop();
  }
}

/** Null for an end that counts as one; success is a whitelist. */
function badEnd(
  finish: { reason: FinishReason; raw: string | undefined } | null,
  calls: number,
  outputTokens: number,
): Failure | null {
  // Two ends that the SDK takes for another kind than they are.
  if (finish?.raw === "model_context_window_exceeded")
    return { class: "context_length", message: "The conversation filled the model's window." };
  if (finish?.raw === "pause_turn") return { class: "stalled", message: "The model paused and gave no answer." };
  switch (finish?.reason) {
    case "stop":
      return null;
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

/** Ends an answer that is slow to begin, or falls silent once it has begun. */
function silenceWatch(
  clock: Clock,
  { firstTokenMs, silenceMs }: Pick<ApiLimits, "firstTokenMs" | "silenceMs">,
  end: (failure: Failure) => void,
) {
  let begun = false;
  const wait = (ms: number, what: string) =>
    clock.after(ms, () => end({ class: "stalled", message: `${what} within ${ms / 1000} s.` }));
  let cancel = wait(firstTokenMs, "No answer began");
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
    stop: () => cancel(),
  };
}
