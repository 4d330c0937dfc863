#!/usr/bin/env node
import { CommanderError } from "commander";
import { messageOf } from "../../core/ground/errors.ts";
import { EXIT, Failure } from "./failure.ts";
import { create } from "./program.ts";
import { oneLine } from "./text.ts";

/** Carries out one command line; sets the exit code: 0, 1 refused, 2 bad usage, 3 no host. */
async function main(argv: readonly string[]): Promise<void> {
  try {
    await create(argv).parseAsync(argv, { from: "user" });
  } catch (error) {
    process.exitCode = report(error);
  }
}

function report(error: unknown): number {
  // Commander has said it already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT.usage;
  if (error instanceof Failure) {
    process.stderr.write(`${error.message}\n${error.remedy}\n`);
    return error.exit;
  }
  const said = oneLine(messageOf(error));
  process.stderr.write(`This command went wrong: ${said}\nSay what you did in an issue of the project.\n`);
  return EXIT.refused;
}

// A reader that has seen enough (`| head`) closes the pipe: that is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit();
});

await main(process.argv.slice(2));
