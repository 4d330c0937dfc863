import { beforeAll, describe, expect, it } from "vitest";
import { fail } from "../../../core/ground/errors.ts";
import type { Caller } from "../../../functions/api/route.ts";
import { routes } from "../../../functions/api/routes/index.ts";
import { testDeps, type TestDeps } from "../../support/deps.ts";
import { api } from "./support.ts";

let deps: TestDeps;
beforeAll(async () => {
  deps = await testDeps();
});
const as = (authenticate: () => Caller) => api({ on: deps, authenticate });
const key = (...scopes: ("read" | "write" | "run" | "admin")[]) => as(() => ({ kind: "key", id: "k", scopes }));
const pathOf = (path: string) => path.replace(":id", "task_0000000000000000");

describe("who may call", () => {
  it("nobody without a key, but health, ready and version", async () => {
    const app = await as(() => {
      throw fail("auth.missing", "A key is needed");
    });
    for (const row of routes) {
      const answer = await app.call(row.method, pathOf(row.path));
      if (["/api/health", "/api/ready", "/api/version"].includes(row.path)) expect(answer.status, row.path).toBe(200);
      else {
        expect([answer.status, answer.body], row.path).toEqual([401, { detail: "A key is needed" }]);
        expect(answer.headers.get("www-authenticate")).toBe("Bearer");
      }
    }
  });

  it("a key only what its scopes say: with none, nothing", async () => {
    const app = await key();
    for (const row of routes.filter((row) => row.scope !== "public")) {
      const answer = await app.call(row.method, pathOf(row.path));
      expect([answer.status, answer.headers.get("x-error-code")], row.path).toEqual([403, "auth.scope"]);
    }
  });

  it("read reads, write writes, run patches, admin does all", async () => {
    const good = { direction: "x", task_type: "impl" };
    const reader = await key("read");
    expect((await reader.call("GET", "/api/agent/tasks")).status).toBe(200);
    expect((await reader.call("POST", "/api/agent/tasks", good)).status).toBe(403);
    const writer = await key("write");
    const made = await writer.call("POST", "/api/agent/tasks", good);
    expect(made.status).toBe(201);
    expect((await writer.call("GET", "/api/agent/tasks")).status).toBe(403);
    const runner = await key("run");
    const path = `/api/agent/tasks/${String(made.body.id)}`;
    expect((await runner.call("PATCH", path, { current_step: "x" })).status).toBe(200);
    expect((await runner.call("POST", `${path}/cancel`)).status).toBe(403);
    expect((await (await key("admin")).call("POST", `${path}/cancel`)).status).toBe(200);
  });
});
