import type { Exit } from "../../../ground/process/index.ts";
import type { Failure } from "../../task/index.ts";
import type { Model, Provider, Readiness } from "../port.ts";
import type { Tokens } from "../prices.ts";
import type { Settings } from "../settings.ts";

/** One CLI agent as data: a new agent is a new row, the driver in run.ts stays as it is. */
export type CliRow = Pick<Provider, "name" | "executor" | "capabilities" | "prefers" | "verified"> & {
  family: "cli";
  models: readonly Model[];
  /** Setting that replaces the models by one, where there is such. */
  modelSetting: string | null;
  /**
   * Its program. `fallback` null: there is none before the setting names it. `tellsVersion` false: it may take `--version` for
   * work, so it is only looked for.
   */
  binary: { setting: string; fallback: string | null; install: string; tellsVersion: boolean };
  /** Settings that hold its key, the first that is set counts; none: it asks for no key. */
  credentials: readonly string[];
  /** Its model server; null: it knows its own, and the first run shows whether that takes the key. */
  server: CliServer | null;
  /** Ms without a byte from the model before the agent itself gives up, where it can be told so. */
  modelSilenceMs: number;
  /** Ms without an event, and without a command of its own running, before the driver ends it as stalled. */
  stallMs: number;
  /** What keeps it to `home` for all that it reads and writes of its own: given to a run and to a probe. */
  atHome(home: string): Record<string, string>;
  /** What is wrong with settings of its own, where it has such. */
  misset?(settings: Settings): Extract<Readiness, { ready: false }> | null;
  command(call: CliCall): CliCommand;
  /** A new parser for each run; `now` in ms. */
  parser(now: () => number): Parser;
};

export type CliServer = {
  setting: string;
  fallback: string;
  /** A GET below the base URL that shows whether it takes the key and costs nothing. */
  question(key: string, baseUrl: string): { path: string; headers: Record<string, string> };
};

export type CliCall = {
  model: string;
  prompt: string;
  /** A directory of this run's own, empty but for the command's files, removed afterwards. */
  home: string;
  /** Empty where the row has no server. */
  baseUrl: string;
  /** Empty where the row asks for none. */
  key: string;
  modelSilenceMs: number;
  /** US dollars this run may cost; undefined: no bound. */
  budgetUsd: number | undefined;
  settings: Settings;
};

export type CliCommand = {
  args: string[];
  /** Beyond the base and what `atHome` gives. */
  env: Record<string, string>;
  /** For its standard input. */
  input: string;
  /** Files written below the home before it starts: text by relative path. */
  files?: Readonly<Record<string, string>>;
};

/** The question of a server that takes a bearer and lists its models. */
export function listModels(key: string): { path: string; headers: Record<string, string> } {
  return { path: "/models", headers: { authorization: `Bearer ${key}` } };
}

/** Reads an agent's standard output, line by line. */
export type Parser = {
  line(text: string): Seen;
  /** What came of it, by how its process ended. */
  end(exit: Pick<Exit, "code" | "signal">): Ended;
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
  /** US dollars by its own count, which is used where the model's price is unknown. */
  costUsd?: number | null;
};
