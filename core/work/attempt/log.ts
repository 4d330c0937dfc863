import type { Clock } from "../../ground/clock.ts";
import * as Store from "../../ground/store/index.ts";
import { fail } from "../../ground/errors.ts";
import { Keys } from "../../ground/store/index.ts";
import type { TurnRef } from "./row.ts";

/** Bytes of one chunk; an item of the table may have 400 KB. */
const CHUNK_BYTES = 256 * 1024;
/** Lines are written after at most this long, so that a follower sees them. */
const FLUSH_MS = 1000;
/** The most that one read answers with. */
export const MAX_LOG_BYTES = 1024 * 1024;
/** The most that one turn's log keeps. */
export const MAX_TURN_BYTES = 64 * 1024 * 1024;
/** Ms that a log is kept, from the beginning of its turn: all its chunks go at once. */
export const LOG_KEPT_MS = 30 * 24 * 3_600_000;

export type LogWriter = {
  line(text: string): void;
  /** Writes what is buffered and the footer; further lines are dropped. */
  end(footer: { seconds: number; exit: number | null; status: string }): Promise<void>;
};

/**
 * Writes the log of one turn in chunks, put if absent, the turn in their keys; each says where it begins (`from`, in bytes of the
 * turn's log). A chunk that cannot be written is lost, never the run. What is over `maxBytes` is dropped, and a line says so.
 */
