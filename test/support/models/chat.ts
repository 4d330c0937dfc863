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
import type { Finish, Thinking } from "./reply.ts";

/** OpenAI's chat completions over SSE, as Ollama, vLLM and OpenRouter speak them. */
export const chat: Dialect = {
  path: "/chat/completions",
  keyPath: "/models",
  keyOf: bearerOf,
  error: ({ type, message, param }) => ({ error: { type, code: type, message, param } }),
  begin: ({ n, model, text, thinking }) => [
    ...(thinking === null ? [] : [chunk(n, model, { role: "assistant", content: "", ...thought(thinking) })]),
    chunk(n, model, { role: "assistant", content: text }),
  ],
  rest: ({ n, model, calls, finish, usage }) => [
    ...calls.map((call, index) =>
      chunk(n, model, {
        tool_calls: [
          {
            index,
            id: call.id ?? `call_${n}_${index}`,
            type: "function",
            function: { name: call.name, arguments: argumentsOf(call) },
          },
        ],
      }),
    ),
    chunk(n, model, {}, finish ? REASONS[finish] : calls.length > 0 ? "tool_calls" : "stop"),
    ...(usage === null
      ? []
      : [
          {
            data: {
              ...head(n, model),
              choices: [],
              usage: {
                prompt_tokens: usage.input,
                completion_tokens: usage.output,
                total_tokens: usage.input + usage.output,
                prompt_tokens_details: { cached_tokens: usage.cached },
                ...(usage.cost === undefined ? {} : { cost: usage.cost }),
              },
            },
          },
        ]),
    { data: "[DONE]" },
  ],
  broken: (type) => [{ data: { error: { type, code: type, message: `planted ${type}`, param: null } } }],
};

/** Starts a server that speaks it. */
export function start(script: Script, options?: Options): Promise<ModelServer> {
  return serve(chat, script, options);
}

/** Starts one that answers for a key as OpenRouter does. */
export function startOpenRouter(script: Script, options?: Options): Promise<ModelServer> {
  return serve({ ...chat, keyPath: "/key" }, script, options);
}

/** In the words of DeepSeek and vLLM, and in those of OpenRouter. */
function thought({ text, signature }: Thinking) {
  return {
    reasoning_content: text,
    reasoning: text,
    reasoning_details: [{ type: "reasoning.text", text, signature, index: 0, format: "anthropic-claude-v1" }],
  };
}

const REASONS: Record<Finish, string> = {
  length: "length",
  "content-filter": "content_filter",
  "unheard-of": "unheard_of",
};

function head(n: number, model: string) {
  return { id: `chatcmpl-${n}`, object: "chat.completion.chunk", created: 1_700_000_000, model };
}

function chunk(n: number, model: string, delta: object, finish_reason: string | null = null): Event {
  return { data: { ...head(n, model), choices: [{ index: 0, delta, finish_reason }] } };
}
