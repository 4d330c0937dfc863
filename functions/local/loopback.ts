import * as Http from "node:http";
import * as Https from "node:https";
import type { Wire } from "../../core/ground/store/index.ts";

/** Connections at once; more requests wait. */
const SOCKETS = 50;
/** Ms that the engine has for an answer. */
const ANSWER_WITHIN_MS = 30_000;
/** The engine wants a signature and checks none. */
const HEADERS = {
  "content-type": "application/x-amz-json-1.0",
  "x-amz-date": "20260101T000000Z",
  authorization: `AWS4-HMAC-SHA256 Credential=local/20260101/local/dynamodb/aws4_request, SignedHeaders=host;x-amz-date, Signature=${"0".repeat(64)}`,
};

/**
 * An engine on loopback, spoken to without AWS's client: that took two thirds of the host's time a call, and loading it a
 * tenth of its start (measured). The requests are the same.
 */
export function loopback(endpoint: string): Wire {
  const { protocol, hostname: host, port, pathname } = new URL(endpoint);
  const hostname = host.replace(/^\[|\]$/g, "");
  const { Agent, request } = protocol === "https:" ? Https : Http;
  const agent = new Agent({ keepAlive: true, maxSockets: SOCKETS });

  const send = (operation: string, body: string): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const headers = {
        ...HEADERS,
        "x-amz-target": `DynamoDB_20120810.${operation}`,
        "content-length": Buffer.byteLength(body),
      };
      const sent = request({ agent, hostname, port, path: pathname, method: "POST", headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") }),
        );
      });
      sent.on("error", reject);
      // An engine that is stopped answers nobody: better an error than every socket held.
      sent.setTimeout(ANSWER_WITHIN_MS, () => sent.destroy(late()));
      sent.end(body);
    });

  return (async (operation: string, input: unknown) => {
    const answer = await send(operation, JSON.stringify(input));
    if (answer.status >= 300) throw refusal(answer);
    return JSON.parse(answer.text) as unknown;
  }) as Wire;
}

function late(): Error {
  return Object.assign(new Error(`no answer within ${ANSWER_WITHIN_MS / 1000} s`), { name: "TimeoutError" });
}

type Answer = { status: number; text: string };

/** What the engine refused, as AWS's client throws it. */
function refusal({ status, text }: Answer): Error {
  let said: Record<string, unknown> = {};
  try {
    said = JSON.parse(text) as Record<string, unknown>;
  } catch {
    // Not an answer of DynamoDB's: its status says what there is to say.
  }
  const { __type, message, Message, ...more } = said;
  const name = typeof __type === "string" ? __type.replace(/^.*#/, "") : "UnknownError";
  const words = message ?? Message;
  return Object.assign(new Error(typeof words === "string" ? words : `HTTP ${status}`), more, {
    name,
    $fault: status >= 500 ? "server" : "client",
  });
}
