import {
  argumentsOf,
  bearerOf,
  serve,
  type Dialect,
  type Event,
  type ModelServer,
  type Options,
  type Script,
} from "./server.ts";
import type { Finish, Thinking, Usage } from "./reply.ts";

/** OpenAI's Responses API over SSE. */
export const responses: Dialect = {
  path: "/responses",
  keyPath: "/models",
  keyOf: bearerOf,
  error: ({ type, message, param }) => ({ error: { type, code: type, message, param } }),
  begin: ({ n, model, text }) => [
    event({
      type: "response.created",
      response: { id: `resp_${n}`, object: "response", created_at: 1_700_000_000, model, status: "in_progress" },
    }),
    ...(text === ""
      ? []
      : [
          event({ type: "response.output_item.added", output_index: 0, item: message(n, "") }),
          event({ type: "response.output_text.delta", item_id: `msg_${n}`, output_index: 0, delta: text }),
        ]),
  ],
  rest({ n, text, thinking, calls, finish, usage }) {
    const items = [
      ...(thinking === null ? [] : [reasoning(n, thinking)]),
      ...(text === "" ? [] : [message(n, text)]),
      ...calls.map((call, i) => ({
        type: "function_call",
        id: `fc_${n}_${i}`,
        call_id: call.id ?? `call_${n}_${i}`,
        name: call.name,
        arguments: argumentsOf(call),
        status: "completed",
      })),
    ];
    const announced = items.flatMap((item, i) => [
      ...(item.type === "message"
        ? []
        : [event({ type: "response.output_item.added", output_index: i, item: begun(item) })]),
      event({ type: "response.output_item.done", output_index: i, item }),
    ]);
    return [...announced, ended(n, items, finish, usage)];
  },
  broken: (type) => [
    event({ type: "error", sequence_number: 9, error: { type, code: type, message: `planted ${type}`, param: null } }),
  ],
  custom(n, name, input) {
    const item = { type: "custom_tool_call", id: `ctc_${n}`, call_id: `call_${n}`, name, input, status: "completed" };
    return [
      ...responses.begin({ n, model: "", text: "", thinking: null, calls: [], finish: undefined, usage: null }),
      event({ type: "response.output_item.done", output_index: 0, item }),
      ended(n, [item], undefined, { input: 1000, cached: 400, written: 0, output: 50 }),
    ];
  },
};

/** Starts a server that speaks it. */
export function start(script: Script, options?: Options): Promise<ModelServer> {
  return serve(responses, script, options);
}

const REASONS: Record<Finish, string> = {
  length: "max_output_tokens",
  "content-filter": "content_filter",
  "unheard-of": "unheard_of",
};

function ended(n: number, output: readonly unknown[], finish: Finish | undefined, usage: Usage | null): Event {
  const status = finish === undefined ? "completed" : "incomplete";
  return event({
    type: `response.${status}`,
    response: {
      id: `resp_${n}`,
      object: "response",
      status,
      output,
      incomplete_details: finish === undefined ? null : { reason: REASONS[finish] },
      ...(usage === null
        ? {}
        : {
            usage: {
              input_tokens: usage.input,
              input_tokens_details: {
                cached_tokens: usage.cached,
                ...(usage.written > 0 ? { cache_write_tokens: usage.written } : {}),
              },
              output_tokens: usage.output,
              output_tokens_details: { reasoning_tokens: 0 },
              total_tokens: usage.input + usage.output,
            },
          }),
    },
  });
}

function reasoning(n: number, { text, signature }: Thinking) {
  return {
    type: "reasoning",
    id: `rs_${n}`,
    summary: [{ type: "summary_text", text }],
    encrypted_content: signature,
  };
}

/** An item as it is announced, before it is whole. */
function begun(item: { type: string }) {
  return item.type === "function_call" ? { ...item, arguments: "" } : { ...item, summary: [] };
}

function message(n: number, text: string) {
  return {
    type: "message",
    id: `msg_${n}`,
    role: "assistant",
    status: text ? "completed" : "in_progress",
    content: text ? [{ type: "output_text", text, annotations: [] }] : [],
  };
}

function event(data: { type: string; [key: string]: unknown }): Event {
  return { name: data.type, data };
}
