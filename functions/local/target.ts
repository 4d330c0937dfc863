import { existsSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Config } from "../../core/ground/config.ts";
import { fail } from "../../core/ground/errors.ts";
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
/** The checkout and backlog that the options name, or that lie where one expects them. */
export function targetOf(
  options: HostOptions,
  directory: string,
  config: Pick<Config, "metaBacklog" | "metaRatio">,
): Target {
  const repo = resolve(directory, options.repo ?? ".");
  if (!existsSync(repo) || !statSync(repo).isDirectory())
    throw fail("workspace.not_a_repository", `${repo} is not a folder`, { remedy: "Name a git checkout: --repo DIR." });
  const named = options.backlog === undefined ? undefined : resolve(directory, options.backlog);
  const file = named ?? USUAL_PLACES.map((place) => join(repo, place)).find((path) => existsSync(path));
  // At a ratio of 0 meta never has a place: pushed, it would wait for ever.
  const meta =
    config.metaBacklog === undefined || config.metaRatio === 0 ? undefined : resolve(repo, config.metaBacklog);
  return {
    repo,
    scratch: false,
    ...(file === undefined ? {} : { backlogFile: file, backlog: Backlog.idOfFile(file) }),
    ...(meta === undefined ? {} : { metaFile: meta }),
  };
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
