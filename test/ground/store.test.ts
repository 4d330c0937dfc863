import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { beforeAll, describe, expect, it } from "vitest";
import fc from "fast-check";
import * as Clock from "../../core/ground/clock.ts";
import * as Id from "../../core/ground/id.ts";
import * as Store from "../../core/ground/store/index.ts";
import { loopback } from "../../functions/local/loopback.ts";
import { testStore } from "../support/deps.ts";
import { injectConflicts } from "../support/conflicts.ts";
import { between } from "../support/wire.ts";
import { WIRES } from "../support/wires.ts";

const key = (sk: string) => ({ pk: "P", sk });

describe.each(Object.entries(WIRES))("over %s:", (_, over) => {
  let store: Store.Store;
  const newStore = (clock?: Clock.Clock) => testStore(clock, over);
  beforeAll(async () => {
    store = await newStore();
  });

  describe("conditional writes", () => {
    it("names the sub-conditions that failed and returns the item as it is", async () => {
      await Store.write(store, { kind: "put", item: { ...key("named"), status: "running", att: 3 } });
      const outcome = await Store.write(store, {
        kind: "update",
        key: key("named"),
        set: { status: "completed" },
        if: { running: Store.eq("status", "running"), fence: Store.eq("att", 2), live: Store.absent("ended_at") },
      });
      expect(outcome).toMatchObject({
        ok: false,
        refused: [{ conditions: ["fence"], item: { status: "running", att: 3 } }],
      });
    });

    it("in a transaction says which write was refused, and writes nothing", async () => {
      await Store.write(store, { kind: "put", item: { ...key("tx-a"), n: 1 } });
      const outcome = await Store.tx(store, [
        { kind: "update", key: key("tx-a"), add: { n: 1 }, if: { one: Store.eq("n", 1) } },
        { kind: "put", item: { ...key("tx-b") }, if: { new: Store.absent("pk") } },
        { kind: "check", key: key("tx-none"), if: Store.isThere },
      ]);
      expect(outcome).toMatchObject({ ok: false, refused: [{ index: 2, conditions: ["there"], item: undefined }] });
      expect(await Store.get(store, key("tx-a"))).toMatchObject({ n: 1 });
      expect(await Store.get(store, key("tx-b"))).toBeUndefined();
    });

    it("are evaluated here as DynamoDB evaluates them", async () => {
      const value = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.constantFrom("a", "b", "c"), fc.boolean());
      const test: fc.Arbitrary<Store.Test> = fc.oneof(
        fc.record({ op: fc.constantFrom("eq", "ne", "lt", "le", "gt", "ge"), attr: fc.constantFrom("x", "y"), value }),
        fc.record({ op: fc.constantFrom("exists", "absent"), attr: fc.constantFrom("x", "y") }),
        fc.record({
          op: fc.constant("in" as const),
          attr: fc.constantFrom("x", "y"),
          values: fc.array(fc.constantFrom(1, 2, "a"), { minLength: 1, maxLength: 3 }),
        }),
      );
      let n = 0;
      await fc.assert(
        fc.asyncProperty(fc.option(value, { nil: undefined }), test, async (x, one) => {
          // Ordering of booleans is an error in DynamoDB; nobody writes such a condition.
          if ("value" in one && typeof one.value === "boolean" && one.op !== "eq" && one.op !== "ne") return;
          const k = key(`prop-${n++}`);
          const item = { ...k, ...(x === undefined ? {} : { x }) };
          await Store.write(store, { kind: "put", item });
          const outcome = await Store.write(store, { kind: "update", key: k, set: { done: true }, if: { one } });
          expect(outcome.ok).toBe(Store.holds(one, item));
        }),
        { numRuns: 150 },
      );
    });
  });

  describe("reads", () => {
    it("refuse a query without a sane limit", async () => {
      await expect(Store.query(store, { pk: "P", limit: 0 })).rejects.toThrow(/limit/);
      await expect(Store.query(store, { pk: "P", limit: 1001 })).rejects.toThrow(/limit/);
    });

    it("bind a cursor to its query", async () => {
      for (let i = 0; i < 5; i++) await Store.write(store, { kind: "put", item: { pk: "CUR", sk: `s${i}` } });
      const first = await Store.query(store, { pk: "CUR", limit: 2 });
      expect(first.cursor).toBeDefined();
      const second = await Store.query(store, { pk: "CUR", limit: 2, cursor: first.cursor ?? "" });
      expect(second.items.map((i) => i.sk)).toEqual(["s2", "s3"]);
      await expect(Store.query(store, { pk: "P", limit: 2, cursor: first.cursor ?? "" })).rejects.toMatchObject({
        code: "input.cursor",
      });
      await expect(Store.query(store, { pk: "CUR", limit: 2, cursor: "rubbish" })).rejects.toMatchObject({
        code: "input.cursor",
      });
    });

    it("pass over what has expired, which no TTL sweeps locally", async () => {
      await Store.write(store, { kind: "put", item: { pk: "EXP", sk: "old", exp: 1 } });
      await Store.write(store, { kind: "put", item: { pk: "EXP", sk: "new", exp: 4_000_000_000 } });
      expect(await Store.get(store, { pk: "EXP", sk: "old" })).toBeUndefined();
      expect((await Store.query(store, { pk: "EXP", limit: 10 })).items.map((i) => i.sk)).toEqual(["new"]);
      expect(
        (
          await Store.getMany(store, [
            { pk: "EXP", sk: "old" },
            { pk: "EXP", sk: "new" },
          ])
        ).map((i) => i?.sk),
      ).toEqual([undefined, "new"]);
    });
  });

  describe("tx", () => {
    it("sums exactly although three in ten tries meet a TransactionConflict", async () => {
      const own = await newStore();
      const injected = injectConflicts(own, 0.3);
      const add = () =>
        Store.tx(own, [
          { kind: "update", key: { pk: "SUM", sk: "a" }, add: { n: 1 } },
          { kind: "update", key: { pk: "SUM", sk: "b" }, add: { n: 1 } },
        ]);
      const outcomes = await Promise.all(Array.from({ length: 200 }, add));
      expect(outcomes.every((o) => o.ok)).toBe(true);
      expect(injected.count()).toBeGreaterThan(20);
      expect(await Store.get(own, { pk: "SUM", sk: "a" })).toMatchObject({ n: 200 });
      expect(await Store.get(own, { pk: "SUM", sk: "b" })).toMatchObject({ n: 200 });
    });

    it("a single write that meets a transaction on its item is tried again too", async () => {
      const own = await newStore();
      const injected = injectConflicts(own, 0.5);
      const one = { pk: "SUM", sk: "one" };
      await Promise.all(
        Array.from({ length: 50 }, () => Store.write(own, { kind: "update", key: one, add: { n: 1 } })),
      );
      expect(injected.count()).toBeGreaterThan(10);
      expect(await Store.get(own, one)).toMatchObject({ n: 50 });
    });

    it("one that is under way is asked for as it was, and counts once", async () => {
      const own = await newStore();
      const tokens: unknown[] = [];
      const end = between(own, async (operation, input, next) => {
        tokens.push((input as { ClientRequestToken?: string }).ClientRequestToken);
        const answer = await next();
        if (operation !== "TransactWriteItems" || tokens.length > 1) return answer;
        throw Object.assign(new Error("in progress"), { name: "TransactionInProgressException" });
      });
      const sums = ["a", "b"].map((sk) => ({ kind: "update", key: { pk: "ONCE", sk }, add: { n: 1 } }) as const);
      expect(await Store.tx(own, () => sums)).toEqual({ ok: true });
      end();
      expect(tokens).toEqual([tokens[0], tokens[0]]);
      expect(await Store.get(own, { pk: "ONCE", sk: "a" })).toMatchObject({ n: 1 });
    });

    it("builds its writes anew for each try, so that a record's time is the try's own", async () => {
      const clock = Clock.system();
      const own = await newStore(clock);
      injectConflicts(own, 0.7);
      const times: number[] = [];
      await Store.tx(own, (now) => {
        times.push(now);
        return [
          { kind: "put", item: { pk: "TIME", sk: "a", now } },
          { kind: "put", item: { pk: "TIME", sk: "b", now } },
        ];
      });
      const stored = await Store.get(own, { pk: "TIME", sk: "a" });
      expect(stored?.now).toBe(times.at(-1));
    });
  });

  describe("texts", () => {
    it("that were cut in the middle of a character are stored whole", async () => {
      const half = "😀".slice(0, 1);
      const item = { ...key("half"), text: half, list: [half], deep: { text: half } };
      await Store.write(store, { kind: "put", item });
      await Store.write(store, { kind: "update", key: key("half"), set: { more: half } });
      expect(await Store.get(store, key("half"))).toMatchObject({
        text: "\uFFFD",
        list: ["\uFFFD"],
        deep: { text: "\uFFFD" },
        more: "\uFFFD",
      });
    });
  });

  describe("values", () => {
    it("come back as they were written", async () => {
      const plain = fc.oneof(
        fc.string({ unit: "binary" }),
        fc.maxSafeInteger(),
        fc.integer().map((n) => n / 1000),
        fc.boolean(),
        fc.constant(null),
      );
      const { value } = fc.letrec((tie) => ({
        value: fc.oneof(
          { maxDepth: 4 },
          plain,
          fc.array(tie("value"), { maxLength: 4 }),
          fc.dictionary(
            fc.string({ unit: "grapheme", minLength: 1 }).filter((one) => one !== "__proto__"),
            tie("value"),
            { maxKeys: 4 },
          ),
        ),
      }));
      await fc.assert(
        fc.asyncProperty(value, async (value) => {
          await Store.write(store, { kind: "put", item: { ...key("value"), value } });
          expect((await Store.get(store, key("value")))?.value).toEqual(JSON.parse(JSON.stringify(value)));
        }),
        { numRuns: 60 },
      );
    });

    it("that DynamoDB would change, or that no item of ours holds, are refused", async () => {
      for (const value of [NaN, Infinity, 2 ** 53, new Date(0), new Set(["a"]), 1n, () => {}])
        await expect(Store.write(store, { kind: "put", item: { ...key("no"), value } })).rejects.toThrow(TypeError);
    });
  });

  it("an error carries DynamoDB's name for it", async () => {
    await expect(Store.get({ ...store, table: "no-such-table" }, key("a"))).rejects.toMatchObject({
      name: "ResourceNotFoundException",
      $fault: "client",
    });
  });
});

describe("the loopback", () => {
  it("has a request sent once more when the connection it kept ends under it, and tells a store that is away", async () => {
    const server = createServer();
    let requests = 0;
    server.on("request", (request, response) => {
      requests++;
      request.resume().on("end", () => (requests === 2 ? request.socket.destroy() : response.end("{}")));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const wire = loopback(`http://127.0.0.1:${port}`);
    const ask = () => Store.get({ wire, table: "t", clock: Clock.system(), id: Id.system() }, key("a"));
    await ask();
    expect(await ask()).toBeUndefined();
    expect(requests).toBe(3);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await expect(ask()).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });
});
