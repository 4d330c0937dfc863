import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import * as Config from "../../core/ground/config.ts";
import * as Log from "../../core/ground/log.ts";
import * as Store from "../../core/ground/store/index.ts";
import * as Telemetry from "../../core/work/telemetry/index.ts";
import { testStore } from "../support/deps.ts";
import { faulty, type Fault } from "../support/faulty.ts";
import { stepping } from "../support/pipeline.ts";
import { WIRES } from "../support/wires.ts";

const key = (sk: string) => ({ pk: "P", sk });

describe.each(Object.entries(WIRES))("over %s:", (_, over) => {
  let store: Store.Store;
  let table: Awaited<ReturnType<typeof faulty>>;
  beforeAll(async () => {
    table = await faulty(inject("dynamodb"));
    store = await testStore(stepping(), () => over(table.endpoint));
    await Store.write(store, { kind: "put", item: { ...key("there"), n: 1 } });
  });
  afterAll(() => table.close());
  beforeEach(() => table.next());

  const READS: Record<string, () => Promise<unknown>> = {
    GetItem: () => Store.get(store, key("there")),
    BatchGetItem: async () => (await Store.getMany(store, [key("there")]))[0],
    Query: async () => (await Store.query(store, { pk: "P", sk: { begins: "there" }, limit: 1 })).items[0],
    Scan: () => Store.sweeper(store)(),
  };
  const FAULTS: [string, Fault][] = [
    ...["ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded"].map(
      (refused): [string, Fault] => [refused, { refused }],
    ),
    ["InternalServerError", { refused: "InternalServerError", status: 500 }],
    ["a connection that ends", "answer lost"],
  ];

  describe.each(FAULTS)("%s", (_name, fault) => {
    it.each(Object.entries(READS))("at a %s: it is read again", async (operation, read) => {
      const plain = await read();
      table.next(fault, fault);
      expect(await read()).toEqual(plain);
      expect(table.came).toEqual([operation, operation, operation]);
    });

    it("at a count: it is counted again", async () => {
      table.next(fault, fault);
      expect(await Store.countOf(store, { pk: "P", sk: { begins: "there" } })).toBe(1);
      expect(table.came).toHaveLength(3);
    });

    it("at a write: it is written again, and an addition counts once", async () => {
      const sk = `sum ${_name}`;
      table.next(fault, fault);
      expect(await Store.write(store, { kind: "put", item: { ...key(sk), n: 1 } })).toEqual({ ok: true });
      table.next(fault, fault);
      expect(await Store.write(store, { kind: "update", key: key(sk), add: { n: 1 } })).toEqual({ ok: true });
      table.next(fault, fault);
      const both = [sk, `${sk} too`].map((one) => ({ kind: "update", key: key(one), add: { n: 1 } }) as const);
      expect(await Store.tx(store, both)).toEqual({ ok: true });
      expect(await Store.get(store, key(sk))).toMatchObject({ n: 3 });
      expect(await Store.get(store, key(`${sk} too`))).toMatchObject({ n: 1 });
    });

    it("at a conditional write: its condition is asked anew", async () => {
      const sk = `condition ${_name}`;
      await Store.write(store, { kind: "put", item: { ...key(sk), n: 1 } });
      table.next(fault, fault);
      const write: Store.Write = { kind: "update", key: key(sk), set: { n: 2 }, if: { one: Store.eq("n", 1) } };
      await Store.write(store, write);
      expect(await Store.get(store, key(sk))).toMatchObject({ n: 2 });
      table.next(fault);
      expect(await Store.write(store, write)).toMatchObject({ ok: false, refused: [{ conditions: ["one"] }] });
    });
  });

  it("a request whose answer is always lost is sent three times, no more", async () => {
    table.next(...Array.from({ length: 10 }, () => "answer lost" as const));
    await expect(Store.get(store, key("there"))).rejects.toThrow();
    expect(table.came).toHaveLength(3);
  });

  it("a table that stays too busy is asked for 20 s, then it is said", async () => {
    const refused = "ThrottlingException";
    table.next(...Array.from({ length: 10_000 }, () => ({ refused })));
    const begun = store.clock.now();
    await expect(Store.get(store, key("there"))).rejects.toMatchObject({ name: refused });
    expect(store.clock.now() - begun).toBeGreaterThan(20_000);
    expect(store.clock.now() - begun).toBeLessThan(22_000);
  });

  it("keys that a busy table left out of a batch are asked for until they come", async () => {
    let left = 2;
    const own: Store.Store = {
      ...store,
      wire: (async (operation: never, input: never) => {
        if (left-- <= 0) return store.wire(operation, input);
        return { UnprocessedKeys: (input as { RequestItems: object }).RequestItems };
      }) as Store.Wire,
    };
    const begun = store.clock.now();
    expect(await Store.getMany(own, [key("there")])).toMatchObject([{ n: 1 }]);
    expect(store.clock.now()).toBeGreaterThan(begun);
  });

  it("what is wrong with a request is said at once", async () => {
    await expect(Store.get({ ...store, table: "none" }, key("there"))).rejects.toMatchObject({
      name: "ResourceNotFoundException",
    });
    expect(table.came).toHaveLength(1);
  });

  it("a flush of request telemetry whose answers are lost counts each request once", async () => {
    const recorder = Telemetry.recorder({ store, clock: store.clock, log: Log.silent() });
    recorder.record({ method: "GET", route: "/api/agent/tasks", status: 200, ms: 5 });
    table.next("answer lost", "answer lost", "answer lost");
    await recorder.flush();
    const reader = { store, clock: store.clock, config: Config.read({}) };
    for (const seconds of [3600, 30 * 86_400])
      expect((await Telemetry.endpoints(reader, seconds)).endpoints).toMatchObject([{ event_count: 1 }]);
  });
});

describe("what others come between", () => {
  const waits = () => ({ clock: stepping(), id: { random: () => 0.5 } as never });

  it("is done again until nobody does", async () => {
    let times = 0;
    expect(await Store.contend(waits(), "busy", async () => (++times < 5 ? undefined : "done"))).toBe("done");
    expect(times).toBe(5);
  });

  it("of a name is done again one after the other, whatever becomes of the one before", async () => {
    let inside = 0;
    const most: number[] = [];
    const one = (i: number) => {
      let times = 0;
      const once = async () => {
        if (++times === 1) return undefined;
        most.push(++inside);
        await Promise.resolve();
        inside--;
        if (i % 2 === 0) throw new Error("planted");
        return i;
      };
      return Store.contend(waits(), "busy", once, "task_1");
    };
    const all = await Promise.allSettled(Array.from({ length: 6 }, (_, i) => one(i)));
    expect(all.map(({ status }) => status === "fulfilled")).toEqual([false, true, false, true, false, true]);
    expect(most).toEqual(Array(6).fill(1));
  });

  it("for ever is given up after 50 times, and said", async () => {
    let times = 0;
    const never = Store.contend(waits(), "The task is too busy", async () => void times++);
    await expect(never).rejects.toMatchObject({ code: "store.unavailable", message: "The task is too busy" });
    expect(times).toBe(50);
  });
});
