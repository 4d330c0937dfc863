import * as z from "zod";
import { firstSet, type Settings } from "../settings.ts";
import { parseJson } from "./json.ts";
import { plainParser } from "./plain.ts";
import type { CliCall, CliCommand, CliRow } from "./row.ts";

const ARGS = "COHERENCE_COMMAND_ARGS";
const ENV = "COHERENCE_COMMAND_ENV";

const Words = z.array(z.string().max(10_000)).max(100);
const Names = z.array(z.string().regex(/^[A-Za-z_]\w*$/)).max(100);

/**
 * Any program of the user's own, without a shell: it is started in the worktree with the prompt on its standard input, changes
 * files there, and exits with 0 when it is done. What it prints last is its answer.
 */
export const command: CliRow = {
  family: "cli",
  name: "command",
  executor: null,
  models: [{ name: "command", price: null, context_window: 200_000, tier: 2 }],
  modelSetting: null,
  // Nobody knows what it costs: a user's file may say that it is free.
  capabilities: { edits: true, runs_commands: true, where: "machine", paid: true },
  prefers: [],
  verified: null,
  binary: { setting: "COHERENCE_COMMAND", fallback: null, install: "it is yours", tellsVersion: false },
  credentials: [],
  server: null,
  modelSilenceMs: 0,
  // Many say nothing until they are done; the task's own time ends them.
  stallMs: 24 * 3_600_000,
  // It is the user's, and so is what it reads at home.
  atHome: () => ({}),
  misset,
  command: ({ prompt, settings }: CliCall): CliCommand => ({
    args: Words.parse(listIn(settings, ARGS)),
    env: Object.fromEntries(
      Names.parse(listIn(settings, ENV)).flatMap((name) => {
        const found = firstSet(settings, [name]);
        return found ? [[name, found.value]] : [];
      }),
    ),
    input: prompt,
  }),
  parser: plainParser,
};

function misset(settings: Settings) {
  if (!Words.safeParse(listIn(settings, ARGS)).success)
    return {
      ready: false,
      detail: `${ARGS} is not a JSON array of texts`,
      remedy: `Set ${ARGS} to its arguments, as in ["--quiet"].`,
    } as const;
  if (!Names.safeParse(listIn(settings, ENV)).success)
    return {
      ready: false,
      detail: `${ENV} is not a JSON array of names`,
      remedy: `Set ${ENV} to the variables that it needs, as in ["MY_KEY"].`,
    } as const;
  return null;
}

/** The JSON of a setting, an empty list where it has none. */
function listIn(settings: Settings, name: string): unknown {
  const text = firstSet(settings, [name])?.value;
  return text === undefined ? [] : parseJson(text);
}
