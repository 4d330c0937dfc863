import type { Deps } from "../../ground/deps.ts";
import { messageOf } from "../../ground/errors.ts";
import * as Store from "../../ground/store/index.ts";
import { add, addWrite, DAY_MS, empty, HOUR_MS, merge, MINUTE_MS, type Counts, type Sample } from "./counts.ts";

/** Minutes of routes that are kept until they are written; what comes then is lost, so that memory never grows. */
const MAX_HELD = 2000;
/** Writes under way at once, so that requests are not slowed by them. */
const AT_ONCE = 8;
/** Ms between two flushes. */
export const FLUSH_EVERY_MS = MINUTE_MS;

export type Recorder = {
  /** Counts a request in memory; waits for nothing and throws nothing. */
  record(sample: Sample): void;
  /** Writes what was counted so far. Never rejects: what cannot be written is lost, and the log says how much. */
  flush(): Promise<void>;
  /**
   * Where nothing runs once a request is answered (Lambda): called when one begins, it starts a flush if the last was over
   * FLUSH_EVERY_MS ago, beside the serving of that request. Undefined when none is due.
   */
  flushWhenDue(): Promise<void> | undefined;
};

/** Counts answered requests by minute, method and route. The counts of this process since its last flush are in memory alone. */
export function recorder(deps: Pick<Deps, "store" | "clock" | "log">): Recorder {
  let held = new Map<string, { at: number; counts: Counts }>();
  let dropped = 0;
  let flushedAt = deps.clock.now();

  async function flush(): Promise<void> {
    flushedAt = deps.clock.now();
    // Taken before anything is waited for: two flushes at once write different counts.
    const taken = [...held.values()];
    held = new Map();
    const writes = spans(taken);
    let next = 0;
    let failed: { error: unknown } | undefined;
    const worker = async () => {
      for (let write = writes[next]; write && !failed; write = writes[next]) {
        next++;
        try {
          await Store.write(deps.store, write);
        } catch (error) {
          // The store has tried it again as long as it may, and never so that it counts twice. The rest would wait for the same.
          failed = { error };
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, writes.length) }, worker));
    if (failed) deps.log.warn({ error: messageOf(failed.error), items: writes.length }, "request telemetry was lost");
    if (dropped > 0) deps.log.warn({ requests: dropped }, "requests came faster than their telemetry was written");
    dropped = 0;
  }

  return {
    record(sample) {
      const minute = Math.floor(deps.clock.now() / MINUTE_MS);
      const key = `${minute} ${sample.method} ${sample.route}`;
      let one = held.get(key);
      if (!one) {
        if (held.size >= MAX_HELD) return void dropped++;
        held.set(key, (one = { at: minute * MINUTE_MS, counts: empty(sample.method, sample.route) }));
      }
      add(one.counts, sample);
    },
    flush,
    flushWhenDue: () => (deps.clock.now() - flushedAt >= FLUSH_EVERY_MS ? flush() : undefined),
  };
}

/** The same counts by minute, by hour and by day: one write an item, so that a long window reads few of them. */
function spans(taken: readonly { at: number; counts: Counts }[]): Store.Write[] {
  const lengths = { minute: MINUTE_MS, hour: HOUR_MS, day: DAY_MS } as const;
  return (["minute", "hour", "day"] as const).flatMap((span) => {
    const items = new Map<string, { at: number; counts: Counts }>();
    for (const { at, counts } of taken) {
      const start = at - (at % lengths[span]);
      const key = `${start} ${counts.method} ${counts.route}`;
      const item = items.get(key) ?? { at: start, counts: empty(counts.method, counts.route) };
      items.set(key, item);
      merge(item.counts, counts);
    }
    return [...items.values()].map(({ at, counts }) => addWrite(span, at, counts));
  });
}
