import { existsSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import * as Clock from "../../core/ground/clock.ts";
import * as Process from "../../core/ground/process/index.ts";
import { codex } from "../../core/work/provider/cli/codex.ts";
import { joinPieces } from "../../core/work/provider/cli/lines.ts";
import type { CliRow } from "../../core/work/provider/cli/row.ts";
import * as Cli from "../../core/work/provider/cli/run.ts";
import type { RunRequest } from "../../core/work/provider/index.ts";

const KEY = "sk-secret-0123456789";
const AGENT = resolve("test/support/fake-agent.mjs");

let tree: string;
let home: string;
let log: string[];
beforeEach(() => {
  tree = mkdtempSync(join(tmpdir(), "cli-tree-"));
  home = mkdtempSync(join(tmpdir(), "cli-home-"));
  log = [];
});

function deps(more: Partial<Cli.CliDeps> = {}): Cli.CliDeps {
  const path = `${dirname(process.execPath)}${delimiter}${process.env.PATH ?? ""}`;
  return {
    clock: Clock.system(),
    home,
    hostEnv: { ...process.env, PATH: path, ANTHROPIC_API_KEY: "another", AWS_SECRET_ACCESS_KEY: "the host's" },
    settings: { CODEX_API_KEY: KEY, CODEX_BIN: AGENT },
    run: (command, signal) => Process.run({ ...command, graceMs: 300 }, signal),
    ...more,
  };
}

function request(steps: unknown[]): RunRequest {
  return {
    task: { id: "task_1", type: "impl", direction: "d", attempt: 1, turn: 2 },
    prompt: JSON.stringify(steps),
    model: "gpt-6-luna",
    cwd: tree,
    timeoutMs: 60_000,
    log: (line) => log.push(line),
  };
}

const go = (steps: unknown[], more: { deps?: Cli.CliDeps; row?: CliRow; signal?: AbortSignal } = {}) =>
  Cli.run(more.deps ?? deps(), more.row ?? codex, request(steps), more.signal ?? new AbortController().signal);

describe("success is a whitelist", () => {
  test("exit 0 and its own word that it completed", async () => {
    expect(await go([{ answer: "first" }, { answer: "last" }, { completed: true }])).toEqual({
      kind: "finished",
      output: "last",
      usage: { tokens_in: 10, tokens_out: 5, tokens_cached: 0, cost_usd: (10 * 0.1 + 5 * 0.5) / 1e6 },
    });
  });

  test("FAILURES 14: exit 0 without that word is no success", async () => {
    expect(await go([{ answer: "I stopped early." }, { exit: 0 }])).toMatchObject({
      kind: "failed",
      failure: { class: "crash" },
      usage: { tokens_in: null, cost_usd: null },
    });
  });

  test("FAILURES 14: a terminal error with exit 0 is that error", async () => {
    const failed = { type: "turn.failed", error: { message: "unexpected status 402 Payment Required: no" } };
    expect(await go([{ say: failed }, { exit: 0 }])).toMatchObject({ kind: "failed", failure: { class: "payment" } });
  });

  test("its word with another exit code is no success", async () => {
    expect(await go([{ completed: true }, { exit: 3 }])).toMatchObject({ kind: "failed", failure: { class: "crash" } });
  });

  test("FAILURES 21: words in a transcript decide nothing", async () => {
    const words = "429 rate limit, quota exceeded, unexpected status 401, stream disconnected before completion";
    const result = await go([{ answer: words }, { raw: words }, { error: words }, { completed: true }]);
    expect(result).toMatchObject({ kind: "finished", output: words });
  });
});

describe("the agent's surroundings", () => {
  test("it has its own key and an empty home, nothing of the host's, and the home is gone afterwards", async () => {
    const file = join(tree, "env.json");
    await go([{ env: file }, { completed: true }]);
    const env = JSON.parse(readFileSync(file, "utf8")) as Record<string, string>;
    expect(env.CODEX_API_KEY).toBe(KEY);
    expect(env.CODEX_HOME).toBe(join(home, "agents", "codex", "task_1-1-2"));
    expect(env).not.toHaveProperty("ANTHROPIC_API_KEY");
    expect(env).not.toHaveProperty("AWS_SECRET_ACCESS_KEY");
    expect(readdirSync(join(home, "agents", "codex"))).toEqual([]);
  });

  test("its key is in nothing that is kept", async () => {
    const failed = { type: "turn.failed", error: { message: `unexpected status 401 Unauthorized: ${KEY}` } };
    const result = await go([{ error: KEY }, { answer: `my key is ${KEY}` }, { say: failed }]);
    expect(JSON.stringify([result, log])).not.toContain(KEY);
    expect(log.join("\n")).toContain("my key is [masked]");
  });

  test("without a key, or without its program, it says so", async () => {
    expect(await go([], { deps: deps({ settings: {} }) })).toMatchObject({ failure: { class: "auth" } });
    const settings = { CODEX_API_KEY: KEY, CODEX_BIN: "/nowhere/codex" };
    expect(await go([], { deps: deps({ settings }) })).toMatchObject({
      failure: { class: "crash", message: expect.stringContaining("/nowhere/codex") as string },
    });
  });

  test("the command has neither the prompt nor the key among its arguments, and never makes a worktree", () => {
    const call = {
      ...{ model: "m", prompt: "the prompt", home, baseUrl: "http://x/v1", key: KEY, modelSilenceMs: 1 },
      ...{ budgetUsd: undefined, settings: {} },
    };
    const { args, input } = codex.command(call);
    expect(input).toBe("the prompt");
    expect(args.join(" ")).not.toMatch(/the prompt|sk-secret|--worktree|dangerously/);
    expect(args.join(" ")).toContain("request_max_retries=0,stream_max_retries=0");
  });
});

describe("why it stopped", () => {
  test("an event longer than a piece of the process room is read whole", async () => {
    const result = await go([{ long: 3_000_000 }, { completed: true }]);
    if (result.kind !== "finished") throw new Error(`it came to ${result.kind}`);
    expect(result.output.length).toBe(3_000_000);
  });

  test("no event for too long is a stall, and the agent is ended", async () => {
    const result = await go([{ say: { type: "turn.started" } }, { hang: true }], { row: { ...codex, stallMs: 500 } });
    expect(result).toMatchObject({ kind: "failed", failure: { class: "stalled" } });
  });

  test("a line that is no event shows no life", async () => {
    const result = await go([{ raw: "thinking …" }, { hang: true }], { row: { ...codex, stallMs: 500 } });
    expect(result).toMatchObject({ failure: { class: "stalled" } });
  });

  test("FAILURES 50: a long command of the agent is no stall", async () => {
    const clock = Clock.virtual(0);
    const started = { type: "item.started", item: { id: "c", type: "command_execution", command: "npm test" } };
    const ended = { type: "item.completed", item: { id: "c", type: "command_execution", exit_code: 0 } };
    // The agent's lines are given by hand, so that the virtual clock can pass between them.
    let say = (_: unknown) => {};
    let stop: AbortSignal | undefined;
    const run: Cli.CliDeps["run"] = (command, signal) => {
      say = (event) => command.onLine?.(JSON.stringify(event), "stdout");
      stop = signal;
      return new Promise((resolve) => {
        const exit = { code: null, signal: "SIGTERM", aborted: true, stdout: "", stderr: "", ms: 0 };
        signal.addEventListener("abort", () => resolve(exit));
      });
    };
    const running = go([], { deps: deps({ clock, run }) });
    while (!stop) await new Promise((resolve) => setImmediate(resolve));
    say(started);
    await clock.advance(codex.stallMs * 10);
    expect(stop.aborted).toBe(false);
    say(ended);
    await clock.advance(codex.stallMs + 1);
    expect(stop.aborted).toBe(true);
    expect(await running).toMatchObject({ failure: { class: "stalled" } });
  });

  test("FAILURES 13: an abort is thrown again only when a stubborn grandchild has ended too", async () => {
    const controller = new AbortController();
    const file = join(tree, "grandchild.pid");
    const reason = new Error("lease lost");
    const running = go([{ grandchild: file }, { hang: true }], { signal: controller.signal });
    await fileAt(file);
    controller.abort(reason);
    await expect(running).rejects.toBe(reason);
    const pid = Number(readFileSync(file, "utf8"));
    expect(alive(pid)).toBe(false);
    expect(existsSync(join(home, "agents", "codex", "task_1-1-2"))).toBe(false);
  });

  test("an abort before the start starts nothing", async () => {
    const reason = new Error("too late");
    await expect(go([], { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  test("an agent that would wait for the network for ever is ended as that", async () => {
    const waits = { type: "error", message: "Reconnecting... waiting for network (Connection failed)" };
    expect(await go([{ say: waits }, { hang: true }])).toMatchObject({ failure: { class: "network" } });
  });
});

test("pieces of a line become the line again, whatever its length", () => {
  for (const length of [1, 65_535, 65_536, 65_537, 131_072, 200_000]) {
    const line = JSON.stringify({ t: "x".repeat(Math.max(0, length - 8)) });
    const got: string[] = [];
    const take = joinPieces((whole) => got.push(whole));
    for (let at = 0; at < line.length; at += 65_536) take(line.slice(at, at + 65_536));
    take("{}");
    expect(got).toEqual([line, "{}"]);
  }
});

async function fileAt(path: string): Promise<void> {
  while (!existsSync(path) || readFileSync(path, "utf8") === "")
    await new Promise((resolve) => setTimeout(resolve, 10));
}

/** Whether a process runs; one that has ended and that nobody has collected does not. */
function alive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
