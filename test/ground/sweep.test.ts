import { expect, test } from "vitest";
import * as Clock from "../../core/ground/clock.ts";
import * as Store from "../../core/ground/store/index.ts";
import { testStore } from "../support/deps.ts";

test("TABLE 6: no TTL sweeps the embedded engine, so a page a call removes what has expired and nothing else", async () => {
  const now = Date.UTC(2026, 0, 1);
  const clock = Clock.virtual(now);
  const store = await testStore(clock);
  const seconds = now / 1000;
  for (let i = 0; i < 10; i++) {
    await Store.write(store, { kind: "put", item: { pk: `A${i}`, sk: "gone", exp: seconds + 10 } });
    await Store.write(store, { kind: "put", item: { pk: `A${i}`, sk: "kept", exp: seconds + 1000 } });
    await Store.write(store, { kind: "put", item: { pk: `A${i}`, sk: "for ever" } });
  }
  const sweep = Store.sweeper(store, 4);
  const round = async () => {
    let removed = 0;
    for (let page = 0; page < 8; page++) removed += await sweep();
    return removed;
  };
  expect(await round()).toBe(0);
  await clock.advance(11_000);
  expect(await sweep()).toBeLessThanOrEqual(4);
  await round();
  expect(await round()).toBe(0);
  // On the raw table: reads of the store pass over what has expired anyway.
  await clock.advance(-11_000);
  const left = await Promise.all(
    ["gone", "kept", "for ever"].map((sk) =>
      Store.getMany(
        store,
        Array.from({ length: 10 }, (_, i) => ({ pk: `A${i}`, sk })),
      ),
    ),
  );
  expect(left.map((items) => items.filter((item) => item !== undefined).length)).toEqual([0, 10, 10]);
});
