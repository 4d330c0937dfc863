import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { COST, type Called, type Finish, type Reply, type Thinking, type Usage } from "./reply.ts";

/**
 * A scripted model server on loopback. A function decides each reply, so a test says what the "model" does and then counts what
 * the agent really sent; a dialect puts it into the words of a protocol. It never waits.
 */

/** One request for an answer, as it came. */
export type ModelRequest = {
  /** The key it came with. */
  key: string;
  model: string;
  /** When it came, as `performance.now()` tells it. */
  at: number;
  /** The whole body, for tests that look deeper. */
  body: Record<string, unknown>;
};

export type ModelServer = {
  /** The base URL, ending in the version, as `/v1`. */
  url: string;
  /** Every request for an answer, in order. */
  requests: ModelRequest[];
  /** How many times it was asked whether it takes the key. */
  modelReads: () => number;
  /** Characters that endless answers have sent so far. */
  sent: () => number;
  /** Resolves when request number `n` (from 1) has come in. */
  arrived: (n: number) => Promise<void>;
  close: () => Promise<void>;
};

/** `script(request, n)` gives the reply to request `n` (from 1). */
export type Script = (request: ModelRequest, n: number) => Reply;

/** `key` is the one that a look at the models asks for, others get 401; null: it asks for none. */
export type Options = { key?: string | null; models?: readonly string[] };

/** One event of a stream: its name, where the protocol names them, and its data; a string goes as it is. */
export type Event = { name?: string; data: unknown };

/** A whole answer, and which one it is. */
export type Whole = {
  n: number;
  model: string;
  text: string;
  thinking: Thinking | null;
  calls: readonly Called[];
  finish: Finish | undefined;
  usage: Usage | null;
};

/** A protocol. */
export type Dialect = {
  /** What all paths begin with; `/v1` where it is not said. */
  version?: string;
  /** Where answers are asked for, from the version on; a pattern where the model is part of it, as its group. */
  path: string | RegExp;
  /** What a look at the key asks for, from the version on. */
  keyPath: string;
  /** The body that lists models, where it is not OpenAI's. */
  listed?: (models: readonly string[]) => unknown;
  keyOf: (req: IncomingMessage) => string;
  /** An error's body. */
  error: (error: { status: number; type: string; message: string; param: string | null }) => unknown;
  /** How an answer begins, with its first text where there is such. */
  begin: (whole: Whole) => Event[];
  /** All that follows the beginning. */
  rest: (whole: Whole) => Event[];
  /** An error within a stream. */
  broken: (type: string) => Event[];
  /** A call with plain text as its input, for a protocol that has such. */
  custom?: (n: number, name: string, input: string) => Event[];
};

