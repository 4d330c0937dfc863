import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import * as Clock from "../../core/ground/clock.ts";
import * as Process from "../../core/ground/process/index.ts";
import { codex } from "../../core/work/provider/cli/codex.ts";
import type { CliRow } from "../../core/work/provider/cli/row.ts";
import * as Cli from "../../core/work/provider/cli/run.ts";
import * as Provider from "../../core/work/provider/index.ts";
import * as ModelServer from "../support/model-server.ts";
import { binaryOf } from "./install.ts";

/** The real codex against a scripted model server. It needs no key and no network once it is installed. */

const KEY = "sk-loop-0123456789";
const MODEL = "gpt-6-luna";
/** Ms within which a planted failure must be known; codex itself starts in about 300. */
const QUICKLY = 5_000;

let binary: string;
let server: ModelServer.ModelServer | undefined;
let tree: string;
let home: string;
let log: string[];
const times: string[] = [];

beforeAll(async () => {
  binary = await binaryOf("codex");
});
afterAll(() => console.log(times.join("\n")));
beforeEach(() => {
  tree = mkdtempSync(join(tmpdir(), "codex-tree-"));
  home = mkdtempSync(join(tmpdir(), "codex-home-"));
  log = [];
  execFileSync("git", ["init", "-q"], { cwd: tree });
});
afterEach(async () => {
  await server?.close();
  server = undefined;
});

type Script = (request: ModelServer.ModelRequest, n: number) => ModelServer.Reply;

const serve = async (script: Script) => (server = await ModelServer.start(script, KEY));

function deps(baseUrl: string, key = KEY): Cli.CliDeps {
  const settings = { CODEX_API_KEY: key, CODEX_BIN: binary, OPENAI_BASE_URL: baseUrl };
  return { clock: Clock.system(), home, hostEnv: process.env, settings, run: Process.run };
}

async function go(
  baseUrl: string,
  more: { row?: CliRow; prompt?: string; signal?: AbortSignal; key?: string } = {},
): Promise<{ result: Provider.RunResult; ms: number }> {
  const started = performance.now();
  const request: Provider.RunRequest = {
    task: { id: "task_loop", type: "impl", direction: "edit", attempt: 1, turn: 1 },
    prompt: more.prompt ?? "Please edit.",
    model: MODEL,
    cwd: tree,
    timeoutMs: 60_000,
    log: (line) => log.push(line),
  };
  const signal = more.signal ?? new AbortController().signal;
  const result = await Cli.run(deps(baseUrl, more.key), more.row ?? codex, request, signal);
  const ms = Math.round(performance.now() - started);
  const what = result.kind === "failed" ? result.failure.class : "finished";
  times.push(`${String(ms).padStart(6)} ms  ${what.padEnd(16)} ${expect.getState().currentTestName ?? ""}`);
  return { result, ms };
}

const calls = (cmd: string): ModelServer.Reply => ({ kind: "function", name: "exec_command", args: { cmd } });
const says = (text: string): ModelServer.Reply => ({ kind: "text", text });

describe("codex does the work", () => {
  test("it edits the tree by a command and by a patch, and its usage is counted and priced", async () => {
    const patch = "*** Begin Patch\n*** Add File: patched.txt\n+by a patch\n*** End Patch\n";
    const { url, requests } = await serve((_, n) =>
      n === 1
        ? calls("echo by a command > made.txt")
        : n === 2
          ? { kind: "custom", name: "apply_patch", input: patch }
          : says("All done."),
    );
    const { result } = await go(url);
    const cost = (3 * (600 * 0.1 + 400 * 0.01 + 50 * 0.5)) / 1e6;
    expect(result).toMatchObject({
      kind: "finished",
      output: "All done.",
      usage: { tokens_in: 3000, tokens_cached: 1200, tokens_out: 150 },
    });
    expect(result.usage.cost_usd).toBeCloseTo(cost, 9);
    expect(readFileSync(join(tree, "made.txt"), "utf8")).toBe("by a command\n");
    expect(readFileSync(join(tree, "patched.txt"), "utf8")).toBe("by a patch\n");
    expect(requests.map((request) => [request.key, request.model])).toEqual(Array(3).fill([KEY, MODEL]));
    expect(log.join("\n")).toContain("echo by a command");
    expect(existsSync(join(home, "agents", "codex", "task_loop-1-1"))).toBe(false);
  });

  test("its commands see the host's node, not its key, and cannot write outside the tree", async () => {
    const outside = join(process.cwd(), "codex-was-here");
    const { url, requests } = await serve((_, n) =>
      n === 1 ? calls(`node --version > node.txt; env > env.txt; echo x > ${outside}; true`) : says("Done."),
    );
    await go(url);
    expect(readFileSync(join(tree, "node.txt"), "utf8").trim()).toBe(process.version);
    expect(readFileSync(join(tree, "env.txt"), "utf8")).not.toContain(KEY);
    expect(existsSync(outside)).toBe(false);
    expect(requests).toHaveLength(2);
  });

  test("a prompt of 300 kB arrives whole", async () => {
    const prompt = `${"word ".repeat(60_000)}the end`;
    const { url, requests } = await serve(() => says("Read."));
    const { result } = await go(url, { prompt });
    expect(result.kind).toBe("finished");
    expect(JSON.stringify(requests[0]?.body)).toContain("word the end");
  });

  test("an answer of 200 kB comes back whole", async () => {
    const text = `${"long ".repeat(40_000)}the end`;
    const { url } = await serve(() => says(text));
    const { result } = await go(url);
    expect(result.kind === "finished" && result.output).toBe(text);
  });

  test("the probe asks the program and the model server", async () => {
    const { url, modelReads } = await serve(() => says(""));
    const probe = (key: string) => Provider.create(deps(url, key)).get("codex").probe();
    expect(await probe(KEY)).toMatchObject({ ready: true, detail: expect.stringContaining("0.169.0") as string });
    expect(await probe("wrong")).toMatchObject({ ready: false });
    expect(modelReads()).toBe(2);
  });
});

