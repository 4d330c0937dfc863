import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** Scratch repositories for tests, on a memory disk where there is one. */
const PLACE = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

export type Scratch = {
  /** The user's checkout. */
  dir: string;
  /** A home for the pipeline, outside it. */
  home: string;
  git(...args: string[]): string;
  /** Writes files (null deletes) and, with a message, commits them all; returns HEAD. */
  commit(files: Record<string, string | null>, message?: string): string;
  remove(): void;
};

const ENV = {
  PATH: process.env["PATH"] ?? "",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_OPTIONAL_LOCKS: "0",
  GIT_AUTHOR_NAME: "User",
  GIT_AUTHOR_EMAIL: "user@example.com",
  GIT_COMMITTER_NAME: "User",
  GIT_COMMITTER_EMAIL: "user@example.com",
};

/** Git in `dir` as a user; trimmed output, throws with what git said. */
export function gitAs(dir: string, ...args: string[]): string {
  return execFileSync("git", args, { cwd: dir, env: ENV, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();
}

/** Writes files under `dir`; null deletes one. */
export function put(dir: string, files: Record<string, string | null>): void {
  for (const [path, text] of Object.entries(files)) {
    const place = join(dir, path);
    if (text === null) rmSync(place, { recursive: true, force: true });
    else {
      mkdirSync(dirname(place), { recursive: true });
      writeFileSync(place, text);
    }
  }
}

/** An empty directory that exists. */
export function scratchDir(): string {
  return realpathSync(mkdtempSync(join(PLACE, "coherence-git-")));
}

/** A repository on branch main; with files, they are its first commit. */
export function scratch(files?: Record<string, string>): Scratch {
  const place = scratchDir();
  const dir = join(place, "repo");
  mkdirSync(dir);
  gitAs(dir, "init", "--quiet", "--initial-branch=main");
  const made: Scratch = {
    dir,
    home: join(place, "home"),
    git: (...args) => gitAs(dir, ...args),
    commit(changes, message = "Change") {
      put(dir, changes);
      gitAs(dir, "add", "--all");
      gitAs(dir, "commit", "--quiet", "--allow-empty", "-m", message);
      return gitAs(dir, "rev-parse", "HEAD");
    },
    remove: () => rmSync(place, { recursive: true, force: true }),
  };
  if (files) made.commit(files, "First");
  return made;
}
