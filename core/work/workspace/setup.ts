import { existsSync } from "node:fs";
import { join } from "node:path";
import { CoherenceError, fail } from "../../ground/errors.ts";
import { sha256 } from "../../ground/id.ts";
import * as Process from "../../ground/process/index.ts";
import type { Context } from "./context.ts";
import { textIn } from "./files.ts";
import { entries } from "./git.ts";
import { limited, notDone } from "./limit.ts";
import type { LogLine } from "./port.ts";
import { readStamp } from "./stamp.ts";
import { environmentIn } from "./suite.ts";
import { replaceFile, writeExcludes, type Tree } from "./tree.ts";

/** A set-up: what decides whether it must run again, the commands in order, and the directory it fills, if it is known. */
type Setup = { lockfile: string | null; commands: string[][]; fills: string | null };

const NPM = { commands: [["npm", "ci", "--no-audit", "--no-fund"]], fills: "node_modules" };
const VENV = ".venv/bin/python";

/** The first lockfile that is there decides. Go and Rust fetch what they need when they build. */
const LOCKFILES: readonly Setup[] = [
  { lockfile: "package-lock.json", ...NPM },
  { lockfile: "npm-shrinkwrap.json", ...NPM },
  { lockfile: "pnpm-lock.yaml", commands: [["pnpm", "install", "--frozen-lockfile"]], fills: "node_modules" },
  { lockfile: "yarn.lock", commands: [["yarn", "install", "--frozen-lockfile"]], fills: null },
  { lockfile: "uv.lock", commands: [["uv", "sync", "--frozen"]], fills: ".venv" },
  {
    // Into an environment of the tree's own: the machine's Python is not ours to fill.
    lockfile: "requirements.txt",
    commands: [
      ["python3", "-m", "venv", ".venv"],
      [VENV, "-m", "pip", "install", "--disable-pip-version-check", "-r", "requirements.txt"],
    ],
    fills: ".venv",
  },
];

const LOCKFILE_BYTES = 64 * 1024 * 1024;

/** Picks the set-up: the user's, else by the first lockfile in `has`, else none. */
export function setupFor(command: readonly string[] | null, has: (file: string) => boolean): Setup | null {
  const found = LOCKFILES.find((each) => each.lockfile !== null && has(each.lockfile)) ?? null;
  if (command) return { lockfile: found?.lockfile ?? null, commands: [[...command]], fills: null };
  return found;
}

/**
 * Installs what a tree needs, unless the last set-up that succeeded there was the same and its lockfile has not changed. What it
 * creates and nobody ignores is left out of commits. Throws `workspace.setup_failed`, also when a command is over its time, or the
 * signal's reason.
 */
export async function prepareTree(context: Context, tree: Tree, log: LogLine, signal: AbortSignal): Promise<void> {
  const setup = setupFor(context.setupCommand, (file) => existsSync(join(tree.root, file)));
  if (!setup) return;
  const stamp = await readStamp(tree.beside.setup);
  const locked = setup.lockfile === null ? "" : await textIn(tree.root, setup.lockfile, LOCKFILE_BYTES);
  const hash = sha256(JSON.stringify([setup.commands, setup.lockfile, locked]));
  if (stamp.hash === hash && (setup.fills === null || existsSync(join(tree.root, setup.fills)))) return;

  await replaceFile(tree.beside.setup, JSON.stringify({ ...stamp, hash: null }));
  const before = new Set(await untracked(tree));
  for (const command of setup.commands) await install(context, tree, command, log, signal);
  const made = (await untracked(tree)).filter((path) => !before.has(path));
  const created = [...new Set([...stamp.created, ...made])];
  await replaceFile(tree.beside.setup, JSON.stringify({ hash, created }));
  await writeExcludes(context, tree);
}

async function install(
  context: Context,
  tree: Tree,
  command: readonly string[],
  log: LogLine,
  signal: AbortSignal,
): Promise<void> {
  const [file = "", ...args] = command;
  const line = command.join(" ");
  log(`$ ${line}`);
  const env = environmentIn(context, tree);
  const program = { file, args, cwd: tree.root, env, graceMs: context.graceMs, onLine: log };
  const exit = await limited(context, signal, (limit) =>
    Process.run(program, limit).catch((thrown: unknown) => {
      if (!(thrown instanceof CoherenceError)) throw thrown;
      throw setupFailed(line, thrown.message, { tail: "", exit: null });
    }),
  );
  if (exit.code === 0 && !exit.overTime) return;
  const tail = `${exit.stdout}\n${exit.stderr}`.trim().slice(-4000);
  if (exit.overTime) throw setupFailed(line, notDone(context), { tail, exit: null });
  throw setupFailed(line, `exit ${exit.code ?? exit.signal ?? "unknown"}`, { tail, exit: exit.code });
}

function setupFailed(line: string, why: string, data: { tail: string; exit: number | null }) {
  return fail("workspace.setup_failed", `The tree could not be set up: ${line}: ${why}`, {
    remedy: `Make "${line}" work in a fresh clone, or set COHERENCE_SETUP_COMMAND to what does.`,
    data: { command: line, ...data },
  });
}

/** Untracked paths that are not ignored; a directory without tracked files counts as one. */
async function untracked(tree: Tree): Promise<string[]> {
  return entries(await tree.git(["ls-files", "--others", "--exclude-standard", "--directory", "-z"]));
}