export function logWriter(
  store: Store.Store,
  clock: Clock,
  ref: TurnRef,
  header: string[],
  { maxBytes = MAX_TURN_BYTES }: { maxBytes?: number } = {},
): LogWriter {
  const exp = Math.floor((clock.now() + LOG_KEPT_MS) / 1000);
  let buffer = "";
  let chunk = 0;
  let taken = 0;
  let written = 0;
  let full = false;
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
        exp,
      };
      writing = writing
        .then(() => Store.write(store, { kind: "put", item: { ...item, from: written }, if: Store.isNew }))
        .then(
          () => void (written += Buffer.byteLength(text)),
          () => {},
        );
    }
  };
  const add = (text: string) => {
    if (buffer === "") cancel = clock.after(FLUSH_MS, flush);
    // Half a character (an output cut by bytes) would make the table refuse the whole chunk.
    buffer += `${text.toWellFormed()}\n`;
    if (buffer.length >= CHUNK_BYTES) flush();
  };
  const line = (text: string) => {
    if (over || full) return;
    taken += Buffer.byteLength(text) + 1;
    full = taken > maxBytes;
    add(full ? `[pipeline] the log of this turn is over ${maxBytes / 1024 / 1024} MB: the rest is left out` : text);
  };
  for (const text of header) line(text);
  line("---");
  return {
    line,
    async end({ seconds, exit, status }) {
      if (!over) add(`# duration_seconds=${seconds.toFixed(1)} exit=${exit ?? "-"} status=${status}`);
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
  /** The same for `readLogAfter`, which then reads only what is new; null when this page ends before the log's first chunk. */
  cursor: string | null;
  /** Something before this page (without an offset) or behind it (with one) is left out. */
  truncated: boolean;
};

/** The end of a task's log, or what follows `offset` bytes, at most MAX_LOG_BYTES; undefined when it has none. */
export async function readLog(store: Store.Store, taskId: string, offset?: number): Promise<LogPage | undefined> {
  if (offset !== undefined) return readOn(store, taskId, { sk: Keys.logPrefix(), at: 0 }, offset);
  const end = await tail(store, taskId, MAX_LOG_BYTES);
  if (!end) return undefined;
  const next = end.inTurn + (await sizeBefore(store, taskId, end.last));
  const { text } = end;
  return { text, next, cursor: cursorOf({ sk: end.last, at: next }), truncated: Buffer.byteLength(text) < next };
}

/** What was added behind the page that answered `cursor`, at most MAX_LOG_BYTES; throws `input.cursor` for one of no page. */
export async function readLogAfter(store: Store.Store, taskId: string, cursor: string): Promise<LogPage | undefined> {
  const [, key, at] = /^(\d{3,}#\d{3,}#\d{4,}):(\d{1,15})$/.exec(cursor) ?? [];
  if (key === undefined)
    throw fail("input.cursor", "The cursor is not one of a log", { remedy: "Read it from offset 0." });
  return readOn(store, taskId, { sk: Keys.logPrefix() + key, at: Number(at) }, Number(at));
}

/** The last bytes of a task's log, at most `maxBytes`, reading hardly more than these; undefined when it has none. */
export async function readLogTail(store: Store.Store, taskId: string, maxBytes: number): Promise<string | undefined> {
  return (await tail(store, taskId, maxBytes))?.text;
}

/** A place behind a chunk: its key, and the bytes of the whole log up to its end. */
type Place = { sk: string; at: number };

const cursorOf = ({ sk, at }: Place) => (sk === Keys.logPrefix() ? null : `${sk.slice(Keys.logPrefix().length)}:${at}`);
const bytesOf = (chunk: Store.Item | undefined) => Buffer.from(typeof chunk?.text === "string" ? chunk.text : "");

/** Whole chunks behind a place, without what lies before `offset`: a chunk never changes, so the next read begins behind it. */
async function readOn(store: Store.Store, taskId: string, begin: Place, offset: number): Promise<LogPage | undefined> {
  const texts: Buffer[] = [];
  let [place, kept, more] = [begin, 0, false];
  let cursor: string | undefined;
  do {
    const page = await Store.query(store, {
      pk: Keys.taskPartition(taskId),
      // Behind that key and before the next: `!` sorts before `#` and digits.
      sk: { from: `${begin.sk}!`, to: `${Keys.logPrefix()}~` },
      limit: 50,
      ...(cursor === undefined ? {} : { cursor }),
    });
    for (const chunk of page.items) {
      const bytes = bytesOf(chunk);
      const fresh = bytes.subarray(Math.max(0, offset - place.at));
      more = kept + fresh.length > MAX_LOG_BYTES;
      if (more) break;
      place = { sk: chunk.sk, at: place.at + bytes.length };
      texts.push(fresh);
      kept += fresh.length;
    }
    // What would not fit is not read either: a page of the table may hold as much as a page of ours.
    more ||= page.cursor !== undefined && kept > MAX_LOG_BYTES / 2;
    cursor = more ? undefined : page.cursor;
  } while (cursor !== undefined);
  if (place.sk === Keys.logPrefix()) return undefined;
  // An offset behind the end stays where it is, and so has no cursor: it counts bytes that are yet to come.
  const behind = offset > place.at;
  return {
    text: Buffer.concat(texts).toString("utf8"),
    next: behind ? offset : place.at,
    cursor: behind ? null : cursorOf(place),
    truncated: more,
  };
}

/** The last bytes, with the key of the last chunk and where it ends in its turn. */
async function tail(
  store: Store.Store,
  taskId: string,
  maxBytes: number,
): Promise<{ text: string; last: string; inTurn: number } | undefined> {
  const texts: Buffer[] = [];
  let last: Store.Item | undefined;
  let kept = 0;
  let cursor: string | undefined;
  // Few at first: one chunk may be all that is wanted, and each is paid for by its size.
  for (let limit = 2; ; limit = Math.min(limit * 2, 64)) {
    const page = await Store.query(store, {
      pk: Keys.taskPartition(taskId),
      sk: { begins: Keys.logPrefix() },
      descending: true,
      limit,
      ...(cursor === undefined ? {} : { cursor }),
    });
    for (const chunk of page.items) {
      last ??= chunk;
      const bytes = bytesOf(chunk);
      if (kept < maxBytes) texts.unshift(bytes);
      kept += bytes.length;
    }
    cursor = page.cursor;
    if (cursor === undefined || kept >= maxBytes) break;
  }
  if (!last) return undefined;
  const all = Buffer.concat(texts);
  const text = all.subarray(characterAt(all, Math.max(0, all.length - maxBytes))).toString("utf8");
  return { text, last: last.sk, inTurn: endInTurn(last) };
}

/** Bytes of all turns before that of a chunk: each turn's last chunk knows where it ends. */
async function sizeBefore(store: Store.Store, taskId: string, sk: string): Promise<number> {
  let size = 0;
  for (let before = turnOf(sk); ;) {
    const { items } = await Store.query(store, {
      pk: Keys.taskPartition(taskId),
      sk: { from: Keys.logPrefix(), to: before },
      descending: true,
      limit: 1,
    });
    if (!items[0]) return size;
    size += endInTurn(items[0]);
    before = turnOf(items[0].sk);
  }
}

/** What the keys of a turn's chunks begin with; itself the key of none. */
const turnOf = (sk: string) => sk.slice(0, sk.lastIndexOf("#") + 1);
const endInTurn = (chunk: Store.Item) => (typeof chunk.from === "number" ? chunk.from : 0) + bytesOf(chunk).length;

/** The first place from `at` on where a character of UTF-8 begins. */
function characterAt(bytes: Buffer, at: number): number {
  while (at > 0 && at < bytes.length && ((bytes[at] ?? 0) & 0xc0) === 0x80) at++;
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
