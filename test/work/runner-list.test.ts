import { beforeAll, describe, expect, it } from "vitest";
import * as Store from "../../core/ground/store/index.ts";
import { Keys } from "../../core/ground/store/index.ts";
import * as Runner from "../../core/work/runner/index.ts";
import { stepping } from "../support/pipeline.ts";
import { testDeps, type TestDeps } from "../support/deps.ts";
import { between } from "../support/wire.ts";

/** More than any page of the table, or any list, holds. */
const MANY = 1030;

type Bench = TestDeps & { clock: ReturnType<typeof stepping> };
const at = async (): Promise<Bench> => {
  const clock = stepping();
  return { ...(await testDeps({ clock })), clock };
};
const beat = (deps: Bench, runner_id: string, lease_seconds = 90) =>
  Runner.heartbeat(deps, Runner.Heartbeat.parse({ runner_id, lease_seconds }));
const ids = async (deps: Bench, how: Partial<Parameters<typeof Runner.list>[1]> = {}) =>
  (await Runner.list(deps, { includeStale: false, limit: 100, ...how })).map((row) => row.runner_id);

describe("of more runners than a page holds", () => {
  let deps: Bench;
  const name = (i: number) => `runner-${String(i).padStart(4, "0")}`;
  beforeAll(async () => {
    deps = await at();
    // Seen in the order of their ids, so that the last ids are the latest.
    for (let i = 0; i < MANY; i += 10) {
      await Promise.all(Array.from({ length: 10 }, (_, j) => beat(deps, name(i + j), 3600)));
      await deps.clock.advance(1000);
    }
  });

  it("the latest seen come first, whatever their ids", async () => {
    const latest = (await ids(deps, { limit: 500 })).slice(0, 10);
    expect(latest.sort()).toEqual(Array.from({ length: 10 }, (_, i) => name(MANY - 10 + i)));
    const rows = await Runner.list(deps, { includeStale: false, limit: 500 });
    expect(rows).toHaveLength(500);
    expect(rows.map((row) => row.seen_at)).toEqual(rows.map((row) => row.seen_at).sort((a, b) => b - a));
  });

  it("one that says something again is the first", async () => {
    await deps.clock.advance(1000);
    await beat(deps, name(0), 3600);
    expect(await ids(deps, { limit: 1 })).toEqual([name(0)]);
  });

  it("no more rows are read than are shown", async () => {
    let rows = 0;
    const end = between(deps.store, (operation, input, next) => {
      if (operation === "BatchGetItem")
        rows += (input as { RequestItems: Record<string, { Keys: unknown[] }> }).RequestItems[deps.store.table]?.Keys
          .length as number;
      return next();
    });
    expect(await ids(deps, { limit: 20 })).toHaveLength(20);
    end();
    expect(rows).toBe(20);
  });

  it("those that live are found behind any number of those that do not", async () => {
    const own = await at();
    await beat(own, "old and alive", 3600);
    for (let i = 0; i < 230; i += 10)
      await Promise.all(Array.from({ length: 10 }, (_, j) => beat(own, name(i + j), 10)));
    await own.clock.advance(11_000);
    expect(await ids(own)).toEqual(["old and alive"]);
    expect(await ids(own, { includeStale: true, limit: 500 })).toHaveLength(231);
  });
});

describe("what is remembered", () => {
  it("leaves no gap where a row of the index is gone", async () => {
    const deps = await at();
    for (const id of ["a", "b", "c", "d"]) {
      await beat(deps, id, 10);
      await deps.clock.advance(1000);
    }
    // It expired, and the index shows it still.
    await Store.write(deps.store, { kind: "update", key: Keys.runner("d"), set: { exp: 1 } });
    expect(await ids(deps, { limit: 2 })).toEqual(["c", "b"]);
  });

  it("is shown until a week after the lease, then no more, swept or not", async () => {
    const deps = await at();
    await beat(deps, "a", 3600);
    await deps.clock.advance(3_600_000 + 7 * 86_400_000 - 1000);
    await beat(deps, "b");
    expect(await ids(deps, { includeStale: true })).toEqual(["b", "a"]);
    await deps.clock.advance(1000);
    expect(await ids(deps, { includeStale: true })).toEqual(["b"]);
  });

  it("is the last word, although the index still shows the one before", async () => {
    const deps = await at();
    await beat(deps, "a");
    await deps.clock.advance(1000);
    await beat(deps, "b");
    await deps.clock.advance(1000);
    // Between the index and the rows that it names, `a` says something again.
    let done = false;
    between(deps.store, async (operation, _input, next) => {
      if (operation === "BatchGetItem" && !done) {
        done = true;
        await beat(deps, "a");
      }
      return next();
    });
    expect(await ids(deps)).toEqual(["a", "b"]);
  });
});
