import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/agents/**", "test/bench/**"],
    globalSetup: ["test/support/global.ts"],
    pool: "forks",
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Two cores, and much of the time is waiting for child processes.
    maxWorkers: 3,
  },
});
