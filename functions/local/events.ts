import type { Event, Events } from "../../core/ground/events/index.ts";

export type LocalEvents = Events & {
  subscribe(subscriber: (event: Event) => Promise<void>): void;
  /** Resolves when nothing published is still being delivered. */
  idle(): Promise<void>;
  /** No event is delivered any more. */
  close(): void;
};

/** Events in this process: delivered after the publisher has gone on, to every subscriber; a subscriber that fails fails alone. */
export function localEvents(failed: (event: Event, error: unknown) => void): LocalEvents {
  const subscribers: ((event: Event) => Promise<void>)[] = [];
  const delivering = new Set<Promise<void>>();
  let closed = false;
  return {
    async publish(...events) {
      if (closed) return;
      for (const event of events)
        for (const subscriber of subscribers) {
          const delivery: Promise<void> = Promise.resolve()
            .then(() => (closed ? undefined : subscriber(event)))
            .catch((error: unknown) => failed(event, error))
            .finally(() => delivering.delete(delivery));
          delivering.add(delivery);
        }
    },
    subscribe: (subscriber) => void subscribers.push(subscriber),
    async idle() {
      while (delivering.size > 0) await Promise.all(delivering);
    },
    close() {
      closed = true;
    },
  };
}
