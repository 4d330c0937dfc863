import type { Clock } from "../../../ground/clock.ts";
import type { Failure } from "../../task/index.ts";

/** Bytes of an answer that are read: ten times what the longest one of ours takes. */
const ANSWER_BYTES = 32 * 1024 * 1024;
/** Bytes of one line of a stream: its last event may hold the whole answer once more. */
const LINE_BYTES = 4 * 1024 * 1024;
/** Bytes and ms of an error's body that are waited for. */
const ERROR_BYTES = 64 * 1024;
const ERROR_MS = 2000;

/** What went wrong on the way, where we know it better than whoever meets it as an error. */
export class WireError extends Error {
  override name = "WireError";
  readonly failure: Failure;
  constructor(failure: Failure) {
    super(failure.message);
    this.failure = failure;
  }
}

/** A whole body where a stream was asked for: it may say what is wrong. */
export class NoStream extends Error {
  override name = "NoStream";
  readonly responseBody: string;
  constructor(type: string, responseBody: string) {
    super(`The server answered with ${type} and no stream.`);
    this.responseBody = responseBody;
  }
}

/** The way to a model server. `broken` is why the last answer's stream broke off, null where it did not. */
export type Wire = { fetch: typeof fetch; broken: { thrown: unknown } | null };

/**
 * `fetch` as the adapters get it. No redirect is followed: the key would go with it to wherever the server says. Whatever comes is
 * bounded, since an adapter reads an error's body and keeps an answer whole. A stream that breaks off ends, and says so here alone:
 * an adapter that is cancelled meanwhile would leave the error to nobody, which ends the process. `setting` says where the
 * server's address stands.
 */
export function wireTo(clock: Clock, setting: string): Wire {
  const wire: Wire = {
    broken: null,
    fetch: async (input, init) => {
      wire.broken = null;
      const response = await fetch(input, { ...init, redirect: "manual" });
      const { status, statusText, headers } = response;
      if (response.type === "opaqueredirect" || (status >= 300 && status < 400)) {
        await response.body?.cancel();
        const message = `The server answered ${status}, a redirect, which is not followed: ${setting} has to be where it leads.`;
        throw new WireError({ class: "model_not_found", message, ...(status > 0 ? { status } : {}) });
      }
      const plain = new Headers(headers);
      for (const name of ["content-length", "content-encoding"]) plain.delete(name);
      if (!response.ok) {
        const body = await beginningOf(clock, response);
        return new Response(body, { status, statusText, headers: plain });
      }
      const type =
        /^[^;]*/
          .exec(headers.get("content-type") ?? "")?.[0]
          .trim()
          .toLowerCase() ?? "";
      // Others are left to the adapter: a stream may come under any name but these.
      if (type === "application/json" || type === "text/html")
        throw new NoStream(type, await beginningOf(clock, response));
      const body = response.body && bounded(response.body, (thrown) => (wire.broken = { thrown }));
      return new Response(body, { status, statusText, headers: plain });
    },
  };
  return wire;
}

/** The beginning of a body, as far as it comes in time. */
async function beginningOf(clock: Clock, response: Response): Promise<string> {
  const reader = (response.body as ReadableStream<Uint8Array> | null)?.getReader();
  if (!reader) return "";
  const chunks: Uint8Array[] = [];
  let length = 0;
  const stop = clock.after(ERROR_MS, () => void reader.cancel().catch(() => {}));
  try {
    while (length < ERROR_BYTES) {
      const { done, value } = await reader.read();
      if (done) break;
      chunks.push(value);
      length += value.length;
    }
  } catch {
    // It broke off: its status says enough.
  } finally {
    stop();
    void reader.cancel().catch(() => {});
  }
  return Buffer.concat(chunks).subarray(0, ERROR_BYTES).toString("utf8");
}

function bounded(body: ReadableStream<Uint8Array>, broke: (thrown: unknown) => void): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  const cancel = () => reader.cancel().catch(() => {});
  let all = 0;
  let line = 0;
  return new ReadableStream({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (done) return controller.close();
        all += value.length;
        const end = value.lastIndexOf(10);
        line = end === -1 ? line + value.length : value.length - end - 1;
        if (all > ANSWER_BYTES || line > LINE_BYTES)
          throw new WireError({ class: "stalled", message: "The answer did not end: it was cut off." });
        controller.enqueue(value);
      } catch (thrown) {
        broke(thrown);
        controller.close();
        void cancel();
      }
    },
    cancel,
  });
}
