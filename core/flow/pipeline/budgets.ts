/** Budgets of a task: separate, and each names itself when it runs out. Parks and questions spend none. */

/** An agent's bad results, and classes that end an attempt. */
export const MAX_TRIES = 2;
/** Lost leases and kills. */
export const MAX_STALLS = 5;
/** A running task nobody holds is given back after this many ms without an update. */
export const STALE_RUNNING_MS = 30 * 60_000;
/** A claim lasts this many ms until the state machine has begun. */
export const CLAIM_LEASE_MS = 60_000;
/** A client's claim by PATCH lasts this many ms, renewed by any write to its task. */
export const CLIENT_LEASE_MS = 30 * 60_000;
