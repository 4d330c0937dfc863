import { request, type IncomingHttpHeaders } from "node:http";
import { connect } from "node:net";
import { serve } from "@hono/node-server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createApp } from "../../../functions/api/app.ts";
import { freePort } from "../../../functions/local/dynamodb.ts";
import { testDeps } from "../../support/deps.ts";

/** The same app behind the server that the local host runs: what only a real socket can send. */
let port: number;
let server: ReturnType<typeof serve>;
beforeAll(async () => {
  port = await freePort();
  const deps = await testDeps();
  const app = createApp({
    deps,
    authenticate: () => ({ kind: "operator" }),
    door: { kind: "loopback", port: () => port },
  });
  await new Promise((resolve) => {
    server = serve({ fetch: app.fetch, hostname: "127.0.0.1", port }, resolve);
  });
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

type Answer = { status: number; headers: IncomingHttpHeaders; body: unknown };

function send(
  method: string,
  path: string,
  headers: Record<string, string>,
  chunks: readonly (string | Uint8Array)[] = [],
) {
  return new Promise<Answer>((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port, method, path, headers, agent: false }, (answer) => {
      let text = "";
      answer.setEncoding("utf8");
      answer.on("data", (part: string) => (text += part));
      answer.on("end", () =>
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: JSON.parse(text) }),
      );
      answer.on("error", reject);
    });
    // The server may answer and hang up before it has read everything: then the answer counts.
    sent.on(
      "error",
      (error: NodeJS.ErrnoException) => error.code === "EPIPE" || error.code === "ECONNRESET" || reject(error),
    );
    for (const chunk of chunks) sent.write(chunk);
    sent.end();
  });
}

/** One request, byte for byte; what came back until the server closed. */
function raw(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = "";
    const socket = connect(port, "127.0.0.1", () => socket.end(text));
    socket.setEncoding("utf8");
    socket.on("data", (part: string) => (answer += part));
    socket.on("close", () => resolve(answer));
    socket.on("error", reject);
  });
}

const json = { "content-type": "application/json" };
const good = JSON.stringify({ direction: "do it", task_type: "impl" });

describe("on a real socket", () => {
  it("serves, and takes a chunked body", async () => {
    const made = await send("POST", "/api/agent/tasks", json, [good.slice(0, 9), good.slice(9)]);
    expect([made.status, made.body]).toMatchObject([201, { direction: "do it" }]);
  });

  it("refuses a foreign Host, and a request without one", async () => {
    const foreign = await send("GET", "/api/health", { host: "evil.example" });
    expect([foreign.status, foreign.headers["x-error-code"]]).toEqual([403, "host.forbidden"]);
    expect(await raw("GET /api/health HTTP/1.0\r\n\r\n")).toMatch(/^HTTP\/1\.\d 4\d\d /);
    expect(await raw("GET http://evil.example/api/health HTTP/1.1\r\nHost: evil.example\r\n\r\n")).toMatch(/ 403 /);
  });

  it("39. refuses a body without Content-Type, and bytes that are not UTF-8", async () => {
    const untyped = await send("POST", "/api/agent/tasks", {}, [good]);
    expect([untyped.status, untyped.headers["x-error-code"]]).toEqual([415, "body.type"]);
    const latin = await send("POST", "/api/agent/tasks", json, [new Uint8Array([0x22, 0xe9, 0x22])]);
    expect([latin.status, latin.body]).toMatchObject([422, { detail: [{ type: "json_invalid" }] }]);
  });

  it("answers a chunked body over 1 MiB with 413", async () => {
    const part = " ".repeat(65_536);
    const answer = await send(
      "POST",
      "/api/agent/tasks",
      json,
      Array.from({ length: 17 }, () => part),
    );
    expect([answer.status, answer.headers["x-error-code"]]).toEqual([413, "input.too_large"]);
  });

  it("needs no type and no body on a verb that has none", async () => {
    const answer = await send("POST", "/api/agent/tasks/task_0000000000000000/retry", { "content-length": "0" });
    expect([answer.status, answer.body]).toEqual([404, { detail: "Task not found" }]);
  });
});
