import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { COMPILED } from "../../support/compiled.ts";

/** What the host of a test answers: JSON as it is to be sent, or a function of how often it was asked before. */
export type Recorded = { status?: number; code?: string; body: unknown; raw?: string };
export type Answers = Record<string, Recorded | ((asked: number) => Recorded)>;

export type Asked = { route: string; body: unknown; headers: Record<string, string | string[] | undefined> };

export type Host = {
  base: string;
  /** Every request, in order. */
  asked: Asked[];
  close(): Promise<void>;
};

/** A server on loopback that plays recorded answers by `METHOD /path?query`; for others it says Not Found as the API does. */
export async function play(answers: Answers): Promise<Host> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const route = `${request.method} ${request.url}`;
      const text = Buffer.concat(chunks).toString("utf8");
      const before = asked.filter((one) => one.route === route).length;
      asked.push({ route, body: text === "" ? undefined : JSON.parse(text), headers: request.headers });
      const found = answers[route] ?? { status: 404, code: "not_found", body: { detail: "Not Found" } };
      const { status = 200, code, body, raw } = typeof found === "function" ? found(before) : found;
      response.writeHead(status, { "content-type": "application/json", ...(code ? { "x-error-code": code } : {}) });
      response.end(raw ?? JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    base: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const MAIN = fileURLToPath(new URL("../../../functions/cli/main.ts", import.meta.url));

export type Options = { env?: Record<string, string>; input?: string; cwd?: string };

/** Starts the real command as a process of its own, with nothing of this one's environment. */
export function start(argv: string[], options: Options = {}) {
  return execa(process.execPath, [MAIN, ...argv], {
    reject: false,
    extendEnv: false,
    stripFinalNewline: false,
    env: { PATH: process.env.PATH ?? "", NODE_COMPILE_CACHE: COMPILED, ...options.env },
    cwd: options.cwd ?? process.cwd(),
    input: options.input ?? "",
  });
}

export type Ended = { out: string; err: string; code: number | undefined };

/** Runs the command to its end. */
export async function run(argv: string[], options: Options = {}): Promise<Ended> {
  const { stdout, stderr, exitCode } = await start(argv, options);
  return { out: stdout, err: stderr, code: exitCode };
}
