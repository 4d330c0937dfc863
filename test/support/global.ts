import { mkdtempSync, rmSync, existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import * as Clock from "../../core/ground/clock.ts";
import { resolveEngine, startEngine } from "../../functions/local/dynamodb.ts";

declare module "vitest" {
  export interface ProvidedContext {
    dynamodb: string;
  }
}

/** One embedded DynamoDB for the whole run, on memory-backed storage where there is some; each test file makes its own table. */
export default async function setup(project: TestProject) {
  const root = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
  const home = mkdtempSync(join(root, "coherence-test-"));
  const binary = await resolveEngine({ home, env: process.env, say: console.error });
  const engine = await startEngine({ binary, file: join(home, "table.db"), clock: Clock.system() });
  project.provide("dynamodb", engine.endpoint);
  return async () => {
    await engine.stop();
    rmSync(home, { recursive: true, force: true });
  };
}
