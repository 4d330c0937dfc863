import { describe, expect, it } from "vitest";
import * as Clock from "../../core/ground/clock.ts";

const MINUTE = 60_000;

describe("the virtual clock", () => {
  it("runs what falls due in the order of time, then of planning, each at its own time", async () => {
    const clock = Clock.virtual(1000);
    const seen: string[] = [];
    const note = (name: string) => () => void seen.push(`${name}@${clock.now()}`);
    clock.after(30, note("c"));
    clock.after(10, note("a"));
    clock.after(30, note("d"));
    clock.after(20, note("b"));
    clock.after(31, note("too late"));
    await clock.advance(30);
    expect(seen).toEqual(["a@1010", "b@1020", "c@1030", "d@1030"]);
    expect(clock.now()).toBe(1030);
  });

  it("runs within one advance what was planned on the way", async () => {
    const clock = Clock.virtual(0);
    const seen: number[] = [];
    const again = () => {
      seen.push(clock.now());
      if (seen.length < 3) clock.after(10, again);
    };
    clock.after(10, again);
    await clock.advance(25);
    expect(seen).toEqual([10, 20]);
    await clock.advance(5);
    expect(seen).toEqual([10, 20, 30]);
  });

  it("lets what waits go on before time moves further", async () => {
    const clock = Clock.virtual(0);
    const seen: number[] = [];
    const walk = async () => {
      for (let i = 0; i < 3; i++) {
        await clock.sleep(MINUTE);
        seen.push(clock.now());
      }
    };
    const walked = walk();
    await clock.advance(10 * MINUTE);
    await walked;
    expect(seen).toEqual([MINUTE, 2 * MINUTE, 3 * MINUTE]);
  });

  it("repeats until stopped, and forgets what is cancelled", async () => {
    const clock = Clock.virtual(0);
    let ticks = 0;
    let never = 0;
    const stop = clock.every(MINUTE, () => void ticks++);
    clock.after(MINUTE, () => void never++)();
    await clock.advance(3 * MINUTE);
    stop();
    await clock.advance(3 * MINUTE);
    expect([ticks, never]).toEqual([3, 0]);
  });

  it("may be stopped from within its own run", async () => {
    const clock = Clock.virtual(0);
    let ticks = 0;
    const stop = clock.every(MINUTE, () => {
      if (++ticks === 2) stop();
    });
    await clock.advance(10 * MINUTE);
    expect(ticks).toBe(2);
  });
});

describe.each([
  ["virtual", () => Clock.virtual(0)],
  ["system", () => Clock.system()],
])("a sleep on the %s clock", (_, make) => {
  it("ends with the reason of an abort", async () => {
    const controller = new AbortController();
    const sleeping = make().sleep(60 * MINUTE, controller.signal);
    controller.abort(new Error("enough"));
    await expect(sleeping).rejects.toThrow("enough");
  });

  it("does not begin when it was aborted before", async () => {
    await expect(make().sleep(60 * MINUTE, AbortSignal.abort(new Error("before")))).rejects.toThrow("before");
    await expect(make().sleep(60 * MINUTE, AbortSignal.abort("a word"))).rejects.toThrow("a word");
  });
});

describe("the system clock", () => {
  it("takes a delay that is longer than a timer can be as the longest, not as none", async () => {
    const clock = Clock.system();
    let fired = false;
    const cancel = clock.after(365 * 24 * 60 * MINUTE, () => (fired = true));
    await clock.sleep(5);
    cancel();
    expect(fired).toBe(false);
  });

  it("sleeps and goes on", async () => {
    const clock = Clock.system();
    const before = clock.now();
    await clock.sleep(5);
    await clock.sleep(-1);
    expect(clock.now()).toBeGreaterThanOrEqual(before + 4);
  });

  it("runs after and every until cancelled", async () => {
    const clock = Clock.system();
    await new Promise<void>((resolve) => clock.after(1, resolve));
    let ticks = 0;
    await new Promise<void>((resolve) => {
      const stop = clock.every(1, () => {
        if (++ticks === 2) resolve(stop());
      });
    });
    expect(ticks).toBe(2);
  });
});

describe("a deadline", () => {
  it("aborts with a TimeoutError that says after how long", async () => {
    const clock = Clock.virtual(0);
    const { signal } = Clock.deadline(clock, 500);
    await clock.advance(499);
    expect(signal.aborted).toBe(false);
    await clock.advance(1);
    expect(signal.reason).toMatchObject({ name: "TimeoutError", message: "timed out after 500 ms" });
  });

  it("follows its parent, with the parent's reason, also one that was aborted before", () => {
    const clock = Clock.virtual(0);
    const parent = new AbortController();
    const { signal } = Clock.deadline(clock, 500, parent.signal);
    const reason = new Error("lease lost");
    parent.abort(reason);
    expect(signal.reason).toBe(reason);
    expect(Clock.deadline(clock, 500, parent.signal).signal.reason).toBe(reason);
  });

  it("that was cleared follows nobody", async () => {
    const clock = Clock.virtual(0);
    const parent = new AbortController();
    const { signal, clear } = Clock.deadline(clock, 500, parent.signal);
    clear();
    parent.abort();
    await clock.advance(1000);
    expect(signal.aborted).toBe(false);
  });
});

describe("times as text", () => {
  it("are UTC", () => {
    const ms = Date.UTC(2026, 0, 31, 23, 59, 59, 7);
    expect(Clock.iso(ms)).toBe("2026-01-31T23:59:59.007Z");
    expect(Clock.day(ms)).toBe("20260131");
    expect(Clock.month(ms)).toBe("202601");
  });

  it("months before are those of the calendar, the shortest too", () => {
    const from = Date.UTC(2026, 2, 1, 12);
    expect([0, 1, 2, 3].map((n) => Clock.month(Clock.monthsBefore(from, n)))).toEqual([
      "202603",
      "202602",
      "202601",
      "202512",
    ]);
  });

  it("sort as they follow each other", () => {
    expect([Clock.ts(1_700_000_000_000), Clock.ts(7), Clock.ts(0)].sort()).toEqual([
      "0000000000000",
      "0000000000007",
      "1700000000000",
    ]);
  });
});
