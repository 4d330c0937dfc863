import type { Clock } from "../clock.ts";
import { fail } from "../errors.ts";
import type { Id } from "../id.ts";

/**
 * How the table is asked again: said here for reads, writes and transactions, whichever wire they go over. A wire sends a request
 * once, for only the store knows which may be sent twice.
 */

/** What waiting needs. */
type Waits = { clock: Clock; id: Id };

/** A request's tries end after this many ms, so that a record's time is never older than that. */
export const GIVE_UP_MS = 20_000;
/** How often a request is sent whose answer was lost. */
const SENT_AT_MOST = 3;
/** How often what others come between is read and written again. */
const CONTENDED_AT_MOST = 50;

/** Nothing was done: too much at once. */
const THROTTLED = new Set(["ProvisionedThroughputExceededException", "RequestLimitExceeded", "ThrottlingException"]);
/** Nothing was done, or it is being done: another write on the same item. */
const CONFLICT = new Set(["TransactionConflictException", "TransactionInProgressException"]);
/** Why a transaction was cancelled that may be tried again. */
const CANCELLED = new Set(["None", "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"]);
/** Nobody knows whether it was done: a fault of the server, or a connection that ended before the answer. */
const LOST = new Set([
  "InternalServerError",
  "ServiceUnavailable",
  "TimeoutError",
  "ECONNREFUSED",
  "ECONNRESET",
  "ENOTFOUND",
  "EPIPE",
  "ETIMEDOUT",
]);

type Thrown = { name?: string; code?: string; $fault?: string; CancellationReasons?: { Code?: string }[] };

/** Whether the answer to a request was lost: it may have been carried out. */
export function isLost(error: unknown): boolean {
  const { name = "", code = "", $fault } = error as Thrown;
  return LOST.has(name) || LOST.has(code) || ($fault === "server" && !THROTTLED.has(name) && !CONFLICT.has(name));
}

/** Whether a request failed since the table is away or at its limit, rather than for what it asked. */
export function isAway(error: unknown): boolean {
  return error instanceof Error && (isLost(error) || THROTTLED.has(error.name));
}

function isBusy(error: unknown): boolean {
  const { name = "", CancellationReasons: reasons } = error as Thrown;
  if (name === "TransactionCanceledException")
    return reasons?.every(({ Code = "None" }) => CANCELLED.has(Code)) === true;
  return THROTTLED.has(name) || CONFLICT.has(name);
}

/**
 * Does `once` again while the table is too busy for it, with full jitter, for at most GIVE_UP_MS, and a few times when its answer
 * was lost: `once` must come to the same when it was carried out already. Anything else it throws is thrown.
 */
export async function patiently<T>(waits: Waits, once: (now: number) => Promise<T>): Promise<T> {
  const begun = waits.clock.now();
  for (let tried = 1; ; tried++) {
    const now = waits.clock.now();
    try {
      return await once(now);
    } catch (error) {
      const again = isBusy(error) || (isLost(error) && tried < SENT_AT_MOST);
      if (!again || now - begun > GIVE_UP_MS) throw error;
      await backOff(waits, tried, 1000);
    }
  }
}

/**
 * Reads, decides and writes again while others come between, each after its own while, or all would read the same and one of
 * them win; with a `name`, those of this process one after the other. `once` answers undefined when somebody was quicker. Throws
 * `store.unavailable` (503) with these words after 50 times.
 */
export async function contend<T>(
  waits: Waits,
  busy: string,
  once: () => Promise<T | undefined>,
  name?: string,
): Promise<T> {
  const first = await once();
  if (first !== undefined) return first;
  return inTurn(name, async () => {
    for (let tried = 2; tried <= CONTENDED_AT_MOST; tried++) {
      if (name === undefined || tried > 2) await backOff(waits, tried, 200);
      const done = await once();
      if (done !== undefined) return done;
    }
    throw fail("store.unavailable", busy, { remedy: "Try again." });
  });
}

/** The last of this process that waits for its turn, by what it is about. */
const turns = new Map<string, Promise<unknown>>();

async function inTurn<T>(name: string | undefined, act: () => Promise<T>): Promise<T> {
  if (name === undefined) return act();
  const mine = (turns.get(name) ?? Promise.resolve()).then(act, act);
  turns.set(name, mine);
  try {
    return await mine;
  } finally {
    if (turns.get(name) === mine) turns.delete(name);
  }
}

/** Full jitter: up to 10, 20, 40 … ms, at most `longest`. */
function backOff({ clock, id }: Waits, tried: number, longest: number): Promise<void> {
  return clock.sleep(id.random() * Math.min(longest, 5 * 2 ** tried));
}
