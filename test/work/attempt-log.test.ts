import { beforeAll, describe, expect, it } from "vitest";
import * as Clock from "../../core/ground/clock.ts";
import * as Store from "../../core/ground/store/index.ts";
import { Keys } from "../../core/ground/store/index.ts";
import * as Attempt from "../../core/work/attempt/index.ts";
import { testStore } from "../support/deps.ts";

const NOON = Date.UTC(2026, 0, 1, 12);
const clock = Clock.virtual(NOON);
let store: Store.Store;
beforeAll(async () => {
  store = await testStore(clock);
});

async function turn(taskId: string, n: number, turn: number, lines: string[], limits?: { maxBytes: number }) {
  const log = Attempt.logWriter(store, clock, { taskId, n, turn }, [`# turn ${n}.${turn}`], limits);
  lines.forEach((text) => log.line(text));
  await log.end({ seconds: 1, exit: 0, status: "ended" });
}

/** Capacity units that a read costs. */
async function unitsOf(read: (counted: Store.Store) => Promise<unknown>): Promise<number> {
  let units = 0;
  await read({ ...store, onCapacity: (one) => (units += one) });
  return units;
}

const megabytes = (n: number) => Array.from({ length: n * 16 }, (_, i) => String(i).padEnd(32_000, "é"));

describe("a long log", () => {
  beforeAll(async () => {
    await turn("long", 1, 1, megabytes(2));
    await turn("long", 1, 2, ["a fallback"]);
    await turn("long", 2, 1, megabytes(4));
  });

  it("by offset, by cursor and by both in turns is the same text, and its end is where all of them end", async () => {
    const read = async (more: (page: Attempt.LogPage, i: number) => Promise<Attempt.LogPage | undefined>) => {
      let page = await Attempt.readLog(store, "long", 0);
      let whole = page?.text ?? "";
      for (let i = 0; page?.truncated; i++) {
        page = await more(page, i);
        whole += page?.text ?? "";
      }
      return { whole, next: page?.next };
    };
    const byOffset = (page: Attempt.LogPage) => Attempt.readLog(store, "long", page.next);
    const byCursor = (page: Attempt.LogPage) => Attempt.readLogAfter(store, "long", page.cursor ?? "");
    const one = await read(byOffset);
    expect(one.whole.split("\n").filter((line) => line.startsWith("# turn"))).toHaveLength(3);
    expect(Buffer.byteLength(one.whole)).toBe(one.next);
    expect(await read(byCursor)).toEqual(one);
    expect(await read((page, i) => (i % 2 ? byOffset(page) : byCursor(page)))).toEqual(one);
    const end = await Attempt.readLog(store, "long");
    expect(end).toMatchObject({ next: one.next, truncated: true });
    expect(one.whole.endsWith(end?.text ?? "?")).toBe(true);
    expect(Buffer.byteLength(end?.text ?? "")).toBeGreaterThan(Attempt.MAX_LOG_BYTES - 4);
  });

  it("a follower's look at its end costs a unit or two, not the whole log's", async () => {
    const end = await Attempt.readLog(store, "long");
    expect(await unitsOf((counted) => Attempt.readLog(counted, "long", 0))).toBeGreaterThan(100);
    expect(await unitsOf((counted) => Attempt.readLogAfter(counted, "long", end?.cursor ?? ""))).toBeLessThan(3);
  });

  it("its last lines cost a few chunks at most, and begin with a whole character", async () => {
    const units = await unitsOf((counted) => Attempt.readLogTail(counted, "long", 64 * 1024));
    expect(units).toBeLessThan(4 * 65);
    const text = await Attempt.readLogTail(store, "long", 64 * 1024);
    expect(text).toMatch(/status=ended\n$/);
    expect(text).not.toContain("\ufffd");
  });

  it.each(["", "x", "001#001#0000", "001#001#0000:-1", "M:0", "001#001#0000:1 "])(
    "%j is no cursor of a log",
    async (cursor) => {
      await expect(Attempt.readLogAfter(store, "long", cursor)).rejects.toMatchObject({ code: "input.cursor" });
    },
  );
});

describe("what a log keeps", () => {
  it("TABLE 12: it expires, all chunks of a turn at once", async () => {
    await turn("old", 1, 1, ["x".repeat(300_000)]);
    const chunks = await Store.queryAll(store, { pk: Keys.taskPartition("old") });
    expect(new Set(chunks.map((chunk) => chunk.exp))).toEqual(new Set([(NOON + Attempt.LOG_KEPT_MS) / 1000]));
    expect(chunks.length).toBeGreaterThan(1);
    expect(
      await Attempt.readLog({ ...store, clock: Clock.virtual(NOON + Attempt.LOG_KEPT_MS) }, "old"),
    ).toBeUndefined();
  });

  it("a turn that prints without end is cut at its limit, says so once, and has its footer", async () => {
    const maxBytes = 1024 * 1024;
    await turn("endless", 1, 1, Array<string>(66).fill("x".repeat(maxBytes / 32)), { maxBytes });
    const end = await Attempt.readLog(store, "endless");
    expect(end?.next).toBeLessThan(maxBytes + 1000);
    expect(end?.text).toMatch(/x\n\[pipeline\] [^\n]* over 1 MB: the rest is left out\n# duration_seconds=[^\n]*\n$/);
  });
});
