import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test, vi } from "vitest";
import * as Backlog from "../../../core/work/backlog/index.ts";
import { gitAs, type Scratch } from "../../support/git.ts";
import { backlogOf, endAll, inTable, place, repository, run, untouched, type Place } from "./support.ts";

/** What cannot be done is refused with the remedy and exit 2: no stack trace, and nothing is changed. */

vi.setConfig({ testTimeout: 100_000 });
afterAll(endAll);

type Given = { argv: string[]; env?: Record<string, string>; cwd?: string; repo?: Scratch };
/** Seen only once the home is made: by a probe, by git, by set-up and tests. */
const LATE = { late: true };
type Case = [name: string, given: (at: Place) => Given, says: RegExp, remedy: RegExp, when?: typeof LATE];

/** A sound repository and backlog, worked on by the simulated provider; `files` beside it. */
const sound = (argv: string[], env: Record<string, string> = {}, files: Record<string, string> = {}): Given => {
  const repo = repository(["a"], files);
  return { argv: [...ONCE, "--repo", repo.dir, "--backlog", repo.backlog, ...argv], env, repo };
};
const ONCE = ["--once", "--provider", "simulated"];
/** A backlog file of these bytes. */
const backlog = (bytes: string | Uint8Array): Given => {
  const repo = repository(["a"]);
  writeFileSync(join(repo.dir, "other.md"), bytes);
  return { argv: [...ONCE, "--repo", repo.dir, "--backlog", join(repo.dir, "other.md")], repo };
};
const on = (dir: string): Given => ({ argv: [...ONCE, "--repo", dir] });
const inHome = (at: Place, make: (dir: string) => void): Given => {
  const dir = join(at.empty, "somewhere");
  mkdirSync(dir);
  make(dir);
  writeFileSync(join(at.empty, "plan.md"), backlogOf(["a"]));
  return { argv: [...ONCE, "--repo", dir, "--backlog", join(at.empty, "plan.md")] };
};

const CASES: Case[] = [
  ["an unknown option", () => sound(["--nope"]), /unknown option '--nope'/, /--help/],
  ["a stray word", () => sound(["stray"]), /too many arguments/, /--help/],
  ["--max-items 0", () => sound(["--max-items", "0"]), /whole number from 1/, /--help/],
  ["--hours of none", () => sound(["--hours", "soon"]), /It takes hours/, /--help/],
  ["an unknown --merge", () => sound(["--merge", "squash"]), /Allowed choices are branch, none/, /--help/],
  ["--once --paused", () => sound(["--paused"]), /--paused starts no work/, /Leave one/],
  [
    "an unknown provider",
    () => sound(["--provider", "nobody"]),
    /no provider "nobody"/,
    /codex, (?:[\w-]+, )*simulated/,
  ],
  ["a port that is none", () => sound([], { PORT: "http" }), /PORT:/, /Set PORT/],
  ["workers out of range", () => sound([], { AGENT_RUNNER_WORKERS: "0" }), /AGENT_RUNNER_WORKERS:/, /range/],
  ["a folder that is not there", () => on("/nowhere/at/all"), /\/nowhere\/at\/all is not a folder/, /--repo DIR/],
  ["a file in place of a folder", () => on(process.execPath), /is not a folder/, /--repo DIR/],
  [
    "no backlog",
    (at) => ({ ...on(repository([]).dir), env: { HOME: at.root } }),
    /no backlog to work/,
    /--backlog/,
    LATE,
  ],
  ["a backlog that is not there", () => sound(["--backlog", "/no.md"]), /no backlog file \/no.md/, /--backlog FILE/],
  ["a folder as a backlog", () => sound(["--backlog", "/tmp"]), /no backlog file \/tmp/, /--backlog FILE/],
  ["a backlog of 0 bytes", () => backlog(""), /the file is empty/, /1\. what to do/],
  ["a backlog without items", () => backlog("# Ideas\n\nMany.\n"), /no numbered items/, /1\. what to do/],
  ["a binary backlog", () => backlog(new Uint8Array(4096).map((_, i) => i % 256)), /NUL bytes/, /UTF-8/],
  ["a backlog in Latin-1", () => backlog(new Uint8Array([49, 46, 32, 252, 10])), /line 1: .*not UTF-8/, /UTF-8/],
  ["100 000 lines", () => backlog(backlogOf(Array.from({ length: 1e5 }, (_, i) => `i${i}`))), /100000 items/, /Split/],
  [
    "100 000 broken lines",
    () => backlog("1) no\n".repeat(1e5)),
    /line 1: .*\n.*\n.*\n.*\n.*\n {2}and 96 more/,
    /check/,
  ],
  ["an id twice", () => backlog("1. one {#a}\n2. two {#a}\n"), /line 2: the id "a" is also on line 1/, /id of its own/],
  ["an item too long", () => backlog(`1. ${"x".repeat(5001)}\n`), /line 1: .*5001 characters/, /spec file/],
  [
    "a missing meta backlog",
    () => sound([], { PIPELINE_META_BACKLOG: "no.md" }),
    /no backlog file .*no\.md/,
    /PIPELINE_META/,
  ],
  ["no repository", (at) => inHome(at, () => {}), /is not a git repository/, /git init/, LATE],
  ["no commits", (at) => inHome(at, (dir) => void gitAs(dir, "init", "-q")), /has no commit/, /--allow-empty/, LATE],
  [
    "a bare repository",
    (at) => inHome(at, (dir) => void gitAs(dir, "init", "-q", "--bare")),
    /without a working tree/,
    /clone/,
    LATE,
  ],
  [
    "a folder inside a repository",
    () => {
      const given = sound([], {}, { "inner/file.txt": "x" });
      return { ...given, argv: [...given.argv, "--repo", join(given.repo?.dir ?? "", "inner")] };
    },
    /is inside the repository/,
    /Start in/,
    LATE,
  ],
  [
    "a home inside the checkout",
    () => {
      const given = sound([]);
      return { ...given, env: { COHERENCE_HOME: join(given.repo?.dir ?? "", "home") } };
    },
    /inside the checkout/,
    /COHERENCE_HOME/,
  ],
  [
    "a home that is a file",
    (at) => (writeFileSync(join(at.root, "file"), ""), sound([], { COHERENCE_HOME: join(at.root, "file") })),
    /home .* cannot be used/,
    /COHERENCE_HOME/,
  ],
  [
    "a scenario that is none",
    (at) => sound([], { COHERENCE_SCENARIO: at.empty }),
    /simulated is not ready/,
    /above/,
    LATE,
  ],
  [
    "a store that is not there",
    () => sound([], { DYNAMODB_ENDPOINT: "http://127.0.0.1:9" }),
    /No DynamoDB answers/,
    /unset/,
    LATE,
  ],
  [
    "an engine that is not there",
    () => sound([], { DYNOXIDE_BIN: "/no/engine" }),
    /DYNOXIDE_BIN points to/,
    /Unset/,
    LATE,
  ],
  [
    "a test command for a shell",
    () => sound([], { COHERENCE_TEST_COMMAND: "a && b" }),
    /&& needs a shell/,
    /script/,
    LATE,
  ],
  ["no tests", () => sound([]), /No test command/, /COHERENCE_TEST_COMMAND.*--accept-red-base/s, LATE],
  [
    "a red base",
    () => sound([], { COHERENCE_TEST_COMMAND: "sh -c 'echo 3 passed, 2 failed; exit 1'" }),
    /red before any work .*exit 1, 3 passed, 2 failed/,
    /--accept-red-base/,
    LATE,
  ],
  [
    "a test program that is missing",
    () => sound([], { COHERENCE_TEST_COMMAND: "no-such-program" }),
    /Cannot run no-such-program/,
    /fresh checkout/,
    LATE,
  ],
  [
    "a set-up that fails",
    () => sound([], { COHERENCE_SETUP_COMMAND: "sh -c 'echo broken lockfile; exit 7'" }),
    /could not be set up: .*exit 7\nbroken lockfile/,
    /COHERENCE_SETUP_COMMAND/,
    LATE,
  ],
  [
    "an override that is broken",
    () => sound([], {}, { ".coherence/prompts/impl.md": "Do {{everything}}" }),
    /impl\.md holds unknown placeholders: \{\{everything\}\}/,
    /\{\{direction\}\}/,
    LATE,
  ],
];

