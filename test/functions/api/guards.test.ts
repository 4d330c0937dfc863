import { beforeAll, describe, expect, it } from "vitest";
import { createApp } from "../../../functions/api/app.ts";
import { MAX_BODY_BYTES } from "../../../functions/api/body.ts";
import { api, ORIGIN, type Api } from "./support.ts";

let app: Api;
beforeAll(async () => {
  app = await api();
});
const good = { direction: "do it", task_type: "impl" };
const total = async () => (await app.call("GET", "/api/agent/tasks/count")).body.total;

describe("the host", () => {
  it.each(["127.0.0.1:8000", "localhost:8000", "LOCALHOST:8000", "[::1]:8000"])("takes %s", async (host) => {
    expect((await app.call("GET", "/api/health", undefined, { host })).status).toBe(200);
  });

  it.each([
    "evil.example",
    "evil.example:8000",
    "127.0.0.1",
    "127.0.0.1:8001",
    "localhost:80",
    "127.0.0.1.evil.example:8000",
    "127.0.0.1:8000@evil.example",
    "0.0.0.0:8000",
    "",
  ])("refuses %j: a web page that resolves to us is not the user", async (host) => {
    for (const path of ["/api/health", "/api/agent/tasks", "/nowhere"]) {
      const answer = await app.call("GET", path, undefined, { host });
      expect([answer.status, answer.headers.get("x-error-code")]).toEqual([403, "host.forbidden"]);
      expect(answer.body).toEqual({ detail: expect.any(String) as string });
    }
  });

  it("is the port we listen on, not the one that was asked for; on 80 it may be left out; a public door asks nothing", async () => {
    const ask = async (door: Parameters<typeof createApp>[0]["door"], host: string) =>
      (await (await api({ on: app.deps, ...(door ? { door } : {}) })).call("GET", "/api/health", undefined, { host }))
        .status;
    expect(await ask({ kind: "loopback", port: () => 4321 }, "localhost:4321")).toBe(200);
    expect(await ask({ kind: "loopback", port: () => 4321 }, "localhost:8000")).toBe(403);
    expect(await ask({ kind: "loopback", port: () => 80 }, "localhost")).toBe(200);
    expect(await ask({ kind: "public" }, "api.example.com")).toBe(200);
  });
});

describe("the origin", () => {
  it.each([
    "https://evil.example",
    "null",
    "http://127.0.0.1:8001",
    "https://127.0.0.1:8000",
    "http://localhost:8000",
    "",
  ])("refuses %j, and nothing is made", async (origin) => {
    const before = await total();
    const answer = await app.call("POST", "/api/agent/tasks", good, { origin });
    expect([answer.status, answer.headers.get("x-error-code")]).toEqual([403, "origin.forbidden"]);
    expect(answer.headers.get("access-control-allow-origin")).toBeNull();
    expect(await total()).toBe(before);
  });

  it("takes its own, and those of ALLOWED_ORIGINS with CORS, preflight included", async () => {
    expect((await app.call("GET", "/api/health", undefined, { origin: ORIGIN })).status).toBe(200);
    const origin = "https://dash.example";
    const open = await api({ on: app.deps, config: { allowedOrigins: [origin, "*"] } });
    const answer = await open.call("GET", "/api/agent/tasks/count", undefined, { origin });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("access-control-allow-origin")).toBe(origin);
    expect(answer.headers.get("access-control-allow-credentials")).toBe("true");
    const refused = await open.call("GET", "/api/agent/tasks/none", undefined, { origin });
    expect([refused.status, refused.headers.get("access-control-allow-origin")]).toEqual([404, origin]);
    expect((await open.call("GET", "/api/health", undefined, { origin: "https://evil.example" })).status).toBe(403);

    const hono = createApp({ deps: open.deps, authenticate: () => ({ kind: "operator" }) });
    const preflight = await hono.request(`${ORIGIN}/api/agent/tasks`, {
      method: "OPTIONS",
      headers: { origin, "access-control-request-method": "POST", "access-control-request-headers": "content-type" },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("access-control-allow-headers")).toBe("content-type");
    expect(preflight.headers.get("x-request-id")).not.toBeNull();
  });
});

