import { existsSync } from "node:fs";
import { join } from "node:path";
import * as Process from "../../ground/process/index.ts";
import type { Suite } from "../task/index.ts";
import { OVER_TIME } from "./colour.ts";
import type { Context } from "./context.ts";
import { textIn } from "./files.ts";
import { limited, notDone } from "./limit.ts";
import { findTests, type Tests } from "./manifest.ts";
import { withBaseManifest } from "./overlay.ts";
import type { LogLine } from "./port.ts";
import { readReport } from "./reporters.ts";
import { fileAt, type Reader } from "./show.ts";
import { replaceFile, type Tree } from "./tree.ts";

const KEEP_BYTES = 4 * 1024 * 1024;
const TAIL_CHARS = 4000;

/**
 * Runs the suite in a tree, told how by the user, else by the manifest of the commit `base`, else by the tree's own. One that is
 * over its time is red. Rejects with the signal's reason when that aborts, once the whole process group has ended; throws
 * `process.failed` when the program is missing.
 */
export async function runSuite(
  context: Context,
  tree: Tree,
  base: string,
  log: LogLine,
  signal: AbortSignal,
): Promise<{ kind: "ran"; suite: Suite } | { kind: "none" }> {
  const chosen = await choose(context, tree, base);
  if (!chosen) return { kind: "none" };
  const { tests, source } = chosen;
  const command = source === "base" && tests.kind === "make" ? await makeOf(context, tree, base) : tests.command;
  const start = () => execute(context, tree, command, log, signal);
  const byBase = source === "base" && tests.kind === "npm";
  const ran = await (byBase ? withBaseManifest(tree, (path) => fileAt(context, base, path), start) : start());
  return { kind: "ran", suite: { ...ran, command: tests.command, source } };
}

/** `make test` by the base's Makefile: when the tree's differs, by a copy beside the tree. */
async function makeOf(context: Context, tree: Tree, base: string): Promise<string[]> {
  const theirs = await fileAt(context, base, "Makefile");
  if (theirs === null || theirs === (await inTree(tree)("Makefile"))) return ["make", "test"];
  await replaceFile(tree.beside.makefile, theirs);
  return ["make", "-f", tree.beside.makefile, "test"];
}

async function choose(
  context: Context,
  tree: Tree,
  base: string,
): Promise<{ tests: Tests; source: Suite["source"] } | null> {
  if (context.testCommand) return { tests: { kind: "other", command: [...context.testCommand] }, source: "config" };
  const atBase = await findTests((path) => fileAt(context, base, path));
  if (atBase) return { tests: atBase, source: "base" };
  const own = await findTests(inTree(tree));
  return own && { tests: own, source: "item" };
}

function inTree(tree: Tree): Reader {
  return (path) => textIn(tree.root, path);
}

async function execute(
  context: Context,
  tree: Tree,
  command: readonly string[],
  log: LogLine,
  signal: AbortSignal,
): Promise<Omit<Suite, "command" | "source">> {
  const [file = "", ...args] = command;
  const ending: string[] = [];
  let length = 0;
  const program = {
    file,
    args,
    cwd: tree.root,
    env: environmentIn(context, tree),
    graceMs: context.graceMs,
    keepBytes: KEEP_BYTES,
    onLine: (line: string) => {
      log(line);
      ending.push(line);
      length += line.length + 1;
      while (length - (ending[0]?.length ?? 0) > TAIL_CHARS) length -= (ending.shift()?.length ?? 0) + 1;
    },
  };
  const exit = await limited(context, signal, (limit) => Process.run(program, limit));
  const tail = ending.join("\n").slice(-TAIL_CHARS);
  // Counts of a part of the suite would be taken for those of the whole.
  if (exit.overTime)
    return {
      exit: OVER_TIME,
      passed: null,
      failed: null,
      failures: [`the suite was ${notDone(context)}`],
      tail,
      ms: exit.ms,
    };
  return {
    exit: exit.code ?? 1, // ended by a signal: red
    ...readReport(`${exit.stdout}\n${exit.stderr}`),
    tail,
    ms: exit.ms,
  };
}

/** The environment of set-up and suite: with the tree's own Python first, where it has one. */
export function environmentIn(context: Context, tree: Tree): Record<string, string> {
  const venv = join(tree.root, ".venv");
  if (!existsSync(join(venv, "bin"))) return { ...context.env };
  return { ...context.env, VIRTUAL_ENV: venv, PATH: `${join(venv, "bin")}:${context.env["PATH"] ?? ""}` };
}
