/** Runners: outside clients that claim by the API. Each says that it lives, and how its run on a task stands. */
export { Heartbeat, heartbeat, list, type RunnerRow } from "./registry.ts";
export { Beat, Claim, claimed, frees, isFinal, patched, RunUpdate, type RunRow } from "./run-state.ts";
