/** Telemetry: every schedule says when it ran and how; freshness is computed on read. */
export { ping, pings, type Ping } from "./ping.ts";
export { freshness, type Freshness, type Schedule } from "./freshness.ts";