/** Starts a server that speaks a dialect. */
export async function serve(dialect: Dialect, script: Script, options: Options = {}): Promise<ModelServer> {
  const { key = "test-key", models = ["loop-model"] } = options;
  const { version = "/v1", listed = listedByOpenAi } = dialect;
  const requests: ModelRequest[] = [];
  const waiting: { n: number; resolve: () => void }[] = [];
  let modelReads = 0;
  let sent = 0;

  const answer = async (req: IncomingMessage, res: ServerResponse) => {
    // Claude Code asks for `/messages?beta=true`.
    const path = (req.url ?? "").replace(/\?.*$/, "");
    if (req.method === "GET" && [`${version}${dialect.keyPath}`, `${version}/models`].includes(path)) {
      modelReads++;
      if (key !== null && dialect.keyOf(req) !== key) return sendError(res, 401, "invalid_request_error");
      return sendJson(res, 200, listed(models));
    }
    const inPath = path.startsWith(version) && askedBy(dialect.path, path.slice(version.length));
    if (req.method !== "POST" || !inPath) return sendError(res, 404, "not_found_error");
    const body = JSON.parse(await bodyOf(req)) as Record<string, unknown>;
    const model = inPath[1] ?? String(body["model"]);
    const request = { key: dialect.keyOf(req), model, at: performance.now(), body };
    requests.push(request);
    const n = requests.length;
    for (const w of waiting.splice(0)) (w.n <= n ? w.resolve : () => waiting.push(w))();
    play(res, script(request, n), n, request.model);
  };

  const sendError = (
    res: ServerResponse,
    status: number,
    type: string,
    { message = `planted ${status}`, param = null, headers = {} }: ErrorMore = {},
  ) => sendJson(res, status, dialect.error({ status, type, message, param }), headers);

  const play = (res: ServerResponse, reply: Reply, n: number, model: string): void => {
    const whole = (more: Partial<Whole>): Whole => ({
      ...{ n, model, text: "", thinking: null, calls: [], finish: undefined, usage: COST },
      ...more,
    });
    const finish = (of: Whole) => {
      open(res);
      send(res, [...dialect.begin(of), ...dialect.rest(of)]);
      res.end();
    };
    const start = (text: string) => {
      open(res);
      send(res, dialect.begin(whole({ text })));
    };
    switch (reply.kind) {
      case "status":
        return sendError(res, reply.status, reply.type ?? "server_error", reply);
      case "raw":
        res.writeHead(reply.status, reply.headers ?? {});
        return void res.end(reply.body);
      case "endless": {
        res.writeHead(reply.status, reply.headers ?? {});
        res.write(reply.body);
        const more = () => {
          do sent += reply.piece.length;
          while (!res.destroyed && res.write(reply.piece));
        };
        if (reply.piece === "") return;
        res.on("drain", more);
        return more();
      }
      case "reset":
        return void res.socket?.resetAndDestroy();
      case "mute":
        return;
      case "silence":
        open(res);
        return res.flushHeaders();
      case "text":
        return finish(whole({ text: reply.text, ...endingOf(reply) }));
      case "function":
        return finish(whole({ calls: [reply], ...endingOf(reply) }));
      case "functions":
        return finish(
          whole({
            text: reply.text ?? "",
            thinking: reply.thinking ?? null,
            calls: reply.calls,
            ...endingOf(reply),
          }),
        );
      case "custom":
        open(res);
        send(res, dialect.custom?.(n, reply.name, reply.input) ?? []);
        return void res.end();
      case "cut":
        start(reply.text);
        // Break only when the bytes are out, so that the agent sees a stream that began.
        return void res.write(": \n\n", () => res.destroy());
      case "stall":
        return start(reply.text);
      case "malformed":
        start(reply.text);
        send(res, [{ data: '{"broken' }]);
        return void res.end();
      case "unfinished":
        start(reply.text);
        return void res.end();
      case "error":
        start(reply.text);
        send(res, dialect.broken(reply.type));
        return void res.end();
    }
  };

  const server: Server = createServer((req, res) => {
    answer(req, res).catch(() => res.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${version}`,
    requests,
    modelReads: () => modelReads,
    sent: () => sent,
    arrived: (n) => (requests.length >= n ? Promise.resolve() : new Promise((resolve) => waiting.push({ n, resolve }))),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Whether a path is the one where answers are asked for, with the groups of a pattern. */
function askedBy(wanted: string | RegExp, path: string): readonly string[] | null {
  return typeof wanted === "string" ? (path === wanted ? [path] : null) : wanted.exec(path);
}

function listedByOpenAi(models: readonly string[]): unknown {
  return { object: "list", data: models.map((id) => ({ id, object: "model" })), models: [] };
}

type ErrorMore = { message?: string; param?: string | null; headers?: Record<string, string> };

/** A call's arguments as they travel. */
export function argumentsOf(call: Called): string {
  return call.raw ?? JSON.stringify(call.args);
}

/** The token of a bearer. */
export function bearerOf(req: IncomingMessage): string {
  return (req.headers.authorization ?? "").replace(/^Bearer /, "");
}

function endingOf(reply: { finish?: Finish; usage?: Partial<Usage> | false }): Pick<Whole, "finish" | "usage"> {
  return { finish: reply.finish, usage: reply.usage === false ? null : { ...COST, ...reply.usage } };
}

function open(res: ServerResponse): void {
  res.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
}

function send(res: ServerResponse, events: readonly Event[]): void {
  for (const { name, data } of events)
    res.write(
      `${name === undefined ? "" : `event: ${name}\n`}data: ${typeof data === "string" ? data : JSON.stringify(data)}\n\n`,
    );
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
