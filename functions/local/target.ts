import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fail, messageOf } from "../../core/ground/errors.ts";
import * as Process from "../../core/ground/process/index.ts";
import * as Backlog from "../../core/work/backlog/index.ts";
import { scratchFiles } from "../../core/work/provider/index.ts";
import { IDENTITY } from "../../core/work/workspace/index.ts";
import type { HostOptions } from "./options.ts";

/** What a host works on. */
export type Target = {
  repo: string;
  /** Absolute path; absent: the API alone is served. */
  backlogFile?: string;
  /** Id of the backlog, from the file's stem. */
  backlog?: string;
  /** The meta backlog's file, when there is one. */
  metaFile?: string;
  scratch: boolean;
};

const USUAL_PLACES = ["specs/006-overnight-backlog.md", "BACKLOG.md", "backlog.md"];
/** A file over this many bytes is no backlog. */
const MAX_FILE_BYTES = 32 * 1024 * 1024;
/** Problems of a file that are shown. */
const MAX_SHOWN = 5;

/** The checkout and backlog that the options name, or that lie where one expects them. */
export function targetOf(options: HostOptions, directory: string, metaBacklog: string | undefined): Target {
  const repo = resolve(directory, options.repo ?? ".");
  if (!existsSync(repo) || !statSync(repo).isDirectory())
    throw fail("workspace.not_a_repository", `${repo} is not a folder`, { remedy: "Name a git checkout: --repo DIR." });
  const named = options.backlog === undefined ? undefined : resolve(directory, options.backlog);
  const file = named ?? USUAL_PLACES.map((place) => join(repo, place)).find((path) => existsSync(path));
  const meta = metaBacklog === undefined ? undefined : resolve(repo, metaBacklog);
  return {
    repo,
    scratch: false,
    ...(file === undefined ? {} : { backlogFile: file, backlog: Backlog.idOfFile(file) }),
    ...(meta === undefined ? {} : { metaFile: meta }),
  };
}

/** The two backlog files that a target has, as far as it has them. */
export function filesOf(target: Target): { kind: "product" | "meta"; file: string }[] {
  if (target.backlogFile === undefined) return [];
  const meta = target.metaFile === undefined ? [] : [{ kind: "meta" as const, file: target.metaFile }];
  return [{ kind: "product", file: target.backlogFile }, ...meta];
}

/**
 * Reads a backlog file: its text and its items. Throws `backlog.invalid`, with the lines and the remedy, for one that may not be
 * pushed: missing, too large, binary, malformed.
 */
export function readBacklog(
  file: string,
  kind: "product" | "meta" = "product",
): { text: string; items: Backlog.Item[] } {
  const invalid = (message: string, remedy: string) => fail("backlog.invalid", message, { remedy });
  const another = kind === "product" ? "Name one: --backlog FILE." : "Correct PIPELINE_META_BACKLOG, or unset it.";
  if (!existsSync(file) || !statSync(file).isFile()) throw invalid(`There is no backlog file ${file}`, another);
  if (statSync(file).size > MAX_FILE_BYTES)
    throw invalid(
      `${file} has over ${MAX_FILE_BYTES / 1024 / 1024} MiB`,
      "A backlog is a text file of numbered lines: name another.",
    );
  const text = Backlog.decode(bytesOf(file));
  const { items, problems } = Backlog.parse(text);
  if (problems.length > 0) {
    const lines = problems
      .slice(0, MAX_SHOWN)
      .map((p) => `  ${p.line > 0 ? `line ${p.line}: ` : ""}${p.message}. ${p.remedy}`);
    const more = problems.length > MAX_SHOWN ? `\n  and ${problems.length - MAX_SHOWN} more` : "";
    throw invalid(
      `${file} is not a backlog:\n${lines.join("\n")}${more}`,
      "Correct it; coherence backlog check FILE shows all of it.",
    );
  }
  if (items.length > Backlog.MAX_ITEMS)
    throw invalid(
      `${file} has ${items.length} items; at most ${Backlog.MAX_ITEMS} are taken`,
      "Split the file; each file is a backlog of its own.",
    );
  return { text, items };
}

function bytesOf(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    throw fail("backlog.invalid", `${file} cannot be read: ${messageOf(error)}`, { remedy: "Make it readable." });
  }
}

/** Makes the scratch repository under the home when it is not there, and returns it as the target. */
export async function scratchTarget(home: string, env: Readonly<Record<string, string | undefined>>): Promise<Target> {
  const repo = join(home, "scratch-repository");
  const file = join(repo, "BACKLOG.md");
  if (!existsSync(repo)) {
    // Made beside its place, so that a kill leaves none that is half made.
    const draft = `${repo}.new`;
    rmSync(draft, { recursive: true, force: true });
    for (const [path, text] of Object.entries(scratchFiles())) {
      mkdirSync(dirname(join(draft, path)), { recursive: true });
      writeFileSync(join(draft, path), text);
    }
    for (const args of [
      ["init", "--quiet", "--initial-branch=main"],
      ["add", "--all"],
      ["commit", "--quiet", "--message", "A small repository to show the pipeline at work"],
    ]) {
      const exit = await Process.exec(
        {
          file: "git",
          args,
          cwd: draft,
          env: Process.baseEnv(env, { ...IDENTITY, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1" }),
        },
        new AbortController().signal,
      );
      if (exit.code !== 0)
        throw fail("workspace.git", `git ${args[0]} failed: ${exit.stderr.trim()}`, {
          remedy: "Install git 2.30 or newer.",
        });
    }
    renameSync(draft, repo);
  }
  return { repo, backlogFile: file, backlog: "BACKLOG", scratch: true };
}
