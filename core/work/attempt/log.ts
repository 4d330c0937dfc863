import type { Clock } from "../../ground/clock.ts";
import * as Store from "../../ground/store/index.ts";
import { Keys } from "../../ground/store/index.ts";
import type { TurnRef } from "./row.ts";

/** Bytes of one chunk; an item of the table may have 400 KB. */
const CHUNK_BYTES = 256 * 1024;
/** Lines are written after at most this long, so that a follower sees them. */
const FLUSH_MS = 1000;
/** The most that one read answers with. */
export const MAX_LOG_BYTES = 1024 * 1024;

export type LogWriter = {
  line(text: string): void;
  /** Writes what is buffered and the footer; further lines are dropped. */
  end(footer: { seconds: number; exit: number | null; status: string }): Promise<void>;
};

/** Writes the log of one turn in chunks, put if absent, the turn in their keys. A chunk that cannot be written is lost, never the run. */
export function logWriter(
  store: Store.Store,
  clock: Clock,
  ref: TurnRef,
  header: string[],
  expiresAt: number | undefined,
): LogWriter {
  let buffer = "";
  let chunk = 0;
  let over = false;
  let writing: Promise<void> = Promise.resolve();
  let cancel = () => {};
  const flush = () => {
    cancel();
    cancel = () => {};
    while (buffer !== "") {
      const text = takeBytes(buffer, CHUNK_BYTES);
      buffer = buffer.slice(text.length);
      const item = {
        ...Keys.logChunk(ref.taskId, ref.n, ref.turn, chunk++),
        ent: "log",
        text,
        ...(expiresAt === undefined ? {} : { exp: Math.floor(expiresAt / 1000) }),
      };
      writing = writing
        .then(() => Store.write(store, { kind: "put", item, if: Store.isNew }))
        .then(
          () => {},
          () => {},
        );
    }
  };
  const line = (text: string) => {
    if (over) return;
    if (buffer === "") cancel = clock.after(FLUSH_MS, flush);
    // Half a character (an output cut by bytes) would make the table refuse the whole chunk.
    buffer += `${text.toWellFormed()}\n`;
    if (buffer.length >= CHUNK_BYTES) flush();
  };
  for (const text of header) line(text);
  line("---");
  return {
    line,
    async end({ seconds, exit, status }) {
      line(`# duration_seconds=${seconds.toFixed(1)} exit=${exit ?? "-"} status=${status}`);
      over = true;
      flush();
      await writing;
    },
  };
}

export type LogPage = {
  text: string;
  /** Where the next read goes on, in bytes of the whole log. */
  next: number;
  /** Something before this page (without an offset) or behind it (with one) is left out. */
  truncated: boolean;
};

/** The end of a task's log, or what follows `offset` bytes, at most MAX_LOG_BYTES; undefined when it has none. */
export async function readLog(store: Store.Store, taskId: string, offset?: number): Promise<LogPage | undefined> {
  const texts: Buffer[] = [];
  let seen = 0;
  let kept = 0;
  let cursor: string | undefined;
  let more = false;
  do {
    const page = await Store.query(store, {
      pk: Keys.taskPartition(taskId),
      sk: { begins: Keys.logPrefix() },
      limit: 50,
      ...(cursor === undefined ? {} : { cursor }),
    });
    for (const item of page.items) {
      let bytes = Buffer.from(typeof item.text === "string" ? item.text : "");
      const start = seen;
      seen += bytes.length;
      if (offset !== undefined) {
        if (more || seen <= offset) continue;
        if (start < offset) bytes = bytes.subarray(offset - start);
        const room = MAX_LOG_BYTES - kept;
        if (bytes.length > room) more = true;
        bytes = bytes.subarray(0, characterAt(bytes, Math.max(0, room), -1));
      }
      texts.push(bytes);
      kept += bytes.length;
      // Without an offset only the end is wanted: let go of what is too far back.
      while (offset === undefined && texts[0] && kept - texts[0].length >= MAX_LOG_BYTES)
        kept -= texts.shift()?.length ?? 0;
    }
    cursor = page.cursor;
  } while (cursor !== undefined && !(offset !== undefined && more));
  if (seen === 0) return undefined;
  const all = Buffer.concat(texts);
  if (offset !== undefined) return { text: all.toString("utf8"), next: offset + all.length, truncated: more };
  const tail = all.subarray(characterAt(all, Math.max(0, all.length - MAX_LOG_BYTES), 1));
  return { text: tail.toString("utf8"), next: seen, truncated: tail.length < seen };
}

/** The place nearest to `at`, in the direction of `step`, where a character of UTF-8 begins. */
function characterAt(bytes: Buffer, at: number, step: 1 | -1): number {
  while (at > 0 && at < bytes.length && ((bytes[at] ?? 0) & 0xc0) === 0x80) at += step;
  return at;
}

/** The longest beginning of a text that has at most `max` bytes, never half a character. */
function takeBytes(text: string, max: number): string {
  if (Buffer.byteLength(text) <= max) return text;
  let end = Math.min(text.length, max);
  while (Buffer.byteLength(text.slice(0, end)) > max) end = Math.floor(end * 0.9);
  const last = text.charCodeAt(end - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? end - 1 : end);
}

/** Removes a task's log; true when there was one. `dryRun`: only looks. */
export async function removeLog(store: Store.Store, taskId: string, dryRun: boolean): Promise<boolean> {
  const chunks = await Store.queryAll(store, { pk: Keys.taskPartition(taskId), sk: { begins: Keys.logPrefix() } });
  if (!dryRun) for (const { pk, sk } of chunks) await Store.write(store, { kind: "delete", key: { pk, sk } });
  return chunks.length > 0;
}