describe("a planted failure has its class, at once, from one request", () => {
  const planted: [string, ModelServer.Reply, string][] = [
    [
      "429",
      { kind: "status", status: 429, type: "rate_limit_exceeded", headers: { "retry-after": "7" } },
      "rate_limit",
    ],
    ["429 insufficient_quota", { kind: "status", status: 429, type: "insufficient_quota" }, "quota"],
    ["401", { kind: "status", status: 401, type: "invalid_api_key" }, "auth"],
    ["402", { kind: "status", status: 402, type: "billing" }, "payment"],
    ["403", { kind: "status", status: 403, type: "forbidden" }, "payment"],
    ["404", { kind: "status", status: 404, type: "not_found" }, "model_not_found"],
    ["400", { kind: "status", status: 400, type: "invalid_request_error" }, "bad_request"],
    ["400 context_length_exceeded", { kind: "status", status: 400, type: "context_length_exceeded" }, "context_length"],
    ["500", { kind: "status", status: 500 }, "overloaded"],
    ["503", { kind: "status", status: 503 }, "overloaded"],
    ["a cut stream", { kind: "cut", text: "half an ans" }, "stalled"],
  ];
  test.each(planted)("%s", async (_, reply, wanted) => {
    const { url, requests } = await serve(() => reply);
    const { result, ms } = await go(url);
    expect(result).toMatchObject({ kind: "failed", failure: { class: wanted } });
    expect(requests).toHaveLength(1);
    expect(ms).toBeLessThan(QUICKLY);
  });

  test("silence, seen by codex itself", async () => {
    const { url, requests } = await serve(() => ({ kind: "silence" }));
    const { result, ms } = await go(url, { row: { ...codex, modelSilenceMs: 1_000 } });
    expect(result).toMatchObject({ kind: "failed", failure: { class: "stalled" } });
    expect(requests).toHaveLength(1);
    expect(ms).toBeLessThan(QUICKLY);
  });

  test("silence, seen by our own watch", async () => {
    const { url, requests } = await serve(() => ({ kind: "silence" }));
    const { result, ms } = await go(url, { row: { ...codex, stallMs: 2_000 } });
    expect(result).toMatchObject({ kind: "failed", failure: { class: "stalled" } });
    expect(requests).toHaveLength(1);
    expect(ms).toBeLessThan(QUICKLY);
  });

  test("nobody listens: codex would wait for ever", async () => {
    const { url, close } = await ModelServer.start(() => says(""), KEY);
    await close();
    const { result, ms } = await go(url);
    expect(result).toMatchObject({ kind: "failed", failure: { class: "network" } });
    expect(ms).toBeLessThan(QUICKLY);
  });

  test("a failure after half the work keeps the work", async () => {
    const { url } = await serve((_, n) => (n === 1 ? calls("echo half > half.txt") : { kind: "status", status: 429 }));
    const { result } = await go(url);
    expect(result).toMatchObject({ kind: "failed", failure: { class: "rate_limit", status: 429 } });
    expect(readFileSync(join(tree, "half.txt"), "utf8")).toBe("half\n");
  });
});

describe.skipIf(process.platform !== "linux")("codex is ended", () => {
  test("a command that takes longer than the watch is no stall", async () => {
    const { url } = await serve((_, n) =>
      n === 1
        ? { kind: "function", name: "exec_command", args: { cmd: "sleep 3; echo slept", yield_time_ms: 20_000 } }
        : says("Done."),
    );
    const { result } = await go(url, { row: { ...codex, stallMs: 2_000 } });
    expect(result.kind).toBe("finished");
  });

  test("a kill -9 of the agent is a crash", async () => {
    const { url, arrived } = await serve(() => ({ kind: "silence" }));
    const running = go(url);
    await arrived(1);
    for (const pid of agents()) process.kill(pid, "SIGKILL");
    const { result, ms } = await running;
    expect(result).toMatchObject({ kind: "failed", failure: { class: "crash" } });
    expect(ms).toBeLessThan(QUICKLY);
  });

  test("an abort of the caller is thrown again when nothing of the agent is left", async () => {
    const { url, arrived } = await serve(() => ({ kind: "silence" }));
    const controller = new AbortController();
    const running = go(url, { signal: controller.signal });
    await arrived(1);
    expect(agents().length).toBeGreaterThan(0);
    const reason = new Error("lease lost");
    controller.abort(reason);
    await expect(running).rejects.toBe(reason);
    expect(agents()).toEqual([]);
  });
});

/** Ids of the processes of this test's codex: they carry its home in their environment; its native program, not our supervisor. */
function agents(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const ours = readFileSync(`/proc/${pid}/environ`, "utf8").includes(`CODEX_HOME=${home}`);
        return ours && readlinkSync(`/proc/${pid}/exe`).endsWith("/codex");
      } catch {
        return false; // ended meanwhile, or not ours to see
      }
    })
    .map(Number);
}
