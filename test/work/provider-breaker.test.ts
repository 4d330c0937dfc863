import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { afterFailure, afterSuccess, standing, type CooldownRow } from "../../core/work/provider/breaker.ts";
import { CLASS_RULES } from "../../core/work/provider/index.ts";
import { FailureClass, type Failure } from "../../core/work/task/index.ts";

const NOW = 1_000_000_000;
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const TARGET = { provider: "a", account: "key", model: "m" };

const fail = (failure: FailureClass | Failure, before?: CooldownRow, now = NOW) =>
  afterFailure(before, TARGET, typeof failure === "string" ? { class: failure, message: "" } : failure, now);
const limited = (retry_after_ms?: number): Failure => ({
  class: "rate_limit",
  message: "429",
  ...(retry_after_ms === undefined ? {} : { retry_after_ms }),
});

/** Fails each time as soon as the cooldown before is over; the lengths in ms. */
function lengths(failure: FailureClass | Failure, times: number): (number | null)[] {
  const all: (number | null)[] = [];
  let row: CooldownRow | undefined;
  let now = NOW;
  for (let i = 0; i < times; i++) {
    row = fail(failure, row, now);
    const until = row?.until ?? null;
    all.push(until === null ? null : Math.max(0, until - now));
    now = Math.max(now, until ?? now);
  }
  return all;
}

describe("how long a target cools down", () => {
  it.each<[string, FailureClass | Failure, (number | null)[]]>([
    ["429: 30 s doubling to 15 min", "rate_limit", [30, 60, 120, 240, 480, 900, 900].map((s) => s * SECOND)],
    ["429 with a longer Retry-After: that", limited(200 * SECOND), [200 * SECOND, 400 * SECOND]],
    ["a short Retry-After is waited out once, then punished", limited(2 * SECOND), [2 * SECOND, 30 * SECOND, MINUTE]],
    ["quota: 30 min", "quota", [30 * MINUTE, 30 * MINUTE]],
    [
      "quota with a reset: until then and a minute",
      { class: "quota", message: "", resets_at: NOW + 5 * MINUTE },
      [6 * MINUTE, SECOND],
    ],
    ["payment: 10 min doubling", "payment", [10 * MINUTE, 20 * MINUTE, 40 * MINUTE]],
    ["auth: no time ends it", "auth", [null, null]],
    ["model_not_found: no time ends it", "model_not_found", [null, null]],
    [
      "5xx: the third in a row, 15 s doubling",
      "overloaded",
      [0, 0, 15, 30, 60, 120, 240, 300, 300].map((s) => s * SECOND),
    ],
    ["a silent stream: as 5xx", "stalled", [0, 0, 15 * SECOND]],
  ])("%s", (_name, failure, expected) => {
    expect(lengths(failure, expected.length)).toEqual(expected);
  });

  it.each(FailureClass.options.filter((one) => CLASS_RULES[one].scope === "none"))("%s cools nothing down", (one) => {
    expect(fail(one)).toBeUndefined();
  });

  it("a key's failures count for the key, a model's for the model", () => {
    expect(fail("quota")).not.toHaveProperty("model");
    expect(fail("overloaded")).toMatchObject({ model: "m" });
  });

  it("runs that had begun before do not double it when they fail too", () => {
    const first = fail("rate_limit");
    const fifth = [1, 2, 3, 4].reduce((row) => fail("rate_limit", row, NOW + SECOND), first);
    expect(fifth).toMatchObject({ until: NOW + 30 * SECOND, length: 30 * SECOND, streak: 5 });
    expect(fail(limited(10 * MINUTE), fifth, NOW + SECOND)).toMatchObject({ until: NOW + SECOND + 10 * MINUTE });
  });

  it("an end that no time brings is not shortened by a later failure of another class", () => {
    expect(fail("quota", fail("auth"), NOW + SECOND)?.until).toBeNull();
  });

  it("a refused key is a refused key, whatever the runs that had begun before come to: only its readiness ends that", () => {
    const refused = fail({ class: "auth", message: "401" });
    expect(fail({ class: "payment", message: "403" }, refused, NOW + SECOND)).toMatchObject({
      class: "auth",
      message: "401",
      until: null,
    });
  });

  it("a Retry-After of years is a day", () => {
    expect(fail(limited(1e12))?.until).toBe(NOW + 24 * 60 * MINUTE);
    expect(fail(limited(1e12), fail("rate_limit"), NOW + SECOND)?.until).toBe(NOW + SECOND + 24 * 60 * MINUTE);
  });
});

