import { argumentsOf, serve, type Dialect, type Event, type ModelServer, type Options, type Script } from "./server.ts";
import type { Finish } from "./reply.ts";

/** Anthropic's Messages API over SSE. */
export const messages: Dialect = {
  path: "/messages",
  keyPath: "/models",
  keyOf: (req) => String(req.headers["x-api-key"] ?? ""),
  error: ({ type, message }) => ({ type: "error", error: { type, message } }),
  begin: ({ n, model, text, thinking, usage }) => [
    event({
      type: "message_start",
      message: {
        id: `msg_${n}`,
        type: "message",
        role: "assistant",
        model,
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage: {
          // Anthropic counts what was read from the cache, and written to it, apart.
          input_tokens: usage === null ? 0 : usage.input - usage.cached - usage.written,
          cache_read_input_tokens: usage?.cached ?? 0,
          cache_creation_input_tokens: usage?.written ?? 0,
          output_tokens: usage === null ? 0 : 1,
        },
      },
    }),
    ...(thinking === null
      ? []
      : [
          { type: "content_block_start", content_block: { type: "thinking", thinking: "", signature: "" } },
          { type: "content_block_delta", delta: { type: "thinking_delta", thinking: thinking.text } },
          { type: "content_block_delta", delta: { type: "signature_delta", signature: thinking.signature } },
          { type: "content_block_stop" },
        ].map((data) => event({ ...data, index: 0 }))),
    ...(text === ""
      ? []
      : [
          { type: "content_block_start", content_block: { type: "text", text: "" } },
          { type: "content_block_delta", delta: { type: "text_delta", text } },
        ].map((data) => event({ ...data, index: thinking === null ? 0 : 1 }))),
  ],
  rest: ({ n, text, thinking, calls, finish, usage }) => [
    ...(text === "" ? [] : [event({ type: "content_block_stop", index: thinking === null ? 0 : 1 })]),
    ...calls.flatMap((call, i) => {
      const index = i + (text === "" ? 0 : 1) + (thinking === null ? 0 : 1);
      const block = { type: "tool_use", id: call.id ?? `toolu_${n}_${i}`, name: call.name, input: {} };
      const delta = { type: "input_json_delta", partial_json: argumentsOf(call) };
      return [
        event({ type: "content_block_start", index, content_block: block }),
        event({ type: "content_block_delta", index, delta }),
        event({ type: "content_block_stop", index }),
      ];
    }),
    event({
      type: "message_delta",
      delta: {
        stop_reason: finish ? REASONS[finish] : calls.length > 0 ? "tool_use" : "end_turn",
        stop_sequence: null,
      },
      usage: { output_tokens: usage?.output ?? 0 },
    }),
    event({ type: "message_stop" }),
  ],
  broken: (type) => [event({ type: "error", error: { type, message: `planted ${type}` } })],
};

/** Starts a server that speaks it. */
export function start(script: Script, options?: Options): Promise<ModelServer> {
  return serve(messages, script, options);
}

const REASONS: Record<Finish, string> = {
  length: "max_tokens",
  "content-filter": "refusal",
  "unheard-of": "unheard_of",
};

function event(data: { type: string; [key: string]: unknown }): Event {
  return { name: data.type, data };
}
