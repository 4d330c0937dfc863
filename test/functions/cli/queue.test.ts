import { serve } from "@hono/node-server";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import * as Pipeline from "../../../core/flow/pipeline/index.ts";
import * as Task from "../../../core/work/task/index.ts";
import { createApp } from "../../../functions/api/app.ts";
import { testDeps, type TestDeps } from "../../support/deps.ts";
import { play, run, type Ended } from "./host.ts";

/** The commands about the queue as a whole, against the real API. */
let deps: TestDeps;
let app: ReturnType<typeof createApp>;
let server: ReturnType<typeof serve>;
let base: string;
beforeAll(async () => {
  let port = 0;
  const door = { kind: "loopback", port: () => port } as const;
  await new Promise<void>((resolve) => {
    server = serve({ fetch: (request) => app.fetch(request), hostname: "127.0.0.1", port: 0 }, (info) => {
      port = info.port;
      resolve();
    });
  });
  base = `http://127.0.0.1:${port}`;
  fresh = async () => {
    deps = await testDeps();
    app = createApp({ deps, authenticate: () => ({ kind: "operator" }), door });
  };
});
let fresh: () => Promise<void>;
beforeEach(() => fresh());
afterAll(() => new Promise((resolve) => server.close(resolve)));

const coherence = (...argv: string[]): Promise<Ended> => inColumns("100", ...argv);
const inColumns = (COLUMNS: string, ...argv: string[]): Promise<Ended> =>
  run(argv, { env: { AGENT_API_BASE: base, COLUMNS }, cwd: "/" });

async function made(direction: string, more: Partial<Task.Create> = {}): Promise<string> {
  const input = Task.Create.parse({ direction, task_type: "impl", ...more });
  return (await Pipeline.create(deps, input)).task.row.id;
}

const statusOf = async (id: string) => (await Task.row(deps.store, id))?.status;

describe("pause and resume", () => {
  it("say what is paused since when and why, and queue shows it until it is resumed", async () => {
    await made("x");
    const paused = await coherence("pause", "--type", "impl", "--reason", "the build is red");
    expect(paused).toMatchObject({ err: "", code: 0 });
    expect(paused.out).toMatch(/^ {2}impl\s+\S+\s+the build is red$/m);
    expect((await coherence("queue")).out).toMatch(/^Waiting\s+1$/m);
    expect((await coherence("resume", "--type", "impl")).out).toMatch(/^Paused\n {2}nothing$/m);
  });

  it("without an option is about all", async () => {
    expect((await coherence("pause")).out).toMatch(/^ {2}all\s/m);
    expect(JSON.parse((await coherence("queue", "--json")).out)).toMatchObject({ paused: [{ kind: "all" }] });
    expect((await coherence("resume")).code).toBe(0);
  });

  it.each([
    [["pause", "--type", "nonsense"], /^task_type: /],
    [["pause", "--type", "impl", "--provider", "codex"], /name exactly one/],
  ])("%j is refused in one line", async (argv, said) => {
    const { out, err, code } = await coherence(...argv);
    expect([out, code]).toEqual(["", 1]);
    expect(err).toMatch(said);
  });
});

describe("a terminal of 40 columns", () => {
  it("has no line broken by queue, items or tasks", async () => {
    for (let i = 0; i < 3; i++) await made(`Something that takes more words than there is room for, ${i}`);
    const line = "1. Write down what happens when nobody is there {#what-happens-when-nobody-is-there}";
    await Pipeline.push(deps, { id: "main", kind: "product", text: `## Phase 1: First\n\n${line}\n` });
    await coherence("pause", "--provider", "simulated", "--reason", "it has cost more than all others together");
    await coherence("pause", "--type", "review", "--reason", "the build is red");
    for (const argv of [["queue"], ["items", "main"], ["tasks", "--limit", "2"]]) {
      const { out, code } = await inColumns("40", ...argv);
      expect(code).toBe(0);
      expect(out.split("\n").filter((one) => one.length > 40)).toEqual([]);
    }
    expect((await inColumns("40", "items", "main")).out).toContain("what-happens-when-nobody-is-there");
  });
});

describe("more tasks than are shown", () => {
  it("are said, and how they are come to", async () => {
    for (let i = 0; i < 102; i++) await made(`t ${i}`);
    expect((await coherence("tasks", "--limit", "3")).out).toMatch(/\n\nThe newest 3 of 102\.\n.*--limit/);
    const most = await coherence("tasks", "--limit", "100");
    expect(most.out).toMatch(/\n\nThe newest 100 of 102\.\n.*--status/);
    expect(most.out).not.toContain("--limit");
    expect((await coherence("tasks", "--type", "spec")).out).toBe("No tasks.\n");
  });
});

