import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

// What Node has compiled, by content: workers, hosts and commands are started hundreds of times.
process.env.NODE_COMPILE_CACHE ??= join(tmpdir(), "coherence-compiled");

/**
 * Tests that keep to their own process and leave nothing in it: one worker takes them one after the other, and loads the house
 * once. The others start processes, which costs the more the larger the one that starts them: each has a worker of its own.
 */
const IN_PROCESS = [
  "test/contract/!(executor-command|runner).test.ts",
  "test/flow/**/*.test.ts",
  "test/functions/*.test.ts",
  "test/functions/api/*.test.ts",
  "test/ground/{clock,config,id,keys,retry,store,sweep}.test.ts",
  "test/watch/*.test.ts",
  "test/work/{attempt,backlog,friction,metrics,requests,runner,task,telemetry}*.test.ts",
];

/** The longest first, or the last one runs alone; the others as vitest finds best. */
const LONG = [
  "test/chaos/kill.test.ts",
  "test/functions/local/start.test.ts",
  "test/e2e/backlog.test.ts",
  "test/functions/local/once.test.ts",
  "test/functions/local/config.test.ts",
  "test/functions/local/apart.test.ts",
  "test/functions/local/refusals.test.ts",
  "test/e2e/events.test.ts",
  "test/functions/cli/commands.test.ts",
  "test/functions/cli/real.test.ts",
  "test/e2e/stop.test.ts",
  "test/work/provider-api-hostile.test.ts",
  "test/work/workspace-hostile.test.ts",
  "test/e2e/api.test.ts",
  "test/contract/runner.test.ts",
  "test/boundaries.test.ts",
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const place = (file: TestSpecification) => {
      const at = LONG.indexOf(relative(import.meta.dirname, file.moduleId));
      return at === -1 ? LONG.length : at;
    };
    return sorted.sort((a, b) => place(a) - place(b));
  }
}

const exclude = ["test/agents/**", "test/bench/**"];
export default defineConfig({
  test: {
    globalSetup: ["test/support/global.ts"],
    pool: "forks",
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // One more than the smallest machine has cores: hosts and commands that are waited for leave them idle.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    projects: [
      { extends: true, test: { name: "in process", include: IN_PROCESS, exclude, isolate: false } },
      {
        extends: true,
        test: { name: "processes", include: ["test/**/*.test.ts"], exclude: [...exclude, ...IN_PROCESS] },
      },
    ],
  },
});
