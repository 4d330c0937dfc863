/** Which candidates an attempt may use, in which order, who goes after one that failed, and what follows when none is left. Pure. */
export { order, type Routing } from "./order.ts";
export { MAX_FALLBACKS, next, type Next } from "./next.ts";
export { faultWait, noCandidate, unknownWait, type NoCandidate } from "./none.ts";
