import * as z from "zod";
import * as Clock from "../../core/ground/clock.ts";
import { Failure } from "./failure.ts";
import { remedyFor } from "./remedies.ts";
import { oneLine } from "./text.ts";

/** Ms that the host has for an answer; a large backlog takes it a while. */
const ANSWER_WITHIN_MS = 120_000;

/** An answer: what the API sent, to the letter, and what a command reads of it. */
export type Answer<T> = { raw: string; data: T };

export type Client = {
  /** The address, without a key that came in it. */
  base: string;
  get<T>(path: string, shape: z.ZodType<T>): Promise<Answer<T>>;
  post<T>(path: string, body: Record<string, unknown>, shape: z.ZodType<T>): Promise<Answer<T>>;
};

/**
 * The agent API at `base` (`http://host:port`, a key as the password). Every call throws a Failure: `unreachable` when nobody
 * answers, `refused` when the API says no or what answers is not the API.
 */
export function connect(base: string, clock: Clock.Clock): Client {
  const { url, authorization } = parse(base);
  const call = async <T>(method: string, path: string, shape: z.ZodType<T>, body?: Record<string, unknown>) => {
    const { status, code, raw } = await send(clock, `${url}${path}`, {
      method,
      // A redirect would carry the key to somewhere else.
      redirect: "error",
      headers: {
        accept: "application/json",
        ...(authorization === undefined ? {} : { authorization }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (status < 200 || status > 299) throw refusal(status, code, raw, `${method} ${url}${path}`);
    const parsed = shape.safeParse(json(raw));
    if (!parsed.success) throw stranger(url);
    return { raw, data: parsed.data };
  };
  return {
    base: url,
    get: (path, shape) => call("GET", path, shape),
    post: (path, body, shape) => call("POST", path, shape, body),
  };
}

function parse(base: string): { url: string; authorization: string | undefined } {
  let url: URL;
  try {
    url = new URL(base);
    if (!/^https?:$/.test(url.protocol)) throw new Error("not http");
  } catch {
    throw new Failure(
      "usage",
      "The API's address is not an http address",
      "Give it as --api http://127.0.0.1:8000, or set AGENT_API_BASE.",
    );
  }
  const { username, password } = url;
  const authorization =
    password === ""
      ? undefined
      : `Basic ${Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString("base64")}`;
  return { url: `${url.origin}${url.pathname.replace(/\/+$/, "")}`, authorization };
}

async function send(clock: Clock.Clock, url: string, init: RequestInit) {
  const deadline = Clock.deadline(clock, ANSWER_WITHIN_MS);
  try {
    const response = await fetch(url, { ...init, signal: deadline.signal });
    const raw = await response.text();
    return { status: response.status, code: response.headers.get("x-error-code") ?? undefined, raw };
  } catch {
    // fetch's own words ("fetch failed") help nobody.
    const why = deadline.signal.aborted ? `did not answer within ${ANSWER_WITHIN_MS / 1000} s` : "does not answer";
    throw new Failure(
      "unreachable",
      `The host at ${new URL(url).origin} ${why}`,
      "Start it with `npm start` (or `coherence run`), or name another: --api URL or AGENT_API_BASE.",
    );
  } finally {
    deadline.clear();
  }
}

/** FastAPI's shapes: a sentence, or a list of what is wrong where. */
const Refusal = z.object({
  detail: z.union([
    z.string(),
    z.array(z.object({ loc: z.array(z.union([z.string(), z.number()])).default([]), msg: z.string() })),
  ]),
});

function refusal(status: number, code: string | undefined, raw: string, request: string): Failure {
  const parsed = Refusal.safeParse(json(raw));
  if (!parsed.success) return new Failure("refused", `${request} answered ${status}`, remedyFor(code, status), code);
  const { detail } = parsed.data;
  const said =
    typeof detail === "string"
      ? detail
      : detail
          .map(({ loc, msg }) => `${loc.slice(1).join(".") || "request"}: ${msg.replace(/^Value error, /, "")}`)
          .join("; ");
  // Where the API knows a remedy, it is the sentence after the first.
  const [what = "", own] = typeof detail === "string" ? oneLine(said).split(/\. (.+)/s) : [oneLine(said)];
  const named = code === undefined ? "" : ` (${oneLine(code)})`;
  return new Failure("refused", `${what.replace(/\.$/, "")}${named}`, own ?? remedyFor(code, status), code);
}

function stranger(url: string): Failure {
  return new Failure(
    "refused",
    `What answers at ${url} is not the agent API that this command knows`,
    "Name the host's address with --api URL, and use the command of its checkout.",
  );
}

function json(raw: string): unknown {
  try {
    return JSON.parse(raw);
  } catch {
    return undefined;
  }
}
