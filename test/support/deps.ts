import { inject } from "vitest";
import * as Clock from "../../core/ground/clock.ts";
import * as Config from "../../core/ground/config.ts";
import type { Deps } from "../../core/ground/deps.ts";
import type { Event } from "../../core/ground/events/index.ts";
import * as Id from "../../core/ground/id.ts";
import * as Log from "../../core/ground/log.ts";
import * as Store from "../../core/ground/store/index.ts";
import { loopback } from "../../functions/local/loopback.ts";

export type TestDeps = Deps & {
  /** Everything published, in order. */
  published: Event[];
  /** Everything started on the state machine, in order. */
  started: string[];
};

/** Real parts with a table of its own; events and executions are recorded, not carried out. */
export async function testDeps(
  options: { clock?: Clock.Clock; env?: Record<string, string>; store?: Store.Store } = {},
): Promise<TestDeps> {
  const clock = options.clock ?? Clock.system();
  const id = Id.system();
  const store = options.store ?? (await testStore(clock));
  const published: Event[] = [];
  const started: string[] = [];
  return {
    store,
    clock,
    id,
    log: Log.silent(),
    config: Config.read(options.env ?? {}),
    events: { publish: async (...events) => void published.push(...events) },
    workflow: {
      start: async (name) => void started.push(name),
      stop: async () => {},
      complete: async () => false,
      fail: async () => false,
      heartbeat: async () => false,
    },
    published,
    started,
  };
}

/** A store with a new table on the run's embedded engine; `over` makes its wire to that endpoint. */
export async function testStore(
  clock: Clock.Clock = Clock.system(),
  over: (endpoint: string) => Store.Wire = loopback,
): Promise<Store.Store> {
  const wire = over(inject("dynamodb"));
  const id = Id.system();
  const table = `t-${id.hex(12)}`;
  await Store.ensureTable(wire, table);
  return { wire, table, clock, id };
}
