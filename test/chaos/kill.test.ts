import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Point } from "../../core/flow/worker/index.ts";
import * as Clock from "../../core/ground/clock.ts";
import * as Id from "../../core/ground/id.ts";
import type { Scenario } from "../../core/work/provider/simulated/scenario.ts";
import {
  BRANCH,
  mainline,
  notGreen,
  pointedTo,
  processesOf,
  project,
  startHost,
  type Project,
} from "../e2e/project.ts";
import { faults, tableOf, type Table } from "../e2e/table.ts";
import { readJournal, type Line, type Plan } from "./host.ts";

/** More for a soak run: CHAOS_KILLS=1000 npx vitest run test/chaos. */
const KILLS = Number(process.env["CHAOS_KILLS"] ?? 30);
const SEED = Number(process.env["CHAOS_SEED"] ?? 1);
const WORKERS = 3;
const HOST = fileURLToPath(new URL("host.ts", import.meta.url));
const AGENT = fileURLToPath(new URL("agent.mjs", import.meta.url));

/** How the kills are spread, of every 30. */
const SHARE: Record<Point, number> = {
  tick: 3,
  claimed: 3,
  "agent-working": 5,
  "agent-finished": 3,
  committed: 4,
  "outcome-written": 4,
  integrating: 3,
  integrated: 2,
  settled: 3,
};
/** Here the kill may also come a little later: in the middle of the agent's work, of a suite, of a merge. */
const LASTING: readonly Point[] = ["agent-working", "committed", "integrating"];
const POINTS = Object.keys(SHARE) as Point[];
const SLOW: Scenario["rules"] = [{ match: { phase: "impl" }, do: { step: "slow", ms: 150 } }];

type Kill = Extract<Line, { killed: Point }>;
type Passed = Exclude<Line, Kill>;
const isKill = (line: Line): line is Kill => "killed" in line;

type Variant = { what: string; provider: string; kills: number; points: readonly Point[] };
describe.each<Variant>([
  { what: "with the simulated agent", provider: "simulated", kills: KILLS, points: POINTS },
  {
    what: "with a CLI agent under the worker",
    provider: "codex",
    kills: Math.ceil(KILLS / 5),
    points: ["claimed", "agent-working", "committed", "integrating"],
  },
])("kill -9 of the host $kills times, $what", ({ provider, kills, points }) => {
  let made: Project;
  let dir: string;
  let base: string;
  let server: Server;
  let journal: Line[];
  let table: Table;
  let left: string[];
  let last: { code: number | undefined; said: string };
  /** Processes of agents and suites that were alive when their host had just been killed. */
  let orphaned = 0;

  beforeAll(
    async () => {
      made = project(Math.ceil(kills * 0.5) + 2, SLOW, WORKERS);
      dir = join(made.dir, "..");
      base = made.git("rev-parse", "HEAD");
      // What the CLI agent's probe asks: that there is a model server which takes the key.
      server = createServer((_, response) => response.end("{}"));
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const env = {
        CHAOS_DIR: dir,
        CODEX_BIN: AGENT,
        OPENAI_API_KEY: "loopback",
        OPENAI_BASE_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
      };
      const id = Id.seeded(SEED);
      for (let life = 1; ; life++) {
        expect(life, "the backlog is never finished").toBeLessThan(kills * 2 + 10);
        const plan = planOf(id, life, readJournal(dir).filter(isKill), kills, points);
        writeFileSync(join(dir, "plan.json"), JSON.stringify(plan));
        const begun = performance.now();
        const run = await startHost(made, { main: HOST, env, provider });
        last = { code: run.exitCode, said: run.all ?? "" };
        const kill = readJournal(dir).filter(isKill).at(-1);
        if (run.signal !== "SIGKILL" || kill?.life !== life) break;
        console.log(describeKill(kill, performance.now() - begun));
        orphaned += working(made).length;
        // By turns: what was at work ends by itself, or the next life meets it.
        if (life % 2 === 0) await ended(made);
      }
      left = processesOf(made);
      journal = readJournal(dir);
      table = await tableOf(made.home);
    },
    kills * 20_000 + 60_000,
  );
  afterAll(() => {
    server.close();
    rmSync(dir, { recursive: true, force: true });
  });

  const killed = () => journal.filter(isKill);
  const passed = (point: Point) =>
    journal.filter((line): line is Passed => !isKill(line)).filter((line) => line.point === point);

  it("kills so often, at every named point, often between commit and settle", () => {
    const by = Object.fromEntries(
      points.map((point) => [point, killed().filter((one) => one.killed === point).length]),
    );
    console.log(
      `${killed().length} kills: ${JSON.stringify(by)}; ${orphaned} processes of agents and suites outlived their host`,
    );
    expect(killed().length).toBeGreaterThanOrEqual(kills);
    for (const point of points) expect(by[point], point).toBeGreaterThan(0);
    const between = ["committed", "integrating", "integrated", "outcome-written"] as const;
    const least = provider === "simulated" ? 5 : 2;
    expect(between.reduce((sum, point) => sum + (by[point] ?? 0), 0)).toBeGreaterThanOrEqual(least);
  });

  it("finishes every item all the same, without a round for a kill", () => {
    expect(last, last.said).toMatchObject({ code: 0 });
    const items = table.items.map((item) => [item.id, item.state, item.round]);
    expect(items).toEqual(made.items.map((one) => [one, "done", 0]));
    // Once, before the first item: what came into the branch since was green.
    expect(last.said).not.toContain("checking the base");
  });

  it("settles nothing twice, makes no task twice, counts right, holds nothing", () => {
    expect(faults(table)).toEqual([]);
    const settled = passed("settled").map(({ facts }) => `${String(facts["taskId"])}/${String(facts["attempt"])}`);
    expect(settled.filter((one, i) => settled.indexOf(one) !== i)).toEqual([]);
  });

  it("loses nothing that was acknowledged", () => {
    const lost: string[] = [];
    const attempt = (facts: Passed["facts"]) =>
      table.attempts.find((one) => one.task_id === facts["taskId"] && one.n === (facts["n"] ?? facts["attempt"]));
    const all = new Set(made.git("rev-list", BRANCH).split("\n"));
    const check = (point: Point, holds: (facts: Passed["facts"]) => boolean) => {
      for (const { facts } of passed(point)) if (!holds(facts)) lost.push(`${point} ${JSON.stringify(facts)}`);
    };
    check("claimed", (facts) => attempt(facts) !== undefined);
    check(
      "outcome-written",
      (facts) => attempt(facts)?.outcome !== undefined && attempt(facts)?.end?.status === "completed",
    );
    check("settled", (facts) => attempt(facts)?.end?.status === facts["to"]);
    check("committed", (facts) => all.has(String(facts["head"])));
    check("integrated", (facts) => all.has(String(facts["tip"])));
    expect(lost).toEqual([]);
  });

  it("runs no agent again whose result was saved, and never two in one tree", () => {
    const lines = journal.filter((line): line is Passed => !isKill(line));
    const again = lines.filter(
      (line, i) =>
        line.point === "agent-working" &&
        lines.slice(0, i).some((one) => one.point === "agent-finished" && one.facts["taskId"] === line.facts["taskId"]),
    );
    expect(again).toEqual([]);
    const overlaps = join(dir, "overlaps");
    expect(existsSync(overlaps) ? readFileSync(overlaps, "utf8") : "").toBe("");
  });

  it(
    "merges each item once, and is green at every commit that the branch ever pointed to",
    async () => {
      const merges = mainline(made, base);
      const format = "--format=%(trailers:key=Coherence-Item,valueonly)";
      const names = merges.map((sha) => made.git("show", "--no-patch", format, sha).trim());
      expect(names.sort()).toEqual(made.items.map((one) => `work/${one}`).sort());
      expect(pointedTo(made)).toEqual([base, ...merges]);
      expect(await notGreen(made, pointedTo(made))).toEqual([]);
    },
    kills * 10_000,
  );

  it("leaves no agent, suite, host or engine running", () => {
    expect(left).toEqual([]);
  });
});

