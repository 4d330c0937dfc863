import { afterAll } from "vitest";
import * as Clock from "../../core/ground/clock.ts";
import * as Process from "../../core/ground/process/index.ts";
import { treeTools } from "../../core/flow/worker/tree-tools.ts";
import { anthropic } from "../../core/work/provider/api/anthropic.ts";
import { ollama } from "../../core/work/provider/api/ollama.ts";
import { openai } from "../../core/work/provider/api/openai.ts";
import { openrouter } from "../../core/work/provider/api/openrouter.ts";
import type { ApiLimits, ApiRow } from "../../core/work/provider/api/row.ts";
import * as Api from "../../core/work/provider/api/run.ts";
import type { Model, Price, RunRequest, RunResult } from "../../core/work/provider/index.ts";
import * as Workspace from "../../core/work/workspace/index.ts";
import { scratch, type Scratch } from "../support/git.ts";
import * as Chat from "../support/models/chat.ts";
import * as Messages from "../support/models/messages.ts";
import * as Responses from "../support/models/responses.ts";
import type { Reply } from "../support/models/reply.ts";
import type { ModelServer, Options, Script } from "../support/models/server.ts";

/** The tool loop on a real worktree, against a scripted server on loopback that speaks the real protocol. */

export const KEY = "sk-test-0123456789abcdef";

type Case = { row: ApiRow; start: (script: Script, options?: Options) => Promise<ModelServer> };

/** One row a protocol. */
export const PROTOCOLS: Readonly<Record<string, Case>> = {
  messages: { row: anthropic, start: Messages.start },
  responses: { row: openai, start: Responses.start },
  chat: { row: ollama, start: Chat.start },
  openrouter: { row: openrouter, start: Chat.startOpenRouter },
};
export const NAMES = Object.keys(PROTOCOLS);

/** The settings of a row whose server is at `url`. */
export function settingsFor(row: ApiRow, url: string): Record<string, string> {
  return { ...Object.fromEntries(row.credentials.map((name) => [name, KEY])), [row.baseUrl.setting]: url };
}

/** `tree` false: there is no repository; `url` is the base URL, in place of the server's. */
export type RunOptions = {
  limits?: Partial<ApiLimits>;
  signal?: AbortSignal;
  tree?: boolean;
  price?: Price | null;
  url?: string;
};

export type Bench = {
  workspace: Workspace.Workspace;
  /** Everything that was logged. */
  logged: string[];
  server: ModelServer;
  row: ApiRow;
  model: Model;
  run(more?: Partial<RunRequest>, options?: RunOptions): Promise<RunResult>;
  close(): Promise<void>;
};

/** The environment of suites: this Node first. */
const env = Process.baseEnv({ PATH: process.env["PATH"], HOME: "/nonexistent" });
const never = new AbortController().signal;
const clock = Clock.system();

type Place = { repo: Scratch; workspace: Workspace.Workspace; head: string };

async function makePlace(files: Record<string, string>): Promise<Place> {
  const repo = scratch({
    "package.json": JSON.stringify({ private: true, type: "module", scripts: { test: "node --test" } }),
    ".gitignore": ".env\nsecrets/\n",
    "src/greet.js": 'export const greet = () => "hello";\n',
    ...files,
  });
  const repository = await Workspace.openRepository({
    dir: repo.dir,
    home: repo.home,
    env,
    clock,
    graceMs: 200,
    testCommand: `${process.execPath} --test`,
  });
  const { head } = await repository.user();
  const branch = "coherence-item/work/one";
  const workspace = await repository.open({ branch, from: head, leftovers: null, signal: never, log: () => {} });
  return { repo, workspace, head };
}

/** Shared by the benches of a file that ask for no files of their own: making one costs more than the rest of a test. */
let shared: Promise<Place> | undefined;
afterAll(async () => (await shared)?.repo.remove());

/** A repository, its worktree, and a server that plays `script`. */
export async function bench(
  protocol: string,
  script: Script | readonly Reply[],
  files?: Record<string, string>,
): Promise<Bench> {
  const { row, start } = PROTOCOLS[protocol] as Case;
  const { repo, workspace, head } = await (files ? makePlace(files) : (shared ??= makePlace({})));
  const logged: string[] = [];
  const log = (line: string) => void logged.push(line);
  const server = await start(typeof script === "function" ? script : (_, n) => script[n - 1] ?? done(), { key: KEY });
  const model = row.models[0] as Model;
  return {
    workspace,
    logged,
    server,
    row,
    model,
    run: (more = {}, { limits = {}, signal = never, tree = true, price = model.price, url = server.url } = {}) =>
      Api.run(
        { clock, settings: settingsFor(row, url) },
        { ...row, limits: { ...row.limits, ...limits } },
        { ...model, price },
        {
          task: { id: "task_1", type: "impl", direction: "Do it", attempt: 1, turn: 1 },
          prompt: "Do the work.",
          model: model.name,
          cwd: workspace.root,
          ...(tree ? { tree: treeTools(workspace, head, log) } : {}),
          timeoutMs: 60_000,
          log,
          ...more,
        },
        signal,
      ),
    async close() {
      await server.close();
      if (files) repo.remove();
    },
  };
}

/** A call of one tool. */
export const call = (name: string, args: unknown): Reply => ({ kind: "function", name, args });

/** A last answer. */
export const done = (text = "It is done."): Reply => ({ kind: "text", text });

/** What the model was told of its calls so far, as one text. */
export const told = (server: ModelServer): string => JSON.stringify(server.requests.at(-1)?.body);
