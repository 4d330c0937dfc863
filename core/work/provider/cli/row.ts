import type { Failure } from "../../task/index.ts";
import type { Model, Provider } from "../port.ts";
import type { Tokens } from "../prices.ts";

/** One CLI agent as data: a new agent is a new row, the driver in run.ts stays as it is. */
export type CliRow = Pick<Provider, "name" | "executor" | "capabilities" | "prefers" | "verified"> & {
  family: "cli";
  models: readonly Model[];
  /** Setting that replaces the models by one, where there is such. */
  modelSetting: string | null;
  binary: { setting: string; fallback: string; install: string };
  /** Settings that hold its key, the first that is set counts. */
  credentials: readonly string[];
  baseUrl: { setting: string; fallback: string };
  /** Ms without a byte from the model before the agent itself gives up, where it can be told so. */
  modelSilenceMs: number;
  /** Ms without an event, and without a command of its own running, before the driver ends it as stalled. */
  stallMs: number;
  command(call: CliCall): { args: string[]; env: Record<string, string>; input: string };
  /** A new parser for each run; `now` in ms. */
  parser(now: () => number): Parser;
};

export type CliCall = {
  model: string;
  prompt: string;
  /** An empty directory of this run's own, removed afterwards. */
  home: string;
  baseUrl: string;
  key: string;
  modelSilenceMs: number;
};

/** Reads an agent's standard output, line by line. */
export type Parser = {
  line(text: string): Seen;
  end(): Ended;
};

export type Seen =
  /** Not an event: shows no life. */
  | { kind: "noise" }
  /** `busy`: a command of the agent runs, so that silence is no stall. */
  | { kind: "event"; log: readonly string[]; busy: boolean }
  /** The agent would go on for ever: end it now, for this reason. */
  | { kind: "fatal"; failure: Failure };

export type Ended = {
  /** The agent said that it came to its own end. */
  completed: boolean;
  /** The agent's own terminal error. */
  failure: Failure | null;
  /** Its last message, whole. */
  output: string;
  tokens: Tokens | null;
};
