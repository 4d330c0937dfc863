import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import * as Clock from "../../core/ground/clock.ts";
import * as Process from "../../core/ground/process/index.ts";
import type { CliRow } from "../../core/work/provider/cli/row.ts";
import * as Cli from "../../core/work/provider/cli/run.ts";
import * as Provider from "../../core/work/provider/index.ts";
import type { Reply } from "../support/models/reply.ts";
import type { ModelServer, Options, Script } from "../support/models/server.ts";
import { binaryOf } from "./install.ts";

/**
 * What every CLI agent has to show: the real program against a scripted model server on loopback, without a key or a network.
 * A new agent is a file that says how it differs.
 */
export type Agent = {
  row: CliRow;
  name: Parameters<typeof binaryOf>[0];
  /** Starts a server of its protocol. */
  start(script: Script, options: Options): Promise<ModelServer>;
  settings(url: string, key: string): Record<string, string>;
  model: string;
  /** A call of its own tool that writes a file into the tree. */
  writes(tree: string, name: string, text: string): Reply;
  /** A call of its own tool that runs a command in the tree. */
  runs(command: string): Reply;
  /** Requests it sends for a planted failure, where it is not one. */
  requests?: Partial<Record<string, number>>;
  /** Error types by status, as its protocol has them. */
  types?: Partial<Record<number, string>>;
  /** What makes the row see in seconds that its model is silent. */
  impatient: Partial<CliRow>;
  /** Files of a user's own that it would read at home, by path. */
  ofTheUser: Readonly<Record<string, string>>;
  /** Settings in the tree that are others' words, by path. */
  ofTheTree: Readonly<Record<string, string>>;
};

/** Ms within which a planted failure must be known, from its request on; and within which an agent must have ended. */
const QUICKLY = 15_000;
const KEY = "sk-loop-0123456789";
const MARK = "of-somebody-else";

/** `after`: from the last request on. */
type Row = { name: string; came: string; requests: number; ms: number; after: number };

