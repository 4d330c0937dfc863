import { afterEach, beforeEach } from "vitest";
import * as Clock from "../../core/ground/clock.ts";
import * as Process from "../../core/ground/process/index.ts";
import * as Workspace from "../../core/work/workspace/index.ts";
import { scratch, type Scratch } from "../support/git.ts";

export const env = Process.baseEnv({ PATH: process.env["PATH"], HOME: "/nonexistent" });
export const never = new AbortController().signal;
export const clock = Clock.virtual(1_700_000_000_000);
export const ITEM = "coherence-item/backlog/one";
export const TRAILERS = { "Coherence-Task": "task_1", "Coherence-Attempt": "1" };

export let repo: Scratch;
export let logged: string[];
export const log = (line: string) => void logged.push(line);

/** A repository of its own for every test of the file. */
export function eachWithItsRepository(): void {
  beforeEach(() => {
    repo = scratch({ "a.txt": "one\n", ".gitignore": "ignored/\n*.log\n" });
    logged = [];
  });
  afterEach(() => repo.remove());
}

export const connect = (more: Partial<Workspace.RepositoryOptions> = {}) =>
  Workspace.openRepository({ dir: repo.dir, home: repo.home, env, clock, graceMs: 200, ...more });

export async function open(
  repository: Workspace.Repository,
  branch = ITEM,
  from?: string,
): Promise<Workspace.Workspace> {
  return repository.open({
    branch,
    from: from ?? (await repository.user()).head,
    leftovers: { "Coherence-Task": "task_0" },
    signal: never,
    log,
  });
}

export const message = (ref: string) => repo.git("log", "-1", "--format=%B", ref);
export const branchHead = (branch = ITEM) => repo.git("rev-parse", `refs/heads/${branch}`);
export const files = (ref = ITEM) => repo.git("ls-tree", "-r", "--name-only", ref).split("\n");
