import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serve } from "@hono/node-server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as Worker from "../../../core/flow/worker/index.ts";
import * as Attempt from "../../../core/work/attempt/index.ts";
import * as Provider from "../../../core/work/provider/index.ts";
import * as Task from "../../../core/work/task/index.ts";
import { createApp } from "../../../functions/api/app.ts";
import { testDeps, type TestDeps } from "../../support/deps.ts";
import { run } from "./host.ts";

/** The command against the real API on a real table: that the two mean the same by what they send each other. */
let deps: TestDeps;
let base: string;
let server: ReturnType<typeof serve>;
let folder: string;
beforeAll(async () => {
  deps = await testDeps();
  let port = 0;
  const app = createApp({
    deps,
    authenticate: () => ({ kind: "operator" }),
    door: { kind: "loopback", port: () => port },
  });
  await new Promise<void>((resolve) => {
    server = serve({ fetch: app.fetch, hostname: "127.0.0.1", port: 0 }, (info) => {
      port = info.port;
      resolve();
    });
  });
  base = `http://127.0.0.1:${port}`;
  folder = mkdtempSync(join(tmpdir(), "cli-real-"));
  writeFileSync(
    join(folder, "main.md"),
    "## Phase 1: A\n1. Write the parser {#parser}\n2. Write the printer {#printer}\n",
  );
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

const coherence = (...argv: string[]) => run(argv, { env: { AGENT_API_BASE: base, COLUMNS: "160" }, cwd: folder });

/** A new task of the direction, and its id. */
async function made(direction: string): Promise<string> {
  return (await Task.create(deps, { direction, task_type: "impl" })).task.row.id;
}

/** Runs a command that must work, and gives what it printed. */
async function printed(...argv: string[]): Promise<string> {
  const { out, err, code } = await coherence(...argv);
  expect({ err, code }).toEqual({ err: "", code: 0 });
  return out;
}

describe("an empty pipeline", () => {
  it.each([
    [["status"], /^Attention: —$/m],
    [["tasks"], /^No tasks\.$/m],
    [["providers"], /^No providers\.$/m],
    [["workers"], /^none$/m],
  ])("%j says so", async (argv, text) => {
    expect(await printed(...argv)).toMatch(text);
  });

  it("items says that there is no backlog and how to make one", async () => {
    expect(await coherence("items")).toMatchObject({
      out: "",
      err: "There is no backlog\nPush one: `coherence backlog push FILE`.\n",
      code: 1,
    });
  });
});

describe("a backlog", () => {
  it("is pushed, listed and pushed again", async () => {
    expect(await printed("backlog", "push", "main.md", "--dry-run")).toBe("main: 2 created, 0 unchanged (dry run)\n");
    expect(await printed("backlog", "push", "main.md")).toBe("main: 2 created, 0 unchanged\n");
    expect(await printed("backlog", "push", "main.md")).toBe("main: 2 unchanged\n");
    const items = await printed("items");
    expect(items).toMatch(/^parser\s+queued\s+spec\s+0\s+Write the parser$/m);
    expect(await printed("items", "main", "--state", "done")).toBe("No items.\n");
    expect(JSON.parse(await printed("items", "--json"))).toMatchObject({ total: 2 });
  });

  it("refuses what the API refuses, in one line with its remedy", async () => {
    const state = await coherence("items", "main", "--state", "gone");
    expect(state).toMatchObject({ out: "", code: 1 });
    expect(state.err).toMatch(/^state: /);
    const item = await coherence("retry", "main/parser");
    expect(item).toMatchObject({ out: "", code: 1 });
    expect(item.err).toMatch(/^The item is queued.*\(task\.transition\)\n/);
    const id = await coherence("backlog", "push", "main.md", "--id", "no/id");
    expect(id).toMatchObject({ out: "", code: 1 });
    expect(id.err).toContain("is not a backlog id");
    expect((await coherence("items", "none")).err).toMatch(/^No backlog none \(backlog\.not_found\)\nPush one/);
  });
});

describe("a task", () => {
  it("is listed, shown, cancelled and retried", async () => {
    const id = await made("Write the \u001b[31mlexer");
    expect(await printed("tasks", "--status", "pending")).toMatch(
      new RegExp(`^${id}\\s+impl\\s+pending .*Write the lexer$`, "m"),
    );
    expect(await printed("task", id)).toMatch(/^What\s+Write the lexer$/m);
    expect(JSON.parse(await printed("task", id, "--json"))).toMatchObject({ id, status: "pending" });
    expect(await printed("cancel", id, "--reason", "not now")).toBe(`${id} is now cancelled\n`);
    expect((await coherence("decide", id, "yes")).err).toMatch(/^The task asks nothing: it is cancelled/);
    expect(await printed("retry", id)).toBe(`${id} is now pending\n`);
    expect((await coherence("release", id)).err).toMatch(/^Nobody holds the task: it is pending/);
    expect((await coherence("log", id)).err).toMatch(/^Task log not found \(task\.log_not_found\)\n/);
    expect((await coherence("task", "task_00000000deadbeef")).err).toMatch(/^Task not found \(task\.not_found\)\n/);
    expect((await coherence("task", "../count")).code).toBe(1);
  });

  it("that runs is shown with its worker, its step and its log, and is released", async () => {
    const id = await made("Write the runner");
    const attempt = await Attempt.claim(deps, id, {
      by: "pipeline",
      owner: "host-1",
      leaseMs: 60_000,
    });
    await Worker.register(deps, { id: "host-1", capabilities: ["codex"], capacity: 2 });
    const [worker] = await Worker.list(deps);
    expect(
      worker && (await Worker.reserve(deps, worker, { task: id, attempt: attempt.n, turn: 1, token: "secret" })),
    ).toBe(true);
    const log = Attempt.logWriter(
      deps.store,
      deps.clock,
      { taskId: id, n: attempt.n, turn: 1 },
      [`# task ${id}`],
      undefined,
    );
    log.line("\u001b[32mall green\u001b[0m");
    await log.end({ seconds: 1, exit: 0, status: "completed" });

    expect(await printed("workers")).toMatch(new RegExp(`^host-1\\s+yes\\s+now\\s+codex\\s+${id}\\s+unknown$`, "m"));
    expect(await printed("log", id)).toMatch(/^---\nall green\n# duration_seconds=1\.0 exit=0 status=completed$/m);
    expect(await printed("status")).toMatch(new RegExp(`Running \\(1\\)\\n.*\\n\\s+${id}\\s+impl\\s+running\\s+\\ds`));
    expect(await printed("task", id)).toMatch(/^Attempt 1: running, host-1/m);
    expect(await printed("release", id)).toBe(`${id} is now pending\n`);
    expect(await printed("task", id)).toMatch(/^Attempt 1: pending \(lost\), host-1/m);
    await printed("cancel", id);
    expect(await printed("log", id, "-f")).toContain("all green\n");
  });
});

describe("run", () => {
  it("is the host, with its own options", async () => {
    expect(await printed("run", "--help")).toContain("--accept-red-base");
    const { err, code } = await coherence("run", "--once", "--hours", "never");
    expect([code, err]).toEqual([2, expect.stringContaining("--hours")]);
  });
});

describe("providers", () => {
  it("are shown with what they lack", async () => {
    await Provider.saveReadiness(
      deps,
      { name: "codex", account: "none", models: [] },
      {
        ready: false,
        detail: "OPENAI_API_KEY is not set",
        remedy: "Set it.",
      },
    );
    const text = await printed("providers");
    expect(text).toMatch(/^codex\s+no\s.*OPENAI_API_KEY is not set$/m);
    expect(text).toContain("codex: Set it.");
  });
});