/** Registers the cases of one agent. */
export function cases(agent: Agent): void {
  const { row } = agent;
  const table: Row[] = [];
  let binary: string;
  let server: ModelServer | undefined;
  let tree: string;
  let home: string;
  let user: string;
  let log: string[];

  beforeAll(async () => {
    binary = await binaryOf(agent.name);
  });
  afterAll(() => console.log(summary(row, table)));
  beforeEach(() => {
    tree = mkdtempSync(join(tmpdir(), "agent-tree-"));
    home = mkdtempSync(join(tmpdir(), "agent-home-"));
    user = mkdtempSync(join(tmpdir(), "agent-user-"));
    log = [];
    execFileSync("git", ["init", "-q"], { cwd: tree });
  });
  afterEach(async () => {
    await server?.close();
    server = undefined;
  });

  const serve = async (script: Script) => (server = await agent.start(script, { key: KEY, models: [agent.model] }));
  const deps = (url: string, key = KEY): Cli.CliDeps => ({
    clock: Clock.system(),
    home,
    hostEnv: { ...process.env, HOME: user, AWS_SECRET_ACCESS_KEY: "the host's" },
    settings: { ...agent.settings(url, key), [row.binary.setting]: binary },
    run: Process.run,
  });
  const request = (prompt: string): Provider.RunRequest => ({
    task: { id: "task_loop", type: "impl", direction: "edit", attempt: 1, turn: 1 },
    prompt,
    model: agent.model,
    cwd: tree,
    timeoutMs: 60_000,
    log: (line) => log.push(line),
  });

  /** One run, noted in the table. */
  async function go(
    name: string,
    script: Script,
    more: { row?: Partial<CliRow>; prompt?: string } = {},
  ): Promise<{ result: Provider.RunResult; after: number; requests: ModelServer["requests"] }> {
    const { url, requests } = await serve(script);
    const started = performance.now();
    const asked = request(more.prompt ?? "Please edit.");
    const result = await Cli.run(deps(url), { ...row, ...more.row }, asked, new AbortController().signal);
    const ended = performance.now();
    const after = ended - (requests.at(-1)?.at ?? started);
    const came = result.kind === "failed" ? result.failure.class : result.kind;
    table.push({ name, came, requests: requests.length, ms: ended - started, after });
    return { result, after, requests };
  }

  describe(`${row.name} does the work`, () => {
    test("it writes a file by its own tool; its text and its usage come back", async () => {
      const { result, requests } = await go("success", (_, n) =>
        n === 1 ? agent.writes(tree, "made.txt", "made\n") : { kind: "text", text: "All done." },
      );
      expect(result, log.join("\n")).toMatchObject({ kind: "finished", output: "All done." });
      // Two answers of 1 000 tokens in, 400 of them cached, and 50 out.
      expect(result.usage).toMatchObject({ tokens_in: 2000, tokens_cached: 800, tokens_out: 100 });
      const price = row.models.find((model) => model.name === agent.model)?.price;
      if (price)
        expect(result.usage.cost_usd).toBeCloseTo(
          (1200 * price.input + 800 * price.cached + 100 * price.output) / 1e6,
          9,
        );
      expect(readFileSync(join(tree, "made.txt"), "utf8").trim()).toBe("made");
      expect(requests.map(({ key, model }) => [key, model])).toEqual(Array(2).fill([KEY, agent.model]));
      expect(readdirSync(join(home, "agents", row.name))).toEqual([]);
    });

    test("a prompt of 300 kB arrives whole", async () => {
      const prompt = `${"word ".repeat(60_000)}the end`;
      const { result, requests } = await go("a prompt of 300 kB", () => ({ kind: "text", text: "Read." }), { prompt });
      expect(result, log.join("\n")).toMatchObject({ kind: "finished", output: "Read." });
      expect(JSON.stringify(requests[0]?.body)).toContain("word the end");
    });

    test("its commands do not see its key; nothing of the user's is read or written, nor settings of the tree", async () => {
      plant(user, agent.ofTheUser);
      plant(tree, agent.ofTheTree);
      const before = contents(user);
      const script = { scripts: { test: "env > env.txt" } };
      writeFileSync(join(tree, "package.json"), JSON.stringify(script));
      const { result, requests } = await go("surroundings", (_, n) =>
        n === 1 ? agent.runs("npm test") : { kind: "text", text: "Done." },
      );
      expect(result, log.join("\n")).toMatchObject({ kind: "finished" });
      expect(JSON.stringify(requests.map(({ body }) => body))).not.toContain(MARK);
      expect(contents(user)).toEqual(before);
      const env = readFileSync(join(tree, "env.txt"), "utf8");
      expect(env).not.toMatch(new RegExp(`${KEY}|${MARK}|AWS_SECRET_ACCESS_KEY`));
    });

    test("its file tool does not write outside the tree", async () => {
      const outside = mkdtempSync(join(tmpdir(), "agent-outside-"));
      const { result } = await go("outside", (_, n) =>
        n === 1 ? agent.writes(outside, "made.txt", "made\n") : { kind: "text", text: "It was refused." },
      );
      expect(result, log.join("\n")).toMatchObject({ kind: "finished", output: "It was refused." });
      expect(readdirSync(outside)).toEqual([]);
    });

    test("the probe asks the program and the model server, and a key alone makes nobody ready", async () => {
      const { url, modelReads } = await serve(() => ({ kind: "silence" }));
      const probe = (more: Record<string, string>, key = KEY) => {
        const of = deps(url, key);
        return Provider.create({ ...of, settings: { ...of.settings, ...more } })
          .get(row.name)
          .probe();
      };
      expect(await probe({})).toMatchObject({
        ready: true,
        detail: expect.stringContaining(row.verified ?? "") as string,
      });
      expect(await probe({}, "wrong")).toMatchObject({ ready: false });
      expect(modelReads()).toBe(2);
      expect(await probe({ [row.binary.setting]: "/nowhere/agent" })).toMatchObject({ ready: false });
      expect(contents(user)).toEqual({});
    });
  });

  describe(`a planted failure of ${row.name}'s model has its class, in seconds`, () => {
    const planted: [string, Reply, string][] = [
      ["429", status(429, "rate_limit_error"), "rate_limit"],
      ["401", status(401, "authentication_error"), "auth"],
      ["402", status(402, "billing_error"), "payment"],
      ["500", status(500, "api_error"), "overloaded"],
      ["cut stream", { kind: "cut", text: "half an ans" }, "stalled"],
      ["silence", { kind: "mute" }, "stalled"],
    ];
    function status(code: number, type: string): Reply {
      const headers: Record<string, string> = code === 429 ? { "retry-after": "7" } : {};
      return { kind: "status", status: code, type: agent.types?.[code] ?? type, headers };
    }
    test.each(planted)("%s", async (name, reply, wanted) => {
      const silent = name === "silence" ? { row: agent.impatient } : {};
      const { result, after, requests } = await go(name, () => reply, silent);
      expect(result, log.join("\n")).toMatchObject({ kind: "failed", failure: { class: wanted } });
      expect(requests).toHaveLength(agent.requests?.[name] ?? 1);
      expect(after).toBeLessThan(QUICKLY);
    });

    test("a failure after half the work keeps the work", async () => {
      const { result } = await go("429 after half the work", (_, n) =>
        n === 1 ? agent.writes(tree, "half.txt", "half\n") : status(429, "rate_limit_error"),
      );
      expect(result, log.join("\n")).toMatchObject({ kind: "failed", failure: { class: "rate_limit" } });
      expect(readFileSync(join(tree, "half.txt"), "utf8").trim()).toBe("half");
    });
  });

  describe.skipIf(process.platform !== "linux")(`${row.name} is ended`, () => {
    /** Runs until `ready`, aborts, and gives back how long its end took. */
    async function aborted(name: string, script: Script, ready: (server: ModelServer) => Promise<void>) {
      const at = await serve(script);
      const controller = new AbortController();
      const running = Cli.run(deps(at.url), row, request("Please edit."), controller.signal);
      await ready(at);
      expect(processesIn(tree).length).toBeGreaterThan(0);
      const reason = new Error("lease lost");
      const started = performance.now();
      controller.abort(reason);
      await expect(running).rejects.toBe(reason);
      expect(processesIn(tree)).toEqual([]);
      const ms = performance.now() - started;
      table.push({ name, came: "ended, nothing left", requests: at.requests.length, ms, after: ms });
      expect(ms).toBeLessThan(QUICKLY);
      expect(existsSync(join(home, "agents", row.name, "task_loop-1-1"))).toBe(false);
    }

    test("an abort while it waits for its model leaves no process", () =>
      aborted(
        "kill",
        () => ({ kind: "silence" }),
        (at) => at.arrived(1),
      ));

    test("an abort while its command runs leaves no process, the command's neither", async () => {
      const script = { scripts: { test: "echo > started; sleep 300" } };
      writeFileSync(join(tree, "package.json"), JSON.stringify(script));
      await aborted(
        "kill within a command",
        () => agent.runs("npm test"),
        () => fileAt(join(tree, "started")),
      );
    });
  });
}

