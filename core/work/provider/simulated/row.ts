import type { Model, Price, Provider } from "../port.ts";

export type SimulatedRow = Pick<Provider, "name" | "executor" | "capabilities" | "prefers" | "verified"> & {
  family: "simulated";
  models: readonly Model[];
};

const FREE: Price = { input: 0, cached: 0, written: 0, output: 0, date: "2026-11-20", source: "plays a scenario" };

/**
 * Plays a scenario and says so everywhere. Routing takes it only when it is named or in the scratch repository, never in place
 * of a real provider.
 */
export const simulated: SimulatedRow = {
  family: "simulated",
  name: "simulated",
  executor: null,
  models: [
    { name: "sim-fast", price: FREE, context_window: 1_000_000, tier: 1 },
    { name: "sim-strong", price: FREE, context_window: 1_000_000, tier: 3 },
  ],
  capabilities: { edits: true, runs_commands: true, where: "inline", paid: false },
  prefers: [],
  verified: "built in",
};