describe("more than half of at least five within a minute", () => {
  /** Plays a word of o (served) and x (503), a second apart. */
  const play = (word: string, apart = SECOND) =>
    [...word].reduce<CooldownRow | undefined>((row, letter, i) => {
      const now = NOW + i * apart;
      if (letter === "x") return fail("overloaded", row, now);
      return row && afterSuccess(row, now);
    }, undefined);

  it.each([
    ["xoxox", true],
    ["xxoxx", true],
    ["xoxo", false],
    ["xooxox", false],
    // It cooled down at the fifth; whoever was served after that had begun before.
    ["xoxoxo", true],
    ["xxx", true],
    ["xxoxoo", false],
  ])("%s: cools down: %s", (word, cools) => {
    expect((play(word)?.until ?? 0) > 0).toBe(cools);
  });

  it("what lies further back than a minute does not count", () => {
    expect(play("xoxox", 20 * SECOND)?.until).toBe(0);
  });
});

describe("one success", () => {
  it("closes it, and the next cooldown begins small again", () => {
    const doubled = fail("rate_limit", fail("rate_limit"), NOW + 31 * SECOND);
    const after = NOW + 31 * SECOND + MINUTE;
    const served = afterSuccess({ ...doubled, window: { since: after, ok: 0, bad: 1 } } as CooldownRow, after);
    expect(served).toMatchObject({ until: 0, length: 0, streak: 0 });
    expect(fail("rate_limit", served, after + SECOND)).toMatchObject({ length: 30 * SECOND });
  });

  it("of a run that had begun before it cooled down says nothing: it goes on cooling", () => {
    const cooled = fail(limited(10 * MINUTE)) as CooldownRow;
    expect(afterSuccess(cooled, NOW + SECOND)).toMatchObject({
      until: NOW + 10 * MINUTE,
      streak: 1,
      window: { ok: 1 },
    });
    expect(afterSuccess(fail("auth") as CooldownRow, NOW + SECOND)?.until).toBeNull();
  });

  it("is forgotten with all else once the minute is over", () => {
    expect(afterSuccess(fail("overloaded") as CooldownRow, NOW + MINUTE)).toBeUndefined();
  });
});

it("any sequence: only a success closes what was open, none while it is on, and an end never moves nearer", () => {
  const step = fc.record({
    class: fc.constantFrom<FailureClass | "served">("rate_limit", "overloaded", "network", "stalled", "served"),
    wait: fc.integer({ min: 0, max: 2 * MINUTE }),
    after: fc.option(fc.integer({ min: 0, max: 10 * MINUTE }), { nil: undefined }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      let row: CooldownRow | undefined;
      let now = NOW;
      for (const one of steps) {
        now += one.wait;
        const before = row;
        const was = before ? standing(before, now).kind : "closed";
        if (one.class === "served") {
          row = before && afterSuccess(before, now);
          expect(row ? standing(row, now).kind : "closed").toBe(was === "open" ? "open" : "closed");
          continue;
        }
        row = fail(
          { class: one.class, message: "", ...(one.after === undefined ? {} : { retry_after_ms: one.after }) },
          before,
          now,
        );
        if (was === "open") expect(row?.until ?? 0).toBeGreaterThanOrEqual(before?.until ?? 0);
        if (was !== "closed") expect(row && standing(row, now).kind).toBe("open");
      }
    }),
  );
});
