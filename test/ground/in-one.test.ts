import { describe, expect, it } from "vitest";
import * as Store from "../../core/ground/store/index.ts";
import { testStore } from "../support/deps.ts";

const KEY = { pk: "a", sk: "M" };
const update = (more: object): Store.Write => ({ kind: "update", key: KEY, ...more });

describe("several writes on one key in a transaction", () => {
  const cases: [string, Store.Write[]][] = [
    ["set, then set", [update({ set: { x: 1, y: 1 } }), update({ set: { y: 2, z: undefined } })]],
    ["remove, then set", [update({ set: { w: 1 }, remove: ["old"] }), update({ set: { old: "new" } })]],
    ["set, then remove", [update({ set: { x: 1, y: 1 } }), update({ remove: ["x", "old"] })]],
    [
      "added twice",
      [
        update({ add: { n: 1 }, set: { x: 1 } }),
        update({ add: { n: 2, m: 5 }, set: { y: 2 } }),
        update({ add: { m: 1 } }),
      ],
    ],
    [
      "put, then update",
      [{ kind: "put", item: { ...KEY, x: 1, n: 1 } }, update({ set: { y: 1 }, add: { n: 2 }, remove: ["x"] })],
    ],
    [
      "put, then put",
      [
        { kind: "put", item: { ...KEY, x: 1 } },
        { kind: "put", item: { ...KEY, y: 1 } },
      ],
    ],
  ];
  it.each(cases)("%s: as if done one after the other", async (_what, writes) => {
    const results = [];
    for (const atOnce of [false, true]) {
      const store = await testStore();
      await Store.write(store, { kind: "put", item: { ...KEY, old: "o", n: 10 } });
      if (atOnce) expect(await Store.tx(store, writes)).toEqual({ ok: true });
      else for (const one of writes) expect(await Store.write(store, one)).toEqual({ ok: true });
      results.push(await Store.get(store, KEY));
    }
    expect(results[1]).toEqual(results[0]);
  });

  it("ask the table for what the first asks, and for what it leaves alone", async () => {
    const store = await testStore();
    const begin = { kind: "put", item: { ...KEY, status: "a", other: 1 } } as const;
    const writes = (other: number, status: string) => [
      update({ set: { status: "b", x: 1 }, if: { status: Store.eq("status", status) } }),
      update({ set: { y: 1 }, if: { status: Store.eq("status", "b"), other: Store.eq("other", other) } }),
    ];
    for (const [other, status, failed] of [
      [2, "a", "other"],
      [1, "z", "status"],
    ] as const) {
      await Store.write(store, begin);
      expect(await Store.tx(store, writes(other, status))).toMatchObject({ refused: [{ conditions: [failed] }] });
      expect(await Store.get(store, KEY)).toEqual(begin.item);
    }
    expect(await Store.tx(store, writes(1, "a"))).toEqual({ ok: true });
    expect(await Store.get(store, KEY)).toEqual({ ...KEY, status: "b", other: 1, x: 1, y: 1 });
  });

  it.each<[string, Store.Write[]]>([
    [
      "asks for what the first undoes",
      [update({ set: { s: 1 } }), update({ set: { y: 1 }, if: { s: Store.eq("s", 2) } })],
    ],
    ["deletes what the first writes", [update({ set: { s: 1 } }), { kind: "delete", key: KEY }]],
  ])("one that %s is a fault of ours, and nothing is written", async (_what, writes) => {
    const store = await testStore();
    await expect(Store.tx(store, writes)).rejects.toThrow("in one write");
    expect(await Store.get(store, KEY)).toBeUndefined();
  });
});
