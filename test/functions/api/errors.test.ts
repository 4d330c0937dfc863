import { describe, expect, it } from "vitest";
import * as Log from "../../../core/ground/log.ts";
import { fail } from "../../../core/ground/errors.ts";
import { answerTo } from "../../../functions/api/errors.ts";
import { freePort } from "../../../functions/local/dynamodb.ts";
import { loopback } from "../../../functions/local/loopback.ts";
import { testDeps, type TestDeps } from "../../support/deps.ts";
import { api } from "./support.ts";

describe("unknown places", () => {
  it.each([
    ["GET", "/"],
    ["GET", "/api"],
    ["GET", "/api/agent"],
    ["POST", "/api/agent/nothing"],
    ["GET", "/api/agent/tasks/"],
    ["GET", "/api/agent/tasks/task_0000000000000000/nothing"],
    ["GET", "/api/%00"],
    ["GET", "/api/%ff%fe"],
  ])("%s %s is 404", async (method, path) => {
    const answer = await (await api()).call(method, path);
    expect([answer.status, answer.body, answer.headers.get("x-error-code")]).toEqual([
      404,
      { detail: "Not Found" },
      "not_found",
    ]);
  });

  it.each([
    ["DELETE", "/api/agent/tasks", "POST, GET"],
    ["PUT", "/api/agent/tasks/task_0000000000000000", "GET, PATCH"],
    ["GET", "/api/agent/tasks/task_0000000000000000/cancel", "POST"],
    ["POST", "/api/health", "GET"],
    ["OPTIONS", "/api/agent/tasks", "POST, GET"],
  ])("%s %s is 405", async (method, path, allow) => {
    const answer = await (await api()).call(method, path);
    expect([answer.status, answer.body]).toEqual([405, { detail: "Method Not Allowed" }]);
    expect(answer.headers.get("allow")).toBe(allow);
  });
});

describe("faults of ours", () => {
  /** The given parts with a log that is kept. */
  function logged(deps: TestDeps): { deps: TestDeps; lines: string[] } {
    const lines: string[] = [];
    return { deps: { ...deps, log: Log.create("error", { write: (line: string) => void lines.push(line) }) }, lines };
  }

  it("are a 500 that says nothing, and a log line with the route's template", async () => {
    const { deps, lines } = logged(await testDeps());
    const secret = "sk-planted-secret";
    deps.store = { ...deps.store, table: "no-such-table" };
    const own = await api({ on: deps });
    const answer = await own.call("GET", `/api/agent/tasks?cursor=${secret}`, undefined, { "x-request-id": "r1" });
    expect([answer.status, answer.body]).toEqual([500, { detail: "Internal server error" }]);
    expect(answer.headers.get("x-error-code")).toBe("internal");
    expect(answer.text + JSON.stringify([...answer.headers])).not.toMatch(/no-such-table|at .*\.ts|secret/);
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ method: "GET", route: "/api/agent/tasks", request_id: "r1" });
    expect(lines[0]).not.toContain(secret);
  });

  it("are not a store that is away: 503, and ready says not ready", async () => {
    const { deps } = logged(await testDeps());
    deps.store = { ...deps.store, wire: loopback(`http://127.0.0.1:${await freePort()}`) };
    const own = await api({ on: deps });
    const read = await own.call("GET", "/api/agent/tasks/task_0000000000000000");
    expect([read.status, read.body]).toEqual([503, { detail: "The store does not answer" }]);
    const ready = await own.call("GET", "/api/ready");
    expect([ready.status, ready.body]).toEqual([503, { detail: "not ready" }]);
    expect((await own.call("GET", "/api/health")).status).toBe(200);
  });
});

describe("the mapping", () => {
  it.each([
    ["task.not_found", 404],
    ["task.claimed", 409],
    ["task.transition", 409],
    ["task.of_item", 409],
    ["lease.lost", 409],
    ["input.too_large", 413],
    ["input.cursor", 400],
    ["auth.missing", 401],
    ["auth.scope", 403],
    ["provider.none_ready", 503],
    ["config.invalid", 500],
  ] as const)("%s is %i", (code, status) => {
    const answer = answerTo(fail(code, "what it says"));
    expect(answer.status).toBe(status);
    expect(answer.body).toEqual({ detail: status === 500 ? "Internal server error" : "what it says" });
  });

  it("a 422 of core's is the contract's list, a remedy is part of the sentence", () => {
    expect(answerTo(fail("input.invalid", "No such thing", { remedy: "Use another" }))).toEqual({
      status: 422,
      code: "input.invalid",
      body: {
        detail: [
          {
            type: "value_error",
            loc: ["body"],
            msg: "Value error, No such thing. Use another",
            input: null,
            ctx: { error: {} },
          },
        ],
      },
    });
    expect(answerTo("a string")).toMatchObject({ status: 500 });
    expect(answerTo(undefined)).toMatchObject({ status: 500 });
  });
});
