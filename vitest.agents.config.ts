import { defineConfig } from "vitest/config";

/** Runs real agents (hundreds of MB, installed on demand) against a scripted model server: `npm run test:agents`. */
export default defineConfig({
  test: {
    include: ["test/agents/**/*.test.ts"],
    pool: "forks",
    testTimeout: 120_000,
    hookTimeout: 600_000,
    maxWorkers: 1,
  },
});
