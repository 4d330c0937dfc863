import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as Clock from "../../../core/ground/clock.ts";
import * as Id from "../../../core/ground/id.ts";
import * as Store from "../../../core/ground/store/index.ts";
import { resolveEngine, startEngine } from "../../../functions/local/dynamodb.ts";
import { loopback } from "../../../functions/local/loopback.ts";
import { COMPILED } from "../../support/compiled.ts";
import { scratch, type Scratch } from "../../support/git.ts";

/** The host as a user runs it: a process of its own, with nothing of this one's environment but PATH. */

const MAIN = fileURLToPath(new URL("../../../functions/local/main.ts", import.meta.url));
const PLACE = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
/** Ms after which a line that never comes fails the test with all that was said. */
const PATIENCE_MS = 90_000;

export type Ended = { code: number | null; signal: NodeJS.Signals | null; out: string; err: string };

export type Run = {
  child: ChildProcess;
  /** Resolves with the first line, from the beginning, that matches; rejects when the host ends or is silent without one. */
  line(pattern: RegExp): Promise<string>;
  /** Everything said so far on standard output and standard error. */
  said(): string;
  kill(signal: NodeJS.Signals): void;
  ended: Promise<Ended>;
};

/** Folders of a run: an empty one to start in, and a place for its home. */
export type Place = { home: string; empty: string; root: string };

export function place(): Place {
  const root = realpathSync(mkdtempSync(join(PLACE, "coherence-host-")));
  const empty = realpathSync(mkdtempSync(join(PLACE, "coherence-cwd-")));
  made.push(() => {
    // The engine of a host that was killed.
    for (const one of processesOf({ root })) process.kill(Number(one.split(" ")[0]), "SIGKILL");
    for (const dir of [root, empty]) rmSync(dir, { recursive: true, force: true });
  });
  return { root, home: join(root, "home"), empty };
}

const running = new Set<ChildProcess>();
/** What removes the folders that were made. */
const made: (() => void)[] = [];

/** Starts a host. */
export function start(
  argv: readonly string[],
  options: { at: Place; env?: Record<string, string>; cwd?: string },
): Run {
  const child = spawn(process.execPath, [MAIN, ...argv], {
    cwd: options.cwd ?? options.at.empty,
    env: {
      PATH: process.env.PATH ?? "",
      HOME: options.at.root,
      PORT: "0",
      COHERENCE_HOME: options.at.home,
      COHERENCE_LOG_LEVEL: "warn",
      NODE_COMPILE_CACHE: COMPILED,
      ...options.env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.add(child);
  let out = "";
  let err = "";
  let over = false;
  const waiting = new Set<() => void>();
  const look = () => [...waiting].forEach((one) => one());
  child.stdout.setEncoding("utf8").on("data", (text: string) => ((out += text), look()));
  child.stderr.setEncoding("utf8").on("data", (text: string) => ((err += text), look()));
  const ended = new Promise<Ended>((resolve) =>
    child.on("close", (code, signal) => {
      over = true;
      running.delete(child);
      look();
      resolve({ code, signal, out, err });
    }),
  );
  const said = () => `${out}${err}`;
  return {
    child,
    said,
    ended,
    kill: (signal) => void child.kill(signal),
    line: (pattern) =>
      new Promise((resolve, reject) => {
        const stop = () => (waiting.delete(see), clearTimeout(timer));
        const see = () => {
          const found = said()
            .split("\n")
            .find((line) => pattern.test(line));
          if (found !== undefined) return (stop(), resolve(found));
          if (over) return (stop(), reject(new Error(`the host ended without ${pattern}:\n${said()}`)));
        };
        const timer = setTimeout(() => (stop(), reject(new Error(`no ${pattern} came:\n${said()}`))), PATIENCE_MS);
        waiting.add(see);
        see();
      }),
  };
}

/** Runs a host to its end. */
export function run(argv: readonly string[], options: Parameters<typeof start>[1]): Promise<Ended> {
  return start(argv, options).ended;
}

/** Ends the hosts that a failed test left behind, and removes every folder. */
export async function endAll(): Promise<void> {
  const left = [...running];
  for (const child of left) child.kill("SIGKILL");
  await Promise.all(left.map((child) => once(child, "close")));
  for (const remove of made.splice(0)) remove();
}

/** What a home's table holds once its host has ended. */
export async function inTable<T>(home: string, look: (store: Store.Store) => Promise<T>): Promise<T> {
  const clock = Clock.system();
  const binary = await resolveEngine({ home, env: process.env, say: () => {} });
  const engine = await startEngine({ binary, file: join(home, "store", "table.db"), clock });
  try {
    return await look({ wire: loopback(engine.endpoint), table: "coherence", clock, id: Id.system() });
  } finally {
    await engine.stop();
  }
}

/** Every process that names this place in its environment or its words: what a host left running, its engine too. */
export function processesOf(at: Pick<Place, "root">): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
        const ours = words.includes(at.root) || readFileSync(`/proc/${pid}/environ`, "utf8").includes(at.root);
        const state = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.[0];
        return ours && state !== "Z" ? [`${pid} ${words}`] : [];
      } catch {
        return []; // ended meanwhile
      }
    });
}

/** A test command that takes no time: what the suite is about is not the host's matter. */
export const QUICK_SUITE = { COHERENCE_TEST_COMMAND: 'echo "1 passed, 0 failed"' };

/** A repository whose suite is green, with a backlog of one line an id. */
export function repository(ids: readonly string[], more: Record<string, string> = {}): Scratch & { backlog: string } {
  const repo = scratch({ "README.md": "# A project\n", "plan.md": backlogOf(ids), ...more });
  made.push(repo.remove);
  return { ...repo, backlog: join(repo.dir, "plan.md") };
}

export function backlogOf(ids: readonly string[]): string {
  return `## Phase 1: First\n\n${ids.map((id, i) => `${i + 1}. Make ${id} work {#${id}}\n`).join("")}`;
}

/** Writes a scenario for the simulated provider; returns the environment that names it. */
export function scenario(at: Place, ...rules: object[]): Record<string, string> {
  const file = join(at.root, `scenario-${rules.length}-${Math.random()}.json`);
  writeFileSync(file, JSON.stringify({ name: "test", rules }));
  return { COHERENCE_SCENARIO: file };
}

const FAKE_CODEX = fileURLToPath(new URL("./fake-codex.mjs", import.meta.url));

/** A model server that only lists models, and what makes the stand-in for codex ready with it; `status` may change. */
export async function fakeCodex(): Promise<{
  env: Record<string, string>;
  status: number;
  close: () => Promise<void>;
}> {
  const server = createServer((_, response) => {
    response.writeHead(codex.status, { "content-type": "application/json" }).end('{"object":"list","data":[]}');
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  const codex = {
    status: 200,
    env: { CODEX_BIN: FAKE_CODEX, OPENAI_BASE_URL: url, OPENAI_API_KEY: "sk-test-of-its-own" },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return codex;
}

/** Refs, HEAD, index and files of the user's checkout: what must be the same afterwards. */
export function untouched(repo: Scratch): () => string {
  return () => [repo.git("show-ref"), repo.git("symbolic-ref", "HEAD"), repo.git("status", "--porcelain")].join("\n");
}
