import { spawn } from "node:child_process";
import { existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { delimiter, join } from "node:path";
import type { Clock } from "../../core/ground/clock.ts";
import { fail } from "../../core/ground/errors.ts";
import * as Process from "../../core/ground/process/index.ts";

/** The engine's version: pinned, because its behaviour is what the tests measured. */
export const ENGINE_VERSION = "1.2.1";

export type Engine = {
  endpoint: string;
  /** Rejects with `store.unavailable` when it ends without having been stopped; never resolves. */
  died: Promise<never>;
  /** Ends it: SIGTERM, after 2 s SIGKILL (a half-sent request holds it; its log makes that safe). */
  stop(): Promise<void>;
};

/** The embedded engine's binary: DYNOXIDE_BIN, the platform's package, PATH, else one install into the home. */
export async function resolveEngine(options: {
  home: string;
  env: Readonly<Record<string, string | undefined>>;
  say: (line: string) => void;
  /** The package that holds it; default: this platform's. */
  name?: string;
}): Promise<string> {
  const { home, env, say, name = `@dynoxide/${process.platform}-${process.arch}` } = options;
  if (env.DYNOXIDE_BIN) {
    if (existsSync(env.DYNOXIDE_BIN)) return env.DYNOXIDE_BIN;
    throw fail("store.unavailable", `DYNOXIDE_BIN points to ${env.DYNOXIDE_BIN}, which is not there`, {
      remedy: "Unset DYNOXIDE_BIN or point it to a dynoxide binary.",
    });
  }
  const inPackage = packagedBinary(import.meta.url, name);
  if (inPackage) return inPackage;
  for (const folder of (env.PATH ?? "").split(delimiter)) {
    if (folder && existsSync(join(folder, "dynoxide"))) return join(folder, "dynoxide");
  }
  const tools = join(home, "tools", "dynoxide");
  const installed = () => packagedBinary(`file://${tools}/package.json`, name);
  if (!installed()) {
    say(`installing ${name}@${ENGINE_VERSION} into ${tools} (once)`);
    mkdirSync(tools, { recursive: true });
    const exit = await Process.run(
      {
        file: "npm",
        args: ["install", "--no-audit", "--no-fund", "--prefix", tools, `${name}@${ENGINE_VERSION}`],
        cwd: tools,
        env: Process.baseEnv(env),
      },
      new AbortController().signal,
    );
    if (exit.code !== 0 || !installed())
      throw fail("store.unavailable", `No embedded DynamoDB for ${process.platform}-${process.arch}`, {
        remedy: `Set DYNAMODB_ENDPOINT to a DynamoDB, or DYNOXIDE_BIN to a dynoxide binary, or run: npm install ${name}@${ENGINE_VERSION}`,
      });
  }
  return installed() ?? "";
}

/** Starts the engine on a free loopback port with its file at `file`; ends one that an earlier host left behind. */
export async function startEngine(options: { binary: string; file: string; clock: Clock }): Promise<Engine> {
  const { binary, file, clock } = options;
  const pidFile = `${file}.pid`;
  await endLeftover(pidFile, clock);
  for (let attempt = 0; attempt < 5; attempt++) {
    const port = await freePort();
    // A file, not a pipe: a closed pipe would abort it. Its own group: Ctrl-C is for the host, which stops it last.
    const log = openSync(`${file}.log`, "w");
    const child = spawn(binary, ["serve", "--host", "127.0.0.1", "--port", String(port), "--db-path", file], {
      stdio: ["ignore", log, log],
      detached: true,
      env: {},
    });
    child.unref();
    // Named before it is up: a host that is killed meanwhile leaves none that the next one does not know of.
    writeFileSync(pidFile, JSON.stringify({ pid: child.pid, port }));
    const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    const failed = new Promise<Error | undefined>((resolve) => {
      child.once("error", resolve);
      child.once("exit", () => resolve(undefined));
    });
    const state = await Promise.race([ready(port, clock).then((up) => (up ? "up" : "down")), failed]);
    if (state === "up" && child.pid !== undefined) {
      const pid = child.pid;
      let stopped = false;
      const died = ended.then(() =>
        stopped
          ? new Promise<never>(() => {})
          : Promise.reject(
              fail("store.unavailable", `The embedded DynamoDB ended by itself; its log is ${file}.log`, {
                remedy: "Start again to go on: what it answered is in its file.",
              }),
            ),
      );
      died.catch(() => {}); // whoever looks at it later still sees it
      return {
        endpoint: `http://127.0.0.1:${port}`,
        died,
        async stop() {
          stopped = true;
          await end(pid, ended, clock);
          rmSync(pidFile, { force: true });
        },
      };
    }
    if (child.pid !== undefined && child.exitCode === null) await end(child.pid, ended, clock);
  }
  throw fail("store.unavailable", `The embedded DynamoDB does not start; its log is ${file}.log`, {
    remedy: "Read that log, or set DYNAMODB_ENDPOINT to another DynamoDB.",
  });
}

function packagedBinary(from: string, name: string): string | undefined {
  try {
    const file = join(createRequire(from).resolve(`${name}/package.json`), "..", "dynoxide");
    return existsSync(file) ? file : undefined;
  } catch {
    return undefined;
  }
}

/** A port nobody listens on right now; it may be taken before use, so callers try again. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}

/** Whether a dynoxide answers on the port, asked for at most 10 s. */
async function ready(port: number, clock: Clock): Promise<boolean> {
  for (let waited = 0; waited < 10_000; waited += 10) {
    if (await answers(port)) return true;
    await clock.sleep(10);
  }
  return false;
}

async function answers(port: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/`);
    await response.arrayBuffer();
    return response.headers.has("x-dynoxide-version");
  } catch {
    return false;
  }
}

/** A killed host leaves its engine alive and holding the file. Only a pid whose port answers as an engine is ended. */
async function endLeftover(pidFile: string, clock: Clock): Promise<void> {
  if (!existsSync(pidFile)) return;
  const { pid, port } = leftover(readFileSync(pidFile, "utf8"));
  // Whoever asked it for something is dead: there is nothing to wait for, and its log has all that it answered.
  if (pid && port && (await answers(port))) await end(pid, gone(pid, clock), clock, 100);
  rmSync(pidFile, { force: true });
}

/** Whom the file names; nobody when its host was killed half-way through writing it. */
function leftover(text: string): { pid?: number; port?: number } {
  try {
    return JSON.parse(text) as { pid?: number; port?: number };
  } catch {
    return {};
  }
}

async function end(pid: number, ended: Promise<void>, clock: Clock, graceMs = 2000): Promise<void> {
  signal(pid, "SIGTERM");
  const giveUp = new AbortController();
  await Promise.race([
    ended,
    clock.sleep(graceMs, giveUp.signal).then(
      () => signal(pid, "SIGKILL"),
      () => {},
    ),
  ]);
  await ended;
  giveUp.abort();
}

/** Resolves when a process that is not our child is no more: a zombie, which its parent may never reap, is no more. */
async function gone(pid: number, clock: Clock): Promise<void> {
  while (Process.birthOf(pid) !== null) await clock.sleep(10);
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // ended meanwhile
  }
}
