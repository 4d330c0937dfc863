import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/**
 * A scripted model server on loopback that speaks the OpenAI Responses API over SSE, as CLI agents want it. A function
 * decides each reply, so a test says what the "model" does and then counts what the agent really sent. It never waits.
 */

/** One POST /v1/responses as it came. */
export type ModelRequest = {
  /** The bearer token, without "Bearer ". */
  key: string;
  model: string;
  /** When it came, as `performance.now()` tells it. */
  at: number;
  /** The whole body, for tests that look deeper. */
  body: Record<string, unknown>;
};

export type Reply =
  /** A final answer. */
  | { kind: "text"; text: string }
  /** A call of one of the agent's tools; `args` travels as JSON. */
  | { kind: "function"; name: string; args: Record<string, unknown> }
  /** A call of a tool whose input is plain text (codex's `apply_patch`). */
  | { kind: "custom"; name: string; input: string }
  /** An error answer with OpenAI's error body. */
  | { kind: "status"; status: number; type?: string; headers?: Record<string, string> }
  /** The stream opens with 200 and then nothing ever comes. */
  | { kind: "silence" }
  /** The stream begins an answer and the connection breaks. */
  | { kind: "cut"; text: string };

export type ModelServer = {
  /** The base URL, ending in `/v1`. */
  url: string;
  /** Every POST /v1/responses, in order. */
  requests: ModelRequest[];
  /** How many times GET /v1/models was asked. */
  modelReads: () => number;
  /** Resolves when request number `n` (from 1) has come in. */
  arrived: (n: number) => Promise<void>;
  close: () => Promise<void>;
};

/** Starts the server; `script(request, n)` gives the reply to request `n` (from 1). `key` is the token it takes, others get 401. */
export async function start(
  script: (request: ModelRequest, n: number) => Reply,
  key = "test-key",
): Promise<ModelServer> {
  const requests: ModelRequest[] = [];
  const waiting: { n: number; resolve: () => void }[] = [];
  let modelReads = 0;

  const answer = async (req: IncomingMessage, res: ServerResponse) => {
    const token = (req.headers.authorization ?? "").replace(/^Bearer /, "");
    if (req.method === "GET" && req.url?.startsWith("/v1/models")) {
      modelReads++;
      if (token !== key) return sendError(res, 401, "invalid_request_error");
      return sendJson(res, 200, { object: "list", data: [{ id: "loop-model", object: "model" }], models: [] });
    }
    if (req.method !== "POST" || req.url !== "/v1/responses") return sendError(res, 404, "not_found_error");
    const body = JSON.parse(await bodyOf(req)) as Record<string, unknown>;
    const request = { key: token, model: String(body.model), at: performance.now(), body };
    requests.push(request);
    const n = requests.length;
    for (const w of waiting.splice(0)) (w.n <= n ? w.resolve : () => waiting.push(w))();
    play(res, script(request, n), n);
  };

  const server: Server = createServer((req, res) => {
    answer(req, res).catch(() => res.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests,
    modelReads: () => modelReads,
    arrived: (n) => (requests.length >= n ? Promise.resolve() : new Promise((resolve) => waiting.push({ n, resolve }))),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function play(res: ServerResponse, reply: Reply, n: number): void {
  switch (reply.kind) {
    case "status":
      return sendError(res, reply.status, reply.type ?? "server_error", reply.headers);
    case "silence":
      res.writeHead(200, { "content-type": "text/event-stream" });
      return res.flushHeaders();
    case "cut":
      open(res, n);
      event(res, { type: "response.output_item.added", output_index: 0, item: message(n, "") });
      event(res, { type: "response.output_text.delta", item_id: `msg_${n}`, output_index: 0, delta: reply.text });
      // Break only when the bytes are out, so that the agent sees a stream that began.
      return void res.write(": \n\n", () => res.destroy());
    case "text":
      open(res, n);
      event(res, { type: "response.output_item.added", output_index: 0, item: message(n, "") });
      event(res, { type: "response.output_text.delta", item_id: `msg_${n}`, output_index: 0, delta: reply.text });
      return finish(res, n, message(n, reply.text));
    case "function":
      open(res, n);
      return finish(res, n, {
        type: "function_call",
        id: `fc_${n}`,
        call_id: `call_${n}`,
        name: reply.name,
        arguments: JSON.stringify(reply.args),
        status: "completed",
      });
    case "custom":
      open(res, n);
      return finish(res, n, {
        type: "custom_tool_call",
        id: `ctc_${n}`,
        call_id: `call_${n}`,
        name: reply.name,
        input: reply.input,
        status: "completed",
      });
  }
}

/** What every complete answer costs, so that tests can add up usage. */
export const USAGE = { input_tokens: 1000, cached_tokens: 400, output_tokens: 50 };

function open(res: ServerResponse, n: number): void {
  res.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
  event(res, { type: "response.created", response: { id: `resp_${n}`, status: "in_progress" } });
}

function finish(res: ServerResponse, n: number, item: Record<string, unknown>): void {
  event(res, { type: "response.output_item.done", output_index: 0, item });
  event(res, {
    type: "response.completed",
    response: {
      id: `resp_${n}`,
      status: "completed",
      output: [item],
      usage: {
        input_tokens: USAGE.input_tokens,
        input_tokens_details: { cached_tokens: USAGE.cached_tokens },
        output_tokens: USAGE.output_tokens,
        output_tokens_details: { reasoning_tokens: 0 },
        total_tokens: USAGE.input_tokens + USAGE.output_tokens,
      },
    },
  });
  res.end();
}

function message(n: number, text: string): Record<string, unknown> {
  return {
    type: "message",
    id: `msg_${n}`,
    role: "assistant",
    status: text ? "completed" : "in_progress",
    content: text ? [{ type: "output_text", text, annotations: [] }] : [],
  };
}

function event(res: ServerResponse, data: { type: string; [key: string]: unknown }): void {
  res.write(`event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`);
}

function sendError(res: ServerResponse, status: number, type: string, headers: Record<string, string> = {}): void {
  sendJson(res, status, { error: { type, code: type, message: `planted ${status}`, param: null } }, headers);
}

function sendJson(res: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  res.writeHead(status, { "content-type": "application/json", ...headers });
  res.end(JSON.stringify(body));
}

async function bodyOf(req: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}
