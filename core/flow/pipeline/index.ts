/** The verbs that span rooms, one a file: the way of a task from its creation to its end. */
export type { PipelineDeps } from "./deps.ts";
export { ownerOf } from "./deps.ts";
export { CLAIM_LEASE_MS, CLIENT_LEASE_MS, MAX_STALLS, MAX_TRIES, STALE_RUNNING_MS } from "./budgets.ts";
export { dispatch, nextDue, wake } from "./dispatch.ts";
export { plan } from "./plan.ts";
export { carryOut, invoke } from "./invoke.ts";
export { offer } from "./offer.ts";
export { recordFailure } from "./record-failure.ts";
export { settle } from "./settle.ts";
export { settlement } from "./settlement.ts";
export { executionEnded, reap, reapEarlierLives, releaseOwn } from "./reap.ts";
export { tick } from "./tick.ts";
export { cancel, decide, release, retry, retryItem } from "./verbs.ts";
export { push } from "./push.ts";
export { cleanup, type Cleaned } from "./cleanup.ts";
export { update, Update, type Caller } from "./update.ts";
