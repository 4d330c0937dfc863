import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Scenario } from "../../core/work/provider/simulated/scenario.ts";
import * as Task from "../../core/work/task/index.ts";
import { put } from "../support/git.ts";
import {
  BRANCH,
  mainline,
  notGreen,
  pointedTo,
  processesOf,
  project,
  startHost,
  users,
  type Project,
} from "./project.ts";
import { faults, tableOf, type Table } from "./table.ts";

/** Both change the same line, and begin from the same tip: the second to be merged conflicts. */
const collide = (item: string): Scenario["rules"][number] => ({
  match: { item, phase: "impl", round: 0 },
  do: { step: "edit", path: "src/shared.js", find: '  "first",', content: `  "first, by ${item}",` },
});

const RULES: Scenario["rules"] = [
  collide("item-01"),
  collide("item-02"),
  {
    match: { item: "item-03", phase: "review", round: 0 },
    do: { step: "review_rejects", findings: ["Not like this."] },
  },
  { match: { item: "item-04", phase: "test", round: 0 }, do: { step: "red_tests" } },
  { match: { item: "item-05", phase: "impl", attempt: 1, turn: 1 }, do: { step: "crash" } },
  {
    match: { item: "item-07", phase: "spec", attempt: 1 },
    do: { step: "question", prompt: "Which way?", options: ["this", "that"], default: "this", default_after_s: 1 },
  },
  // The last one: while the model cools down, whoever meets trouble would have nothing to fall back on.
  {
    match: { item: "item-20", phase: "impl", turn: 1, model: "sim-fast" },
    do: { step: "rate_limit", retry_after_ms: 20_000 },
  },
];

describe("20 items through the real host, 5 at a time", () => {
  let made: Project;
  let base: string;
  let before: Record<string, string>;
  let after: Record<string, string>;
  let ended: { code: number | undefined; said: string };
  let left: string[];
  let table: Table;

  beforeAll(async () => {
    made = project(20, RULES);
    base = made.git("rev-parse", "HEAD");
    // The user is in the middle of something: one change staged, one not, one file not even known.
    put(made.dir, { "README.md": "# A project, changed\n", "notes.txt": "mine\n", "src/own.js": "export {};\n" });
    made.git("add", "src/own.js");
    before = users(made);
    const run = await startHost(made);
    ended = { code: run.exitCode, said: run.all ?? "" };
    left = processesOf(made);
    after = users(made);
    table = await tableOf(made.home);
    console.log(ended.said.split("\n").slice(-9).join("\n"));
  }, 300_000);
  afterAll(() => rmSync(join(made.dir, ".."), { recursive: true, force: true }));

  it("ends with 0: all are done", () => {
    expect(ended, ended.said).toMatchObject({ code: 0 });
    expect(table.items.map((item) => item.state)).toEqual(made.items.map(() => "done"));
  });

  it("merges each item once, and is green at every commit that the branch ever pointed to", async () => {
    const merges = mainline(made, base);
    const names = merges.map((sha) =>
      made.git("show", "--no-patch", "--format=%(trailers:key=Coherence-Item,valueonly)", sha),
    );
    expect(names.map((name) => name.trim()).sort()).toEqual(made.items.map((id) => `work/${id}`));
    expect(pointedTo(made)).toEqual([base, ...merges]);
    expect(await notGreen(made, pointedTo(made))).toEqual([]);
  }, 120_000);

  it("plays every kind of trouble that the scenario holds", () => {
    const outcomes = new Set(table.attempts.map((one) => one.outcome?.kind));
    expect([...outcomes].sort()).toEqual(["conflict", "passed", "question", "red", "rejected"]);
    // Who was turned away while another's failure cooled down did not go: how often that is depends on the machine.
    const went = table.attempts.flatMap((one) => one.tried.filter(Task.wentFor));
    const classes = new Set(went.map((tried) => tried.class));
    expect([...classes].sort()).toEqual(["crash", "rate_limit"]);
    const rounds = table.items.filter((item) => item.round > 0).map((item) => item.id);
    expect(rounds).toHaveLength(3);
    expect(rounds).toEqual(expect.arrayContaining(["item-03", "item-04"]));
    expect(rounds.some((id) => id === "item-01" || id === "item-02")).toBe(true);
  });

  it("resolves the conflict with both sides kept", () => {
    const text = made.git("show", `${BRANCH}:src/shared.js`);
    for (const id of ["item-01", "item-02"]) expect(text).toContain(`"first, by ${id}",`);
    expect(text).not.toContain("<<<<<<<");
  });

  it("makes no task twice, settles no attempt twice, and counts what is there", () => {
    expect(faults(table)).toEqual([]);
  });

  it("leaves the user's branch, HEAD, index and tree as they were", () => {
    expect(after).toEqual(before);
  });

  it("leaves no process behind", () => {
    expect(left).toEqual([]);
  });

  it("prints each change once, and nothing of a fault", () => {
    const changes = ended.said.split("\n").filter((line) => /^\d\d:\d\d:\d\d item-/.test(line));
    const said = changes.map((line) => line.slice(9));
    expect(said.filter((line, i) => said.indexOf(line) !== i && !/spec|impl/.test(line))).toEqual([]);
    expect(ended.said).not.toMatch(/"level":|broke|\n\s+at /);
  });
});
