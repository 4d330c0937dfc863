import * as z from "zod";
import * as Clock from "../../ground/clock.ts";
import { fromHttp } from "./classify.ts";
import type { Readiness } from "./port.ts";

/** Ms that a program or a model server has to answer a probe. */
export const ANSWER_WITHIN_MS = 5000;

/** Bytes of an answer to a probe that are read: the longest list of models has less than one million. */
const BODY_BYTES = 4 * 1024 * 1024;

/** How the path of a list of models ends, at every server that is asked for one. */
const LISTING = "/models";

/** What a model server is asked to see whether it takes a key: a GET that costs no tokens. */
export type Check = {
  baseUrl: string;
  /** What is read, from the base URL on. */
  path: string;
  headers: Readonly<Record<string, string>>;
  /** The setting that holds the key; null: it asks for none. */
  credential: string | null;
};

/** Whether a model server answers and takes the key; `body` is what it said, where that was JSON. Never throws. */
export async function serverAnswers(
  clock: Clock.Clock,
  check: Check,
  signal?: AbortSignal,
): Promise<{ readiness: Readiness; body: unknown }> {
  const { baseUrl, path, headers, credential } = check;
  const deadline = Clock.deadline(clock, ANSWER_WITHIN_MS, signal);
  try {
    // Not followed: the key would go with it to wherever the server says.
    const answer = await fetch(`${baseUrl}${path}`, { headers, signal: deadline.signal, redirect: "manual" });
    if (answer.status >= 300 && answer.status < 400) {
      await answer.body?.cancel();
      const detail = `${baseUrl}${path} answered ${answer.status}, a redirect, which is not followed`;
      const remedy = `Set the base URL to the address that ${baseUrl} leads to.`;
      return { readiness: { ready: false, detail, remedy }, body: null };
    }
    const body = await jsonOf(answer);
    deadline.signal.throwIfAborted();
    if (answer.ok) {
      const detail = credential === null ? `${baseUrl} answers` : `${baseUrl} takes ${credential}`;
      return { readiness: { ready: true, detail }, body };
    }
    // The key is known and may not list: whether it may execute is another permission, which a run shows.
    if (answer.status === 403 && credential !== null && path.endsWith(LISTING) && !saysWrongKey(body))
      return {
        readiness: { ready: true, detail: `${baseUrl} knows ${credential}, which may not list models` },
        body: null,
      };
    const readiness: Readiness = {
      ready: false,
      detail: `${baseUrl}${path} answered ${answer.status}`,
      remedy: remedyFor(answer.status, credential, baseUrl),
      ...(isTransient(answer.status) ? { transient: true } : {}),
    };
    return { readiness, body: null };
  } catch {
    // fetch's own words ("fetch failed") help nobody.
    const why = deadline.signal.aborted ? `did not answer within ${ANSWER_WITHIN_MS / 1000} s` : "could not be reached";
    const readiness: Readiness = {
      ready: false,
      detail: `${baseUrl} ${why}`,
      remedy: `Check the network and that ${baseUrl} is the right model server.`,
      transient: true,
    };
    return { readiness, body: null };
  } finally {
    deadline.clear();
  }
}

/** The JSON of a body; null for what is none, is over `BODY_BYTES`, or breaks off. */
async function jsonOf(answer: Response): Promise<unknown> {
  try {
    const chunks: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of (answer.body ?? []) as AsyncIterable<Uint8Array>) {
      if ((length += chunk.length) > BODY_BYTES) return null;
      chunks.push(chunk);
    }
    return JSON.parse(Buffer.concat(chunks).toString("utf8"));
  } catch {
    return null;
  }
}

const ModelList = z.object({ data: z.array(z.object({ id: z.string() })) });

/** The models in an answer to `GET /models`; a tag that says "latest" goes without saying. Empty for any other answer. */
export function listedIn(body: unknown): string[] {
  const names = ModelList.safeParse(body).data?.data.map((model) => model.id) ?? [];
  return [...new Set(names.flatMap((name) => [name, name.replace(/:latest$/, "")]))];
}

const ErrorBody = z.object({ error: z.object({ type: z.string().nullish(), code: z.unknown().optional() }) });

/** Some servers answer 403 for a wrong key too, and say so by the error's type. */
function saysWrongKey(body: unknown): boolean {
  const error = ErrorBody.safeParse(body).data?.error;
  const types = [error?.code, error?.type].filter((type) => typeof type === "string");
  return fromHttp({ status: 403, types, message: "" }, 0).class === "auth";
}

function isTransient(status: number): boolean {
  return status === 408 || status === 429 || status >= 500;
}

function remedyFor(status: number, credential: string | null, baseUrl: string): string {
  if (status === 401 && credential !== null) return `Set ${credential} to a valid key for ${baseUrl}.`;
  if (status === 403 && credential !== null)
    return `Give the key in ${credential} permission for this, or use an unrestricted one.`;
  if (status === 400 && credential !== null)
    return `Check that ${credential} is a valid key and ${baseUrl} the right model server.`;
  if (status === 404) return `Check that ${baseUrl} is the model server's base URL (it usually ends in /v1).`;
  if (isTransient(status)) return `Nothing: ${baseUrl} is asked again later.`;
  return `Check that ${baseUrl} is the right model server.`;
}
