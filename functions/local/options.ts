import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { fail } from "../../core/ground/errors.ts";

/** The words behind `npm start --`. */
export type HostOptions = {
  once: boolean;
  repo?: string;
  backlog?: string;
  provider?: string;
  maxItems?: number;
  hours?: number;
  dryRun: boolean;
  merge: "branch" | "none";
  acceptRedBase: boolean;
  paused: boolean;
};

/** Reads them; throws `input.invalid` for bad ones. `help` when help was asked for and printed. */
export function parseOptions(argv: readonly string[]): HostOptions | "help" {
  const program = new Command("coherence")
    .description(
      "The host: every door on one machine. Without options it serves, and works through the backlog it finds.",
    )
    .option(
      "--once",
      "work through the backlog, print a summary and exit: 0 all done, 1 not all, 2 cannot begin",
      false,
    )
    .option("--repo <dir>", "the git checkout to work on (default: the current folder)")
    .option(
      "--backlog <file>",
      "the backlog file (default: specs/006-overnight-backlog.md or BACKLOG.md of the checkout)",
    )
    .option("--provider <name>", "use this provider only; naming one is consent to pay")
    .option("--max-items <n>", "start at most so many items", whole)
    .option("--hours <h>", "start nothing after so many hours", hours)
    .option("--dry-run", "say what would be done, and do nothing", false)
    .addOption(
      new Option("--merge <how>", "merge finished items into the integration branch, or leave them on theirs")
        .choices(["branch", "none"])
        .default("branch"),
    )
    .option("--accept-red-base", "begin although the tests are red before any work; green then means not redder", false)
    .option("--paused", "serve every door and start no work", false)
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
  try {
    program.parse([...argv], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === "commander.helpDisplayed") return "help";
    throw fail("input.invalid", error.message.replace(/^error: /, ""), { remedy: "See npm start -- --help." });
  }
  const options = program.opts<HostOptions>();
  if ((options.once || options.dryRun) && options.paused)
    throw fail("input.invalid", "--paused starts no work; --once and --dry-run are about work", {
      remedy: "Leave one of them out.",
    });
  return options;
}

function whole(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError("It takes a whole number from 1.");
  return Number(text);
}

function hours(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0 || value > 8760)
    throw new InvalidArgumentError("It takes hours, above 0 and at most 8760.");
  return value;
}