function summary(row: CliRow, table: readonly Row[]): string {
  const lines = table.map(
    ({ name, came, requests, ms, after }) => `| ${name} | ${came} | ${requests} | ${seconds(ms)} | ${seconds(after)} |`,
  );
  return [
    `${row.name} ${row.verified ?? ""}`,
    "| Case | Came | Requests | Seconds | After the last request |",
    "|---|---|---|---|---|",
    ...lines,
  ].join("\n");
}

const seconds = (ms: number) => (ms / 1000).toFixed(1);

/** Writes files, by path, with the mark that must be seen nowhere. */
function plant(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text.replaceAll("MARK", MARK));
  }
}

/** Every file below a folder with its text, by path. */
function contents(folder: string): Record<string, string> {
  const paths = readdirSync(folder, { recursive: true, encoding: "utf8" });
  const files = paths.filter((path) => statSync(join(folder, path)).isFile());
  return Object.fromEntries(files.map((path) => [path, readFileSync(join(folder, path), "utf8")]));
}

/** Ids of the live processes that work in a tree: they carry the process room's mark in their environment. */
function processesIn(tree: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        if (!readFileSync(`/proc/${pid}/environ`, "utf8").includes(`COHERENCE_TREE=${tree}`)) return false;
        return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
      } catch {
        return false; // ended meanwhile, or not ours to see
      }
    })
    .map(Number);
}

async function fileAt(path: string): Promise<void> {
  while (!existsSync(path)) await new Promise((resolve) => setTimeout(resolve, 20));
}
