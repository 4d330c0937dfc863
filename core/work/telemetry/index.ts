/** Telemetry: every schedule says when it ran and how, every answered request is counted by its route; read, never on the way. */
export { ping, pings, type Ping } from "./ping.ts";
export { freshness, type Freshness, type Schedule } from "./freshness.ts";
export { FLUSH_EVERY_MS, recorder, type Recorder } from "./recorder.ts";
export type { Sample } from "./counts.ts";
export { Endpoints, endpoints } from "./endpoints.ts";