/** Where the next life ends: at one of a few points whose share is not used up yet. */
function planOf(id: Id.Id, life: number, before: readonly Kill[], kills: number, points: readonly Point[]): Plan {
  const shares = points.reduce((sum, point) => sum + SHARE[point], 0);
  const wanted = (point: Point) => Math.ceil((SHARE[point] * kills) / shares);
  const at = points
    .filter((point) => before.filter((one) => one.killed === point).length < wanted(point))
    .map((point) => ({ point, place: id.random() }))
    .sort((a, b) => a.place - b.place)
    .slice(0, 3)
    .map(({ point }) => point);
  const lasts = at.some((point) => LASTING.includes(point)) && id.random() < 0.5;
  return {
    life,
    at,
    after: 1 + Math.floor(id.random() * 3),
    delayMs: lasts ? 20 + Math.floor(id.random() * 200) : 0,
    sparedAfter: 3,
  };
}

function describeKill({ life, killed, delayMs, inFlight }: Kill, ms: number): string {
  const flights = inFlight.map(({ task, n, point }) => `${task.slice(5, 11)}/${n} ${point}`).join(", ");
  return `life ${life} (${(ms / 1000).toFixed(1)} s): killed at ${killed}${delayMs > 0 ? ` + ${delayMs} ms` : ""}; in flight: ${flights || "nothing"}`;
}

/** Agents, suites and set-ups: what runs in the pipeline's trees. */
function working(made: Project): string[] {
  return processesOf(made).filter((line) => !/dynoxide|supervisor\.mjs/.test(line));
}

/** Waits until nothing is at work any more though no host tells it to end; at most 20 s. */
async function ended(made: Project): Promise<void> {
  const clock = Clock.system();
  for (let waited = 0; working(made).length > 0; waited += 20) {
    expect(waited, working(made).join("\n")).toBeLessThan(20_000);
    await clock.sleep(20);
  }
}