describe("a bulk change", () => {
  it("says what it would do, and does it with --yes", async () => {
    const ids = [await made("a"), await made("b")];
    const other = await made("c", { task_type: "spec" });
    const would = await coherence("cancel", "--type", "impl");
    expect(would).toMatchObject({ err: "", code: 0 });
    expect(would.out).toMatch(/^2 would be cancelled:$/m);
    expect(await statusOf(ids[0] ?? "")).toBe("pending");
    expect(await coherence("cancel", "--type", "impl", "--reason", "no use", "--yes")).toEqual({
      out: "2 cancelled.\n",
      err: "",
      code: 0,
    });
    for (const id of ids) expect(await statusOf(id)).toBe("cancelled");
    expect(await statusOf(other)).toBe("pending");
    expect((await coherence("retry", "--status", "cancelled", "-y")).out).toBe("2 retried.\n");
    expect((await coherence("cancel", "--status", "running")).out).toBe("No task fits.\n");
  });

  it("goes on over more than a request takes, and says how far it is", async () => {
    for (let i = 0; i < 101; i++) await made(`t${i}`);
    const { out, err } = await coherence("cancel", "--status", "pending", "--yes");
    expect([out, err]).toEqual(["101 cancelled.\n", "100 cancelled …\n"]);
  });

  it("ends with 1 and names what could not be changed", async () => {
    const item = { backlog: "b", item: "i", seq: 1, phase: "spec", round: 0 } as const;
    const input = Task.Create.parse({ direction: "x", task_type: "spec" });
    const { task } = await Pipeline.create(deps, input, { key: "b#i#1", item });
    await Pipeline.cancel(deps, task.row.id);
    const { out, code } = await coherence("retry", "--backlog", "b", "--yes");
    expect(code).toBe(1);
    expect(out).toContain(`${task.row.id}: Item i has gone on without this task (task.of_item)`);
  });

  it.each([[["cancel"]], [["retry"]], [["cancel", "--yes"]]])(
    "%j without an id or a filter is bad usage",
    async (argv) => {
      expect(await coherence(...argv)).toMatchObject({ out: "", code: 2 });
    },
  );

  it("an id and a filter together are bad usage: nothing is done", async () => {
    const id = await made("x");
    for (const word of ["cancel", "retry"])
      expect(await coherence(word, id, "--status", "pending", "--yes")).toMatchObject({ out: "", code: 2 });
    expect(await statusOf(id)).toBe("pending");
  });

  it("says what it would do to the last page of a long count", async () => {
    const pages = [
      { dry_run: true, matched: 0, ids: [], refused: [], next_cursor: "a" },
      { dry_run: true, matched: 2, ids: ["task_1", "task_2"], refused: [], next_cursor: "b" },
      { dry_run: true, matched: 1, ids: ["task_3"], refused: [], next_cursor: null },
    ];
    const host = await play({ "POST /api/agent/tasks/bulk-cancel": (n) => ({ body: pages[n] }) });
    const { out } = await run(["cancel", "--status", "pending"], { env: { AGENT_API_BASE: host.base }, cwd: "/" });
    await host.close();
    expect(out).toMatch(/^3 would be cancelled:$/m);
    expect(out).toContain("task_3");
  });

  it("says how many had moved on before it was their turn", async () => {
    const body = { dry_run: false, matched: 3, ids: ["task_1"], refused: [], skipped: 2, next_cursor: null };
    const host = await play({ "POST /api/agent/tasks/bulk-cancel": () => ({ body }) });
    const answer = await run(["cancel", "--status", "pending", "--yes"], {
      env: { AGENT_API_BASE: host.base },
      cwd: "/",
    });
    await host.close();
    expect(answer).toMatchObject({ out: "1 cancelled. 2 had moved on meanwhile.\n", code: 0 });
  });

  it("a time without a zone is bad usage", async () => {
    expect(await coherence("cancel", "--created-before", "2026-01-01")).toMatchObject({ out: "", code: 2 });
  });
});

describe("a task's place", () => {
  it("is shown, and moves with its priority", async () => {
    await made("first");
    const second = await made("second");
    expect((await coherence("task", second)).out).toMatch(/^Place\s+2 in the queue$/m);
    expect(await coherence("priority", second, "90")).toMatchObject({ out: `${second} has priority 90\n`, code: 0 });
    expect((await coherence("task", second)).out).toMatch(/^Place\s+1 in the queue$/m);
    expect(await coherence("priority", second, "100")).toMatchObject({ code: 2 });
    await Pipeline.cancel(deps, second);
    expect((await coherence("priority", second, "91")).out).toMatch(
      / has priority 91; it is cancelled and not in the queue$/m,
    );
  });
});

it("runners shows who lives, and with --all who fell silent", async () => {
  expect((await coherence("runners")).out).toBe("No runners.\n");
  const send = (runner_id: string, lease_seconds: number) =>
    app.request(`${base}/api/agent/runners/heartbeat`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ runner_id, lease_seconds, status: "running", active_task_id: "task_0123456789abcdef" }),
    });
  expect((await send("host:1", 90)).status).toBe(200);
  expect((await coherence("runners")).out).toMatch(/^host:1\s+running\s+\S+ ago\s+task_0123456789abcdef$/m);
});

it("tasks and items take --watch, which --json excludes", async () => {
  expect(await coherence("tasks", "--watch", "--json")).toMatchObject({ code: 2 });
  expect(await coherence("items", "-w", "--json")).toMatchObject({ code: 2 });
});
