/** Which candidates an attempt may use, in which order, and what follows when none is left. Pure. */
export { MAX_FALLBACKS, order, type Routing } from "./order.ts";
export { noCandidate, unknownWait, type NoCandidate } from "./none.ts";
