import * as z from "zod";
import * as Api from "../../client/index.ts";
import * as Clock from "../../core/ground/clock.ts";
import { Failure } from "./failure.ts";
import { isKnown } from "./known.ts";
import { remedyFor } from "./remedies.ts";
import { oneLine } from "./text.ts";

/** Ms that the host has for an answer; a large backlog takes it a while. */
const ANSWER_WITHIN_MS = 120_000;

/** An answer: what the API sent, to the letter, and what a command reads of it. */
export type Answer<T> = { raw: string; data: T };

/** A request; it is made when it is said what is read of its answer: no more than that can be. */
export type Asked<T> = { reads<K extends keyof T>(...fields: readonly K[]): Promise<Answer<Pick<T, K>>> };

export type Client = {
  /** The address, without a key that came in it. */
  base: string;
  /** One request with the API's own client. */
  ask<T>(request: (api: Api.Client) => Promise<{ data?: T }>): Asked<T>;
};

/**
 * The agent API at `base` (`http://host:port`, a key as the password). Every request throws a Failure: `unreachable` when nobody
 * answers, `refused` when the API says no or what answers is not the API.
 */
export function connect(base: string, clock: Clock.Clock): Client {
  const url = addressOf(base);
  return {
    base: url,
    ask: (request) => ({
      async reads(...fields) {
        const api = Api.createClient({ baseUrl: base, fetch: (sent) => send(clock, sent) });
        let raw = "";
        api.use({
          async onResponse({ request: sent, response, schemaPath }) {
            raw = await response.clone().text();
            if (!response.ok) throw refusal(response, raw, `${sent.method} ${sent.url}`);
            if (!isKnown(sent.method, schemaPath, json(raw), fields)) throw stranger(url);
          },
        });
        const { data } = await request(api);
        if (data === undefined) throw stranger(url);
        return { raw, data };
      },
    }),
  };
}

function addressOf(base: string): string {
  try {
    return Api.address(base).url;
  } catch {
    throw new Failure(
      "usage",
      "The API's address is not an http address",
      "Give it as --api http://127.0.0.1:8000, or set AGENT_API_BASE.",
    );
  }
}

/** The whole answer, in time: its body too. */
async function send(clock: Clock.Clock, request: Request): Promise<Response> {
  const deadline = Clock.deadline(clock, ANSWER_WITHIN_MS);
  try {
    const response = await fetch(request, { signal: deadline.signal });
    const { status, headers } = response;
    return new Response((await response.text()) || null, { status, headers });
  } catch {
    // fetch's own words ("fetch failed") help nobody.
    const why = deadline.signal.aborted ? `did not answer within ${ANSWER_WITHIN_MS / 1000} s` : "does not answer";
    throw new Failure(
      "unreachable",
      `The host at ${new URL(request.url).origin} ${why}`,
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

function refusal({ status, headers }: Response, raw: string, request: string): Failure {
  const code = headers.get("x-error-code") ?? undefined;
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