describe("the content type", () => {
  const json = JSON.stringify(good);

  it.each([
    "text/plain",
    "text/plain;charset=UTF-8",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/jsonp",
    "text/plain; application/json",
    "",
  ])("%j is 415 on every route that takes a body, and nothing is made", async (type) => {
    const before = await total();
    for (const [method, path] of [
      ["POST", "/api/agent/tasks"],
      ["PATCH", "/api/agent/tasks/task_0000000000000000"],
      ["POST", "/api/agent/tasks/task_0000000000000000/retry"],
      ["POST", "/api/agent/backlogs/b/push"],
    ] as const) {
      const answer = await app.call(method, path, json, { "content-type": type });
      expect([answer.status, answer.headers.get("x-error-code")], `${method} ${path}`).toEqual([415, "body.type"]);
    }
    expect(await total()).toBe(before);
  });

  it("39. a body without any Content-Type is refused, never taken unvalidated", async () => {
    const hono = createApp({ deps: app.deps, authenticate: () => ({ kind: "operator" }) });
    const before = await total();
    const response = await hono.request(`${ORIGIN}/api/agent/tasks`, {
      method: "POST",
      body: new TextEncoder().encode('{"direction":5}'),
    });
    expect(response.status).toBe(415);
    expect(await total()).toBe(before);
  });

  it.each(["application/json", "Application/JSON; charset=utf-8", "application/vnd.api+json"])(
    "takes %s",
    async (type) => {
      expect((await app.call("POST", "/api/agent/tasks", json, { "content-type": type })).status).toBe(201);
    },
  );

  it("is not asked for without a body", async () => {
    const answer = await app.call("POST", "/api/agent/tasks/task_0000000000000000/retry");
    expect(answer.status).toBe(404);
  });
});

describe("the size", () => {
  /** A valid body of exactly `bytes` bytes. */
  const ofSize = (bytes: number) => {
    const empty = JSON.stringify({ ...good, pad: "" });
    return JSON.stringify({ ...good, pad: "x".repeat(bytes - empty.length) });
  };

  it("is 1 MiB at most, announced or not", async () => {
    expect((await app.call("POST", "/api/agent/tasks", ofSize(MAX_BODY_BYTES))).status).toBe(201);
    const over = ofSize(MAX_BODY_BYTES + 1);
    const announced: Record<string, string>[] = [
      { "content-length": String(over.length) },
      { "content-length": "5" },
      {},
    ];
    for (const headers of announced) {
      const answer = await app.call("POST", "/api/agent/tasks", over, headers);
      expect([answer.status, answer.headers.get("x-error-code")]).toEqual([413, "input.too_large"]);
    }
  });

  it("is enforced while a chunked body still comes, without reading it to its end", async () => {
    const hono = createApp({ deps: app.deps, authenticate: () => ({ kind: "operator" }) });
    let sent = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += 65_536;
        controller.enqueue(new Uint8Array(65_536).fill(0x20));
      },
    });
    const request = new Request(`${ORIGIN}/api/agent/tasks`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: endless,
      duplex: "half",
    });
    const response = await hono.request(request);
    expect(response.status).toBe(413);
    expect(sent).toBeLessThan(2 * MAX_BODY_BYTES);
  });

  it("counts on routes that look at no body too", async () => {
    const answer = await app.call("POST", "/api/agent/tasks/task_0000000000000000/retry", ofSize(MAX_BODY_BYTES + 1));
    expect(answer.status).toBe(413);
  });
});

describe("the request id", () => {
  it.each(["abc-123", "a:b.c_d", "x".repeat(128)])("echoes one, case %#", async (id) => {
    const answer = await app.call("GET", "/api/version", undefined, { "x-request-id": id });
    expect(answer.headers.get("x-request-id")).toBe(id);
  });

  it.each(["", "a b", "<script>", "x".repeat(129)])("makes one instead of a bad one, case %#", async (id) => {
    const answer = await app.call("GET", "/api/version", undefined, { "x-request-id": id });
    expect(answer.headers.get("x-request-id")).toMatch(/^req_[0-9a-f]{16}$/);
  });

  it("is on refusals and on unknown routes", async () => {
    for (const [path, headers] of [
      ["/api/agent/tasks/none", {}],
      ["/nowhere", {}],
      ["/api/health", { host: "evil.example" }],
    ] as const) {
      const answer = await app.call("GET", path, undefined, { "x-request-id": "mine", ...headers });
      expect(answer.headers.get("x-request-id")).toBe("mine");
    }
  });
});
