import { gunzipSync, gzipSync } from "node:zlib";
import type { Order, Report } from "./order.ts";

/** Where a paused agent goes on from; `saved` undefined: it begins. `ms` are those of its parts so far. */
export type Conversation = { saved: unknown; ms: number };

/** Written after its chunks: it makes them count. */
type Head = { provider: string; model: string; ms: number; chunks: number };

const NAME = "conversation";
/** Characters of one chunk: base64, so as many bytes. */
const CHUNK = 250_000;
const chunkName = (turn: number, k: number) => `${NAME}#${turn}#${k}`;

/** Saves a conversation, packed, in chunks of at most 256 KB under this turn. */
export async function save(order: Order, report: Report, conversation: Conversation): Promise<void> {
  const { provider, model } = order.candidate;
  const { saved, ms } = conversation;
  const packed = gzipSync(JSON.stringify(saved ?? null)).toString("base64");
  const chunks = Math.ceil(packed.length / CHUNK);
  for (let k = 0; k < chunks; k++)
    await report.save(chunkName(order.ref.turn, k), packed.slice(k * CHUNK, (k + 1) * CHUNK));
  const head: Head = { provider, model, ms, chunks };
  await report.save(NAME, head);
}

/** The conversation that this candidate paused in an earlier turn of the same attempt. */
export async function load(order: Order, report: Report): Promise<Conversation> {
  const none: Conversation = { saved: undefined, ms: 0 };
  const { candidate, limits, ref } = order;
  if (limits.continueAfterMs === undefined || ref.turn === 1) return none;
  const head = await report.saved<Head>(NAME);
  if (head?.n !== ref.n || head.value.provider !== candidate.provider || head.value.model !== candidate.model)
    return none;
  let packed = "";
  for (let k = 0; k < head.value.chunks; k++)
    packed += (await report.saved<string>(chunkName(head.turn, k)))?.value ?? "";
  return {
    saved: JSON.parse(gunzipSync(Buffer.from(packed, "base64")).toString("utf8")) as unknown,
    ms: head.value.ms,
  };
}
