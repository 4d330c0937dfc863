import { describe, expect, it } from "vitest";
import * as Id from "../../core/ground/id.ts";

const take = (id: Id.Id, n: number) => Array.from({ length: n }, () => id.random());

describe("seeded chance", () => {
  it("repeats itself from the same seed, in all that it draws", () => {
    const draw = (id: Id.Id) => [...take(id, 50), id.hex(9), id.ulid(1_700_000_000_000), Id.taskId(id)];
    expect(draw(Id.seeded(7))).toEqual(draw(Id.seeded(7)));
    expect(draw(Id.seeded(7))).not.toEqual(draw(Id.seeded(8)));
  });

  it("is the same on every machine", () => {
    expect(Id.seeded(1).hex(8)).toBe("a08ff49b");
  });

  it("lies in [0, 1) and fills it evenly", () => {
    const bins = new Array<number>(10).fill(0);
    for (const x of take(Id.seeded(42), 20_000)) {
      expect(x >= 0 && x < 1).toBe(true);
      bins[Math.floor(x * 10)]! += 1;
    }
    // 2 000 each; five standard deviations are 212.
    for (const n of bins) expect(Math.abs(n - 2000)).toBeLessThan(212);
  });
});

describe.each([
  ["system", () => Id.system()],
  ["seeded", () => Id.seeded(3)],
])("%s chance", (_, make) => {
  it("gives hex of any length", () => {
    for (const n of [1, 2, 7, 12, 24]) expect(make().hex(n)).toMatch(new RegExp(`^[0-9a-f]{${n}}$`));
  });

  it("gives ulids whose order is time order", () => {
    const id = make();
    const made = [3, 1, 2].map((n) => id.ulid(1_700_000_000_000 + n));
    for (const one of made) expect(one).toMatch(/^[0-9A-HJKMNP-TV-Z]{26}$/);
    expect([...made].sort()).toEqual([made[1], made[2], made[0]]);
  });

  it("gives a new task id each time", () => {
    const id = make();
    const made = Array.from({ length: 200 }, () => Id.taskId(id));
    for (const one of made) expect(one).toMatch(/^task_[0-9a-f]{16}$/);
    expect(new Set(made).size).toBe(200);
  });
});

describe("a creation key", () => {
  it("is one task, however often it is used, and another key another", () => {
    expect(Id.taskIdOf("main#a#0")).toBe(Id.taskIdOf("main#a#0"));
    expect(Id.taskIdOf("main#a#0")).toMatch(/^task_[0-9a-f]{16}$/);
    expect(Id.taskIdOf("main#a#0")).not.toBe(Id.taskIdOf("main#a#1"));
  });

  it("is hashed by SHA-256", () => {
    expect(Id.sha256("abc")).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    expect(Id.taskIdOf("abc")).toBe("task_ba7816bf8f01cfea");
  });
});
