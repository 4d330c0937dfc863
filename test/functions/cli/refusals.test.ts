import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { homeFor } from "../../../functions/local/home.ts";
import { play, run, type Ended, type Host } from "./host.ts";
import { answers, HOSTILE, ID } from "./recorded.ts";

let host: Host;
beforeAll(async () => {
  host = await play({
    ...answers,
    "GET /api/agent/tasks/gone": { status: 404, code: "task.not_found", body: { detail: "Task not found" } },
    "GET /api/agent/tasks/gone/log": { status: 404, code: "task.not_found", body: { detail: "Task not found" } },
    "GET /api/agent/tasks/hostile": { status: 404, code: "task.not_found", body: { detail: HOSTILE } },
    "GET /api/agent/backlogs/none/items": {
      status: 404,
      code: "backlog.not_found",
      body: { detail: "No backlog none. Push one: coherence backlog push FILE" },
    },
    "POST /api/agent/tasks/done/retry": {
      status: 409,
      code: "task.transition",
      body: { detail: "completed does not become pending" },
    },
    "GET /api/agent/tasks?status=open&limit=20": {
      status: 422,
      code: "input.invalid",
      body: { detail: [{ type: "enum", loc: ["query", "status"], msg: "Input should be 'pending'", input: "open" }] },
    },
    "GET /api/agent/workers": { status: 500, code: "internal", body: { detail: "Internal server error" } },
    "GET /api/agent/providers": { body: null, raw: "<html>It works!</html>" },
    "GET /api/agent/tasks/..%2F..%2Fhealth": {
      status: 404,
      code: "task.not_found",
      body: { detail: "Task not found" },
    },
  });
});
afterAll(() => host.close());

const coherence = (...argv: string[]) => run(argv, { env: { AGENT_API_BASE: host.base } });

/** One line what, one line what to do; nothing on standard output, no stack. */
function expectFailure(ended: Ended, code: number, what: RegExp, remedy: RegExp): void {
  expect(ended.out).toBe("");
  const [first = "", second = "", ...more] = ended.err.split("\n");
  expect(first).toMatch(what);
  expect(second).toMatch(remedy);
  expect(more).toEqual([""]);
  expect(ended.code).toBe(code);
}

describe("the API says no: 1", () => {
  it.each([
    [["task", "gone"], /^Task not found \(task\.not_found\)$/, /coherence tasks/],
    [["log", "gone", "-f"], /^Task not found/, /coherence tasks/],
    [["retry", "done"], /^completed does not become pending \(task\.transition\)$/, /coherence task ID/],
    [["items", "none"], /^No backlog none \(backlog\.not_found\)$/, /^Push one: coherence backlog push FILE$/],
    [["tasks", "--status", "open"], /^status: Input should be 'pending'/, /--help/],
    [["workers"], /^Internal server error/, /host's log/],
    [["providers"], /is not the agent API/, /--api URL/],
    [["task", "hostile"], /^fix the parser STATUS: ok/, /coherence tasks/],
    [["task", "../../health"], /^Task not found/, /coherence tasks/],
  ])("%j", async (argv, what, remedy) => {
    expectFailure(await coherence(...argv), 1, what, remedy);
    expectFailure(await coherence(...argv.filter((one) => one !== "-f"), "--json"), 1, what, remedy);
  });
});

describe("bad usage: 2", () => {
  it.each([
    [["bogus"], /unknown command 'bogus'/],
    [["tasks", "--nope"], /unknown option '--nope'/],
    [["tasks", "--limit", "0"], /whole number from 1 to 100/],
    [["tasks", "--limit", "1e1"], /whole number from 1 to 100/],
    [["cleanup", "--keep-days", "soon"], /whole number from 0 to 3650/],
    [["task"], /missing required argument 'id'/],
    [["decide", ID], /missing required argument 'answer'/],
    [["decide", ID, "  "], /answer is empty/],
    [["status", "--watch", "--json"], /cannot be used with/],
    [["--api", "ftp://x", "tasks"], /not an http address/],
    [["--api", "8000", "tasks"], /not an http address/],
    [["backlog", "check", "/nowhere/at/all.md"], /^Cannot read \/nowhere\/at\/all\.md: no such file or directory$/],
    [["backlog", "check", "/"], /^Cannot read \//],
  ])("%j", async (argv, what) => {
    expectFailure(await coherence(...argv), 2, what, /./);
  });

  it("a setting out of its range names the variable", async () => {
    const ended = await run(["tasks"], { env: { PORT: "many" } });
    expectFailure(ended, 2, /^PORT: /, /Set PORT/);
  });
});

describe("no host: 3", () => {
  /** A port on which nobody listens: one that was just given back. */
  async function freePort(): Promise<number> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }

  it.each([["status"], ["tasks", "--json"], ["items"], ["log", ID, "-f"], ["status", "--watch"]])(
    "%s %s says how to start one",
    async (...argv) => {
      const ended = await run(argv, { env: { PORT: String(await freePort()) } });
      expectFailure(ended, 3, /^The host at http:\/\/127\.0\.0\.1:\d+ does not answer$/, /npm start/);
    },
  );

  it("a key in the address is sent, and never printed", async () => {
    const { port } = new URL(host.base);
    const ok = await run(["tasks", "--api", `http://me:s%20ecret@127.0.0.1:${port}/`]);
    expect(ok.code).toBe(0);
    expect(host.asked.at(-1)?.headers.authorization).toBe(`Basic ${Buffer.from("me:s ecret").toString("base64")}`);
    const refused = await run(["tasks", "--api", `http://me:secret@127.0.0.1:${await freePort()}`]);
    expect(refused.code).toBe(3);
    expect(refused.err).not.toContain("secret");
  });
});

describe("which host", () => {
  it("is the one that the home names, with its backlog; --api and AGENT_API_BASE come first", async () => {
    const home = mkdtempSync(join(tmpdir(), "cli-home-"));
    writeFileSync(join(home, "host.json"), JSON.stringify({ url: host.base, pid: 1, backlog: "main" }));
    const found = await run(["items"], { env: { COHERENCE_HOME: home, PORT: "1" } });
    expect([found.code, found.err]).toEqual([0, ""]);
    const named = await run(["items"], { env: { COHERENCE_HOME: home, AGENT_API_BASE: "http://127.0.0.1:1" } });
    expect(named.err).toContain("http://127.0.0.1:1 ");
  });

  it("is that of the folder, or of one above it, by the default home", async () => {
    const state = mkdtempSync(join(tmpdir(), "cli-state-"));
    const checkout = mkdtempSync(join(tmpdir(), "cli-checkout-"));
    const home = homeFor(checkout, { home: undefined, stateHome: state, userHome: undefined });
    const inside = join(checkout, "a", "b");
    for (const folder of [home, inside]) mkdirSync(folder, { recursive: true });
    writeFileSync(join(home, "host.json"), JSON.stringify({ url: host.base, pid: 1, backlog: null }));
    for (const cwd of [checkout, inside]) {
      const { code } = await run(["tasks"], { env: { XDG_STATE_HOME: state, PORT: "1" }, cwd });
      expect(code).toBe(0);
    }
  });

  it("is the default when what the home holds is no host", async () => {
    const home = mkdtempSync(join(tmpdir(), "cli-home-"));
    writeFileSync(join(home, "host.json"), '{"url":');
    const { err } = await run(["items"], { env: { COHERENCE_HOME: home, PORT: "1" } });
    expect(err).toContain("The host at http://127.0.0.1:1 does not answer");
  });
});
