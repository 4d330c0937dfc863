import { execFile } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import * as Pipeline from "../../core/flow/pipeline/index.ts";
import * as Backlog from "../../core/work/backlog/index.ts";
import * as Provider from "../../core/work/provider/index.ts";
import { gitAs, put } from "../support/git.ts";
import { bench, median, MEMORY, ms, timed, type Bench, type Row } from "./support.ts";

const run = promisify(execFile);
const GOAL = 1.2;

/** One item through its four phases with worktree and suite, against what its git commands and suites cost bare. */
export async function item(): Promise<Row[]> {
  const place = mkdtempSync(join(MEMORY, "coherence-bench-item-"));
  try {
    const scenario = join(place, "scenario.json");
    writeFileSync(scenario, JSON.stringify({ name: "well", rules: [] }));
    const suites = join(place, "suites");
    const repo = join(place, "repo");
    mkdirSync(repo);
    put(repo, {
      ...Provider.scratchFiles(),
      "test/count.test.js": `import { appendFileSync } from "node:fs";\nappendFileSync(${JSON.stringify(suites)}, "x");\n`,
    });
    gitAs(repo, "init", "--quiet", "--initial-branch=main");
    gitAs(repo, "add", "--all");
    gitAs(repo, "commit", "--quiet", "-m", "First");

    const plain = await bench({ place, repositoryDir: repo, env: { COHERENCE_SCENARIO: scenario } });
    await walk(plain, "warm");
    const times: number[] = [];
    for (let i = 0; i < 5; i++) times.push(await walk(plain, `timed-${i}`));
    await plain.close();

    // The same once more with a git that notes its own time; it is not timed.
    const trace = join(place, "trace");
    const noting = await bench({
      place,
      repositoryDir: repo,
      env: { COHERENCE_SCENARIO: scenario, PATH: `${shim(place, trace)}:${process.env.PATH ?? ""}` },
    });
    await walk(noting, "warm-too");
    rmSync(trace, { force: true });
    writeFileSync(suites, "");
    await walk(noting, "noted");
    await noting.close();
    const gits = gitTimes(trace);
    const suiteRuns = readFileSync(suites, "utf8").length;

    const spawn = await bare(20, () => run("git", ["--version"]));
    const suite = await bare(7, () => run("npm", ["test"], { cwd: repo }));
    const git = gits.reduce((sum, one) => sum + one, 0) + gits.length * spawn;
    const cost = git + suiteRuns * suite;
    const whole = median(times);
    return [
      {
        what: "one item, four phases, worktree and suite",
        goal: `≤ ${GOAL.toFixed(2)} × bare`,
        figure: `${ms(whole)}: ${(whole / cost).toFixed(2)} ×`,
        ok: whole <= GOAL * cost,
        how: `median of 5; bare ${ms(cost)} = ${gits.length} git ${ms(git)} (own time + spawn ${ms(spawn)}) + ${suiteRuns} suites of ${ms(suite)}`,
      },
    ];
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

/** Pushes an item and waits until it is done; ms. */
async function walk(one: Bench, id: string): Promise<number> {
  // A backlog of its own, so that no line of an earlier one vanishes.
  const backlog = `b-${id}`;
  const took = await timed(async () => {
    await Pipeline.push(one.deps, { id: backlog, kind: "product", text: `## Phase 1: A\n\n1. Make ${id} {#${id}}\n` });
    for (;;) {
      await one.next((event) => event.type === "task.settled");
      const state = (await Backlog.item(one.deps, backlog, id))?.state;
      if (state === "done") return;
      if (state === "abandoned" || state === "asking") throw new Error(`the item is ${state}`);
    }
  });
  await one.idle();
  return took;
}

/** A folder with a git that writes what each of its processes took to `trace`. */
function shim(place: string, trace: string): string {
  const folder = join(place, "bin");
  mkdirSync(folder);
  const real = (process.env.PATH ?? "")
    .split(":")
    .map((one) => join(one, "git"))
    .find((path) => existsSync(path));
  writeFileSync(join(folder, "git"), `#!/bin/sh\nGIT_TRACE2_EVENT=${trace} exec ${real ?? "git"} "$@"\n`);
  chmodSync(join(folder, "git"), 0o755);
  return folder;
}

/** Ms of each git that was called, those that git called itself left out. */
function gitTimes(trace: string): number[] {
  return readFileSync(trace, "utf8")
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as { event: string; sid: string; t_abs?: number })
    .filter(({ event, sid }) => event === "atexit" && !sid.includes("/"))
    .map(({ t_abs }) => (t_abs ?? 0) * 1000);
}

async function bare(count: number, act: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < count; i++) times.push(await timed(act));
  return median(times);
}
