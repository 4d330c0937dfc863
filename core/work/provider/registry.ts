import * as Process from "../../ground/process/index.ts";
import { fail } from "../../ground/errors.ts";
import { sha256 } from "../../ground/id.ts";
import * as Api from "./api/run.ts";
import { probe as probeApi } from "./api/probe.ts";
import { API_ROWS } from "./api/rows.ts";
import * as Cli from "./cli/run.ts";
import { CLI_ROWS, UNVERIFIED_CLI_ROWS } from "./cli/rows.ts";
import type { Target } from "./breaker.ts";
import type { Model, Provider } from "./port.ts";
import { applied } from "./config/apply.ts";
import { parse as parseFile, type Parsed, type Which } from "./config/parse.ts";
import type { Overrides } from "./config/schema.ts";
import { probeCli } from "./readiness.ts";
import type { Placed, Row } from "./row.ts";
import { firstSet, type Settings } from "./settings.ts";
import { simulated } from "./simulated/row.ts";
import * as Simulated from "./simulated/run.ts";

/** Every provider there is; a new one is a row here. */
export const ROWS: readonly Row[] = [
  ...CLI_ROWS,
  ...API_ROWS,
  // Never run by us: whoever is known to work goes first.
  ...UNVERIFIED_CLI_ROWS,
  simulated,
];

export type Registry = {
  /** All providers, in the table's order. */
  all: () => readonly Provider[];
  /** One by its name; throws `provider.unknown`. */
  get: (name: string) => Provider;
};

/** What a candidate's go is about: a provider that is there no longer pays with no key. */
export function targetOf(registry: Registry, candidate: { provider: string; model: string }): Target {
  const { provider, model } = candidate;
  return { provider, model, account: registry.all().find((one) => one.name === provider)?.account ?? "none" };
}

/** What providers are made of: settings by environment name, a clock, a home for run directories, the host's environment. */
export type RegistryOptions = Omit<Cli.CliDeps, "run"> & { run?: Cli.CliDeps["run"] };

/** What a file changes of the table, and how it is called. */
export type Changes = { file: string; overrides: Overrides };

/** Makes the providers of the table, with what files change of it, the last one's word before the others'; starts and asks nothing. */
export function create(options: RegistryOptions, files: readonly Changes[] = []): Registry {
  const deps = { run: Process.run, ...options };
  const providers = ROWS.map((row) => {
    const placed = files.reduce<Placed>((one, { file, overrides }) => applied(one, overrides[row.name], file), { row });
    return switched(provider(deps, placed.row), placed.off);
  });
  return {
    all: () => providers,
    get(name) {
      const found = providers.find((candidate) => candidate.name === name);
      if (found) return found;
      const names = providers.map((candidate) => candidate.name).join(", ");
      throw fail("provider.unknown", `There is no provider "${name.slice(0, 100)}"`, {
        remedy: `Name one of: ${names}.`,
      });
    },
  };
}

/** Reads a `coherence.config.json` for this table; never throws. */
export function parseConfig(text: string, which: Which): Parsed {
  return parseFile(text, which, ROWS);
}

/** A provider that a file switched off answers no probe with yes; what it has begun it ends. */
function switched(one: Provider, off: Placed["off"]): Provider {
  return off ? { ...one, off, probe: async () => ({ ready: false, ...off }) } : one;
}

function provider(deps: Cli.CliDeps, row: Row): Provider {
  const { name, family, executor, capabilities, prefers, verified } = row;
  const shared = { name, family, executor, capabilities, prefers, verified };
  switch (row.family) {
    case "cli": {
      const named = row.modelSetting && firstSet(deps.settings, [row.modelSetting]);
      return {
        ...shared,
        models: named ? [modelOf(row.models, named.value)] : row.models,
        account: accountOf(deps.settings, row.credentials),
        probe: (signal) => probeCli(deps, row, signal),
        run: (request, signal) => Cli.run(deps, row, request, signal),
      };
    }
    case "api": {
      const named = row.modelSetting && firstSet(deps.settings, [row.modelSetting]);
      const models = named ? [modelOf(row.models, named.value)] : row.models;
      return {
        ...shared,
        models,
        account: accountOf(deps.settings, row.credentials),
        probe: (signal) => probeApi(deps, row, models, signal),
        run: (request, signal) => Api.run(deps, row, modelOf(models, request.model), request, signal),
      };
    }
    case "simulated":
      return {
        ...shared,
        models: row.models,
        account: accountOf(deps.settings, []),
        probe: () => Simulated.probe(deps),
        run: (request, signal) => Simulated.run(deps, request, signal),
      };
  }
}

/** A model by its name; one that the row does not know is taken to be like the row's strongest, its price unknown. */
function modelOf(known: readonly Model[], name: string): Model {
  const like = known.at(-1);
  return (
    known.find((model) => model.name === name) ?? {
      name,
      price: null,
      context_window: like?.context_window ?? 100_000,
      tier: like?.tier ?? 2,
    }
  );
}

/** Eight hexadecimal digits of a key's hash, `none` where there is no key. */
function accountOf(settings: Settings, credentials: readonly string[]): string {
  const key = firstSet(settings, credentials)?.value;
  return key === undefined ? "none" : sha256(key).slice(0, 8);
}

/** The contract's executor that a provider stands for, or null. */
export function executorOf(name: string): string | null {
  return ROWS.find((row) => row.name === name)?.executor ?? null;
}
