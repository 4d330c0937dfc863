/**
 * Time. The only file that touches timers and the wall clock, so that a virtual clock can run everything else.
 */

export type Clock = {
  /** Milliseconds since the epoch, UTC. */
  now(): number;
  /** Resolves after `ms`; rejects with the signal's reason when it is aborted first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls `run` once after `ms`; returns a function that cancels it. Never keeps the process alive. */
  after(ms: number, run: () => void): () => void;
  /** Calls `run` every `ms`; returns a function that stops it. Never keeps the process alive. */
  every(ms: number, run: () => void): () => void;
};

/** The longest delay a Node timer takes, in ms; a longer one would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The machine's own clock. */
export function system(): Clock {
  return {
    now: () => Date.now(),
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(reasonOf(signal));
        const stop = () => {
          clearTimeout(timer);
          reject(reasonOf(signal));
        };
        const timer = setTimeout(
          () => {
            signal?.removeEventListener("abort", stop);
            resolve();
          },
          Math.min(Math.max(0, ms), LONGEST_TIMER_MS),
        );
        signal?.addEventListener("abort", stop, { once: true });
      }),
    after(ms, run) {
      const timer = setTimeout(run, Math.min(Math.max(0, ms), LONGEST_TIMER_MS));
      timer.unref();
      return () => clearTimeout(timer);
    },
    every(ms, run) {
      const timer = setInterval(run, Math.min(ms, LONGEST_TIMER_MS));
      timer.unref();
      return () => clearInterval(timer);
    },
  };
}

export type VirtualClock = Clock & {
  /** Moves time on by `ms`, running what falls due in order and letting promises settle between. */
  advance(ms: number): Promise<void>;
};

/** A clock that moves only when told to; `start` in ms since the epoch. */
export function virtual(start: number): VirtualClock {
  let now = start;
  let serial = 0;
  const due = new Map<number, { at: number; run: () => void }>();
  const plan = (at: number, run: () => void) => {
    const key = serial++;
    due.set(key, { at, run });
    return () => void due.delete(key);
  };
  const clock: VirtualClock = {
    now: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(reasonOf(signal));
        const cancel = plan(now + Math.max(0, ms), resolve);
        signal?.addEventListener("abort", () => (cancel(), reject(reasonOf(signal))), { once: true });
      }),
    after: (ms, run) => plan(now + Math.max(0, ms), run),
    every(ms, run) {
      let cancel = () => {};
      const again = () => {
        cancel = plan(now + ms, () => (again(), run()));
      };
      again();
      return () => cancel();
    },
    async advance(ms) {
      const end = now + ms;
      for (;;) {
        const next = [...due.entries()]
          .filter(([, d]) => d.at <= end)
          .sort((a, b) => a[1].at - b[1].at || a[0] - b[0])[0];
        if (!next) break;
        due.delete(next[0]);
        now = Math.max(now, next[1].at);
        next[1].run();
        await new Promise((resolve) => setImmediate(resolve));
      }
      now = end;
    },
  };
  return clock;
}

/** A signal that aborts with a `TimeoutError` after `ms`, or when `parent` aborts; call `clear` when the work is over. */
export function deadline(clock: Clock, ms: number, parent?: AbortSignal): { signal: AbortSignal; clear: () => void } {
  const controller = new AbortController();
  const cancel = clock.after(ms, () => controller.abort(new DOMException(`timed out after ${ms} ms`, "TimeoutError")));
  const follow = () => controller.abort(parent?.reason);
  if (parent?.aborted) follow();
  parent?.addEventListener("abort", follow, { once: true });
  return {
    signal: controller.signal,
    clear: () => {
      cancel();
      parent?.removeEventListener("abort", follow);
    },
  };
}

/** ISO 8601 with milliseconds and Z. */
export function iso(ms: number): string {
  return new Date(ms).toISOString();
}

/** The UTC day as `yyyymmdd`. */
export function day(ms: number): string {
  return iso(ms).slice(0, 10).replaceAll("-", "");
}

/** The UTC minute as `yyyymmddhhmm`; its first ten digits are the hour. */
export function minute(ms: number): string {
  return iso(ms).slice(0, 16).replace(/\D/g, "");
}

/** The UTC month as `yyyymm`. */
export function month(ms: number): string {
  return day(ms).slice(0, 6);
}

/** The first moment (ms) of the UTC month that lies `months` before the one of `ms`. */
export function monthsBefore(ms: number, months: number): number {
  const date = new Date(ms);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() - months, 1);
}

/** 13 digits, so that text order is time order. */
export function ts(ms: number): string {
  return String(Math.trunc(ms)).padStart(13, "0");
}

function reasonOf(signal: AbortSignal | undefined): Error {
  return signal?.reason instanceof Error ? signal.reason : new Error(String(signal?.reason ?? "aborted"));
}
