import { createHash } from "node:crypto";
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import type { Scenario } from "../../core/work/provider/simulated/scenario.ts";
import { COMPILED } from "../support/compiled.ts";
import { scratch, type Scratch } from "../support/git.ts";

/** A generated repository with a fast suite, a backlog and a scenario, and the real host as a process on it. */

const MAIN = fileURLToPath(new URL("../../functions/local/main.ts", import.meta.url));
/** One process for all test files: the suite costs what starting Node costs. */
const SUITE = ["--test", "--test-isolation=none"];
/** The branch that the items are merged into: the backlog's file is work.md. */
export const BRANCH = "coherence/work";

export type Project = Scratch & {
  items: string[];
  backlog: string;
  /** The whole environment of a host on it. */
  env: Record<string, string>;
};

/** Ids `item-01`, `item-02`, …; `src/shared.js` has a line that a scenario can let two of them change. */
export function project(count: number, rules: Scenario["rules"], workers = 5): Project {
  const items = Array.from({ length: count }, (_, i) => `item-${String(i + 1).padStart(2, "0")}`);
  const made = scratch({
    "package.json": JSON.stringify({ private: true, type: "module", scripts: { test: `node ${SUITE.join(" ")}` } }),
    "README.md": "# A project\n",
    "work.md": `## Phase 1: All\n\n${items.map((id, i) => `${i + 1}. Do the work of ${id} {#${id}}`).join("\n")}\n`,
    "src/shared.js": 'export const parts = [\n  "first",\n];\n',
    "test/shared.test.js":
      'import assert from "node:assert/strict";\nimport { test } from "node:test";\n' +
      'import { parts } from "../src/shared.js";\n\ntest("has parts", () => assert.ok(parts.length > 0));\n',
  });
  const scenario = join(made.dir, "..", "scenario.json");
  writeFileSync(scenario, JSON.stringify({ name: "test", rules }));
  return {
    ...made,
    items,
    backlog: join(made.dir, "work.md"),
    env: {
      PATH: process.env["PATH"] ?? "",
      HOME: join(made.dir, ".."),
      COHERENCE_HOME: made.home,
      COHERENCE_SCENARIO: scenario,
      COHERENCE_TEST_COMMAND: [process.execPath, ...SUITE].join(" "),
      COHERENCE_LOG_LEVEL: "warn",
      NODE_COMPILE_CACHE: COMPILED,
      AGENT_RUNNER_WORKERS: String(workers),
      PORT: "0",
      ...(process.env["DYNOXIDE_BIN"] ? { DYNOXIDE_BIN: process.env["DYNOXIDE_BIN"] } : {}),
    },
  };
}

/** The host's arguments for working through a project once. */
export function once(made: Project, provider = "simulated"): string[] {
  return ["--once", "--repo", made.dir, "--backlog", made.backlog, "--provider", provider];
}

/** Starts the host, or another program that ends in it, as a process of its own with nothing of this one's environment. */
export function startHost(
  made: Project,
  options: { main?: string; env?: Record<string, string>; provider?: string; more?: string[] } = {},
) {
  return execa(process.execPath, [options.main ?? MAIN, ...once(made, options.provider), ...(options.more ?? [])], {
    reject: false,
    extendEnv: false,
    env: { ...made.env, ...options.env },
    cwd: made.dir,
    stdin: "ignore",
    all: true,
  });
}

/** Everything of the user's that nobody else may change, as bytes: files, index, HEAD, own branch, settings. */
export function users(made: Project): Record<string, string> {
  const found: Record<string, string> = {};
  const hash = (path: string) => createHash("sha256").update(readFileSync(path)).digest("hex");
  const walk = (under: string) => {
    for (const entry of readdirSync(join(made.dir, under), { withFileTypes: true })) {
      const path = join(under, entry.name);
      if (path === ".git") continue;
      if (entry.isDirectory()) walk(path);
      else found[path] = `${statSync(join(made.dir, path)).mode} ${hash(join(made.dir, path))}`;
    }
  };
  walk("");
  for (const file of ["HEAD", "index", "config", "refs/heads/main"])
    found[`.git/${file}`] = hash(join(made.dir, ".git", file));
  found["branches"] = made.git(
    "for-each-ref",
    "--format=%(refname) %(objectname)",
    "refs/heads/main",
    "refs/tags",
    "refs/stash",
  );
  return found;
}

/** Every commit that the integration branch ever pointed to, the oldest first, by its reflog. */
export function pointedTo(made: Project): string[] {
  return made.git("reflog", "show", "--format=%H", BRANCH).split("\n").reverse();
}

/** The branch's own commits, the oldest first: its base and one a merge. */
export function mainline(made: Project, since: string): string[] {
  return made.git("rev-list", "--first-parent", "--reverse", `${since}..${BRANCH}`).split("\n").filter(Boolean);
}

/** Checks commits out one after the other, runs the suite on each, and returns those that are not green. */
export async function notGreen(made: Project, commits: readonly string[]): Promise<string[]> {
  const tree = join(made.dir, "..", "each-commit");
  const red: string[] = [];
  made.git("worktree", "add", "--quiet", "--detach", tree, commits[0] ?? "HEAD");
  for (const commit of commits) {
    await execa("git", ["checkout", "--quiet", "--detach", commit], { cwd: tree, extendEnv: false, env: made.env });
    const run = await execa(process.execPath, SUITE, {
      cwd: tree,
      reject: false,
      extendEnv: false,
      env: { PATH: made.env["PATH"] ?? "" },
      all: true,
    });
    if (run.exitCode !== 0 || !/^# pass [1-9]|^ℹ pass [1-9]/m.test(run.all))
      red.push(`${commit}: ${run.all.slice(-500)}`);
  }
  made.git("worktree", "remove", "--force", tree);
  rmSync(tree, { recursive: true, force: true });
  return red;
}

/** Live processes whose command line or environment names the project's folder: hosts, agents, suites, engines. */
export function processesOf(made: Project): string[] {
  const place = join(made.dir, "..");
  return readdirSync("/proc").flatMap((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return [];
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
      const state = readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\) /, "")[0];
      const environment = readFileSync(`/proc/${pid}/environ`, "utf8");
      return state !== "Z" && `${command}${environment}`.includes(place) ? [`${pid} ${command}`] : [];
    } catch {
      return []; // it ended meanwhile
    }
  });
}