describe.concurrent("it is refused", () => {
  test.for(CASES)("%s", async ([, given, says, remedy, when], { expect }) => {
    const at = place();
    const { repo, ...options } = given(at);
    const before = repo ? untouched(repo)() : "";
    const { code, out, err } = await run(options.argv, { at, ...options });
    expect(err).toMatch(says);
    expect(`${out}${err}`).toMatch(remedy);
    expect(`${out}${err}`).not.toMatch(/^\s+at |The host broke/m);
    expect(code).toBe(2);
    if (repo) expect(untouched(repo)()).toBe(before);
    if (!when) expect(existsSync(at.home)).toBe(false);
    if (existsSync(join(at.home, "store")))
      expect(await inTable(at.home, (store) => Backlog.list({ store }))).toEqual([]);
    expect(existsSync(join(at.home, "host.lock"))).toBe(false);
  });
});

test("help is no refusal", async () => {
  const { code, out, err } = await run(["--help"], { at: place() });
  expect([code, err]).toEqual([0, ""]);
  expect(out).toContain("--accept-red-base");
});

describe("--dry-run", () => {
  test("prints what would be done and makes nothing", async () => {
    const repo = repository(["a", "b", "c"]);
    const at = place();
    const before = untouched(repo)();
    const { code, out } = await run(["--dry-run", "--max-items", "2"], { at, cwd: repo.dir, env: {} });
    expect(code).toBe(0);
    expect(out).not.toContain("Would create");
    const named = await run(["--dry-run", "--max-items", "2", "--backlog", repo.backlog], { at, cwd: repo.dir });
    expect(named.out.match(/^Would create spec task: product \w+: Make \w+ work$/gm)).toHaveLength(2);
    expect(existsSync(at.home)).toBe(false);
    expect(untouched(repo)()).toBe(before);
  });

  test("refuses a broken backlog as a run does", async () => {
    const repo = repository(["a"], { "BACKLOG.md": "1) not an item\n" });
    const { code, out, err } = await run(["--dry-run"], { at: place(), cwd: repo.dir });
    expect([code, out]).toEqual([2, ""]);
    expect(err).toMatch(/BACKLOG\.md is not a backlog:\n {2}line 1: /);
  });
});
