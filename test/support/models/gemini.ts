import { serve, type Dialect, type Event, type ModelServer, type Options, type Script } from "./server.ts";
import type { Called, Finish, Usage } from "./reply.ts";

/** Google's generateContent over SSE: the model is in the path, and a call's arguments travel as an object. */
export const gemini: Dialect = {
  version: "/v1beta",
  path: /^\/models\/([^:/]+):streamGenerateContent$/,
  keyPath: "/models",
  keyOf: (req) => String(req.headers["x-goog-api-key"] ?? ""),
  listed: (models) => ({ models: models.map((name) => ({ name: `models/${name}` })) }),
  error: ({ status, type, message }) => ({ error: { code: status, message, status: type } }),
  begin: ({ n, model, text, thinking }) => [
    ...(thinking === null
      ? []
      : [chunk(n, model, [{ text: thinking.text, thought: true, thoughtSignature: thinking.signature }])]),
    ...(text === "" ? [] : [chunk(n, model, [{ text }])]),
  ],
  rest: ({ n, model, calls, finish, usage }) => [
    chunk(n, model, calls.map(part), finish ? REASONS[finish] : "STOP", usage),
  ],
  broken: (type) => [{ data: { error: { code: 500, message: `planted ${type}`, status: type } } }],
};

/** Starts a server that speaks it; its URL is what stands before the version. */
export async function start(script: Script, options?: Options): Promise<ModelServer> {
  const server = await serve(gemini, script, options);
  return { ...server, url: server.url.replace(/\/v1beta$/, "") };
}

const REASONS: Record<Finish, string> = {
  length: "MAX_TOKENS",
  "content-filter": "SAFETY",
  "unheard-of": "UNHEARD_OF",
};

function part({ name, args, id }: Called) {
  return { functionCall: { ...(id === undefined ? {} : { id }), name, args } };
}

function chunk(
  n: number,
  model: string,
  parts: readonly object[],
  finishReason?: string,
  usage: Usage | null = null,
): Event {
  const content = { role: "model", parts };
  return {
    data: {
      candidates: [{ index: 0, content, ...(finishReason === undefined ? {} : { finishReason }) }],
      ...(usage === null
        ? {}
        : {
            usageMetadata: {
              promptTokenCount: usage.input,
              cachedContentTokenCount: usage.cached,
              candidatesTokenCount: usage.output,
              totalTokenCount: usage.input + usage.output,
            },
          }),
      modelVersion: model,
      responseId: `response_${n}`,
    },
  };
}
