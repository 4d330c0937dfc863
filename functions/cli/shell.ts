import * as Clock from "../../core/ground/clock.ts";
import * as Config from "../../core/ground/config.ts";
import { CoherenceError } from "../../core/ground/errors.ts";
import { connect, type Client } from "./client.ts";
import { Failure } from "./failure.ts";
import { find } from "./host.ts";

/** Cells of a line where there is no terminal to fit. */
const NO_TERMINAL = 120;

/** What a command works with. */
export type Shell = {
  api: Client;
  clock: Clock.Clock;
  /** Cells of a line. */
  width(): number;
  /** The backlog of the host that was found in its home. */
  backlog: string | undefined;
  /** Writes text and a newline to standard output; text from elsewhere has to be made safe before. */
  print(text: string): void;
  /** The same to standard error: what is no part of the answer. */
  note(text: string): void;
};

/** Options that every command has. */
export type Common = { api?: string; json?: boolean };

/** The shell of a command in the present directory. Throws a Failure when a setting is out of its range. */
export function open(options: Common): Shell {
  const config = settings();
  const target = find(options.api, process.cwd(), config);
  const clock = Clock.system();
  return {
    api: connect(target.base, clock),
    clock,
    width: () => process.stdout.columns || Number(config.environment.COLUMNS) || NO_TERMINAL,
    backlog: target.backlog,
    print,
    note: (text) => void process.stderr.write(`${text}\n`),
  };
}

/** Writes text and a newline to standard output. */
export function print(text: string): void {
  process.stdout.write(text.endsWith("\n") ? text : `${text}\n`);
}

function settings(): Config.Config {
  try {
    return Config.read();
  } catch (error) {
    if (error instanceof CoherenceError) throw new Failure("usage", error.message, error.remedy ?? "Correct it.");
    throw error;
  }
}
