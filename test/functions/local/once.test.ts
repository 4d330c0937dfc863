import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test, vi } from "vitest";
import * as Clock from "../../../core/ground/clock.ts";
import * as Config from "../../../core/ground/config.ts";
import * as Id from "../../../core/ground/id.ts";
import * as Log from "../../../core/ground/log.ts";
import * as Attempt from "../../../core/work/attempt/index.ts";
import * as Backlog from "../../../core/work/backlog/index.ts";
import * as Task from "../../../core/work/task/index.ts";
import { startHost } from "../../../functions/local/host.ts";
import { parseOptions } from "../../../functions/local/options.ts";
import { put } from "../../support/git.ts";
import * as Chat from "../../support/models/chat.ts";
import {
  backlogOf,
  endAll,
  fakeCodex,
  inTable,
  place,
  processesOf,
  QUICK_SUITE,
  repository,
  run,
  scenario,
  start,
  type Place,
} from "./support.ts";

/** Work through a backlog: exit codes, limits, a file that changes, prompts and secrets. */

vi.setConfig({ testTimeout: 100_000 });
afterAll(endAll);

/** A repository with these items, and the words that work through them with the simulated provider. */
function plan(ids: string[], ...more: string[]) {
  const repo = repository(ids);
  return { repo, argv: ["--once", "--provider", "simulated", "--repo", repo.dir, "--backlog", repo.backlog, ...more] };
}

const statesIn = (at: Place) =>
  inTable(at.home, async (store) =>
    Object.fromEntries((await Backlog.items({ store }, "plan")).map((item) => [item.id, item.state])),
  );

describe("exit codes and limits", () => {
  test("0: all done; the backlog file is byte for byte what it was, the user's branch where it was", async ({
    expect,
  }) => {
    const { repo, argv } = plan(["a"]);
    const bytes = readFileSync(repo.backlog);
    const head = repo.git("rev-parse", "main");
    const { code, out, err } = await run(argv, { at: place(), env: QUICK_SUITE });
    expect([code, err]).toEqual([0, ""]);
    expect(out).toMatch(/^Items {5}1: 1 done$/m);
    expect(out).toMatch(/^Tasks {5}4 completed, 0 failed/m);
    expect(out).not.toMatch(/^Left/m);
    expect(readFileSync(repo.backlog).equals(bytes)).toBe(true);
    expect([repo.git("rev-parse", "main"), repo.git("status", "--porcelain")]).toEqual([head, ""]);
    expect(repo.git("ls-tree", "--name-only", "-r", "coherence/plan")).toMatch(/src\/items\/a\.js/);
  });

  test("1: a review that always rejects abandons its item", async ({ expect }) => {
    const at = place();
    const { argv } = plan(["a"]);
    const rule = { match: { phase: "review" }, do: { step: "review_rejects", findings: ["No."] } };
    const { code, out } = await run(argv, { at, env: { ...QUICK_SUITE, ...scenario(at, rule) } });
    expect(code).toBe(1);
    expect(out).toMatch(/^Items {5}1: 1 abandoned$/m);
    expect(out).toMatch(
      /^Needs you 1:\n {2}- a: more than 5 rounds; the last: the review rejected it\n {4}start without --once, then: coherence retry plan\/a$/m,
    );
  });

  test("1: only a person can answer a question without a default; the others go on", async ({ expect }) => {
    const at = place();
    const { argv } = plan(["a", "b"]);
    const rule = { match: { item: "a", attempt: 1 }, do: { step: "question", prompt: "Red or blue?", options: [] } };
    const { code, out } = await run(argv, { at, env: { ...QUICK_SUITE, ...scenario(at, rule) } });
    expect(code).toBe(1);
    expect(out).toMatch(/^Items {5}2: 1 asking, 1 done$/m);
    expect(out).toMatch(
      /^Needs you 1:\n {2}- a: Red or blue\?\n {4}start without --once, then: coherence decide task_\w+ "…"$/m,
    );
  });

  test("1: a key that is refused is the reason that is shown, first of all the others", async ({ expect }) => {
    const models = await Chat.startOpenRouter(() => ({ kind: "status", status: 401, message: "planted 401" }));
    const { repo } = plan(["a"]);
    const { code, out } = await run(["--once", "--repo", repo.dir, "--backlog", repo.backlog], {
      at: place(),
      env: { ...QUICK_SUITE, OPENROUTER_API_KEY: "test-key", OPENROUTER_BASE_URL: models.url },
    });
    await models.close();
    expect(code).toBe(1);
    expect(models.requests).toHaveLength(1);
    const why = String.raw`a: (?:asking: )?No provider can do this: openrouter-free openrouter/free: .*planted 401.*`;
    expect(out).toMatch(new RegExp(String.raw`^\d\d:\d\d:\d\d ${why}$`, "m"));
    expect(out).toMatch(
      new RegExp(String.raw`^  - ${why}\n    start without --once, then: coherence decide task_`, "m"),
    );
  });

  test("--accept-red-base: green then means not redder", async ({ expect }) => {
    const { argv, repo } = plan(["a"], "--accept-red-base");
    const env = { COHERENCE_TEST_COMMAND: "sh -c 'echo 3 passed, 2 failed; exit 1'" };
    const { code, out } = await run(argv, { at: place(), env });
    expect(code).toBe(0);
    expect(out).toMatch(/^the base is red and accepted so \(.*3 passed, 2 failed\)/m);
    expect(repo.git("show", "coherence/plan:src/items/a.js")).toContain("simulated");
  });

  test("--max-items 2 of 4: two are done, the summary says what is left and why, exit 1", async ({ expect }) => {
    const at = place();
    const { argv } = plan(["a", "b", "c", "d"]);
    const first = await run([...argv, "--max-items", "2"], { at, env: QUICK_SUITE });
    expect(first.code).toBe(1);
    expect(first.out).toMatch(/^Items {5}4: 2 done, 2 queued$/m);
    expect(first.out).toMatch(/^Left {6}2: --max-items is reached; start again to go on$/m);
    expect(first.out).toMatch(/^Needs you nothing$/m);
  });

  test("--merge none: done on its own branch, the integration branch stays where it began", async ({ expect }) => {
    const { repo, argv } = plan(["a"], "--merge", "none");
    const { code, out } = await run(argv, { at: place(), env: QUICK_SUITE });
    expect(code).toBe(0);
    expect(out).toMatch(/^Branch {4}coherence-item\/plan\/\*$/m);
    expect(repo.git("rev-parse", "coherence/plan")).toBe(repo.git("rev-parse", "main"));
    expect(repo.git("show", "coherence-item/plan/a:src/items/a.js")).toContain("simulated");
  });
});

describe.concurrent("--hours", () => {
  test("--hours that are over at once: nothing starts, exit 1", async ({ expect }) => {
    const { argv } = plan(["a"], "--hours", "0.000001");
    const { code, out } = await run(argv, { at: place(), env: QUICK_SUITE });
    expect(code).toBe(1);
    expect(out).toMatch(/^Items {5}1: 1 queued$/m);
    expect(out).toMatch(/^Left {6}1: --hours are over; start again to go on$/m);
  });

  test("--hours that are over while an item is under way: it stops after the phase that runs", async ({ expect }) => {
    const at = place();
    const { argv } = plan(["a"], "--hours", String(12 / 3600));
    const rule = { match: { phase: "spec" }, do: { step: "slow", ms: 14_000 } };
    const { code, out } = await run(argv, { at, env: { ...QUICK_SUITE, ...scenario(at, rule) } });
    expect(code).toBe(1);
    expect(out).toMatch(/^Items {5}1: 1 impl$/m);
    expect(out).toMatch(/^Left {6}1: --hours are over/m);
  });
});

describe.concurrent("a backlog file that changes while it is worked on", () => {
  test("a new line is worked on, a line that vanished retires, a broken file changes nothing, no byte is written", async ({
    expect,
  }) => {
    const at = place();
    const { repo, argv } = plan(["b"]);
    const rule = { match: { item: "b" }, do: { step: "hang" } };
    const serving = argv.filter((word) => word !== "--once");
    const host = start(serving, { at, env: { ...QUICK_SUITE, ...scenario(at, rule) } });
    await host.line(/ b: spec$/);

    writeFileSync(repo.backlog, backlogOf(["b", "c"]));
    await host.line(/^pushed .*: 1 new, 0 changed, 0 retired, 1 as they were$/);
    await host.line(/ c: done$/);

    writeFileSync(repo.backlog, "1) not an item\n");
    expect(await host.line(/^the backlog stays as it was: .*plan\.md is not a backlog:/)).toBeDefined();
    expect(host.said()).not.toMatch(/^\s+at /m);

    const last = backlogOf(["c"]);
    writeFileSync(repo.backlog, last);
    await host.line(/^pushed .*: 0 new, 1 changed, 1 retired, 0 as they were$/);
    await host.line(/ b: retired/);
    host.kill("SIGTERM");
    const { code, err } = await host.ended;
    expect([code, err]).toEqual([0, ""]);
    expect(await statesIn(at)).toEqual({ b: "retired", c: "done" });
    expect(readFileSync(repo.backlog, "utf8")).toBe(last);
  });
});

describe.concurrent("prompts", () => {
  test("an override in the user's HEAD is used, one that is not committed is not", async ({ expect }) => {
    const at = place();
    const repo = repository(["a"], { ".coherence/prompts/impl.md": "Build it well: {{direction}}\n" });
    put(repo.dir, { ".coherence/prompts/test.md": "Not committed.\n" });
    const argv = ["--once", "--provider", "simulated", "--repo", repo.dir, "--backlog", repo.backlog];
    expect((await run(argv, { at, env: QUICK_SUITE })).code).toBe(0);
    const variants = await inTable(at.home, async (store) =>
      Promise.all(
        [1, 2, 3, 4].map(async (seq) => {
          const id = Task.idOfKey(Backlog.taskKey("plan", "a", seq));
          return (await Attempt.read(store, id, 1))?.prompt_variant ?? "";
        }),
      ),
    );
    expect(variants).toEqual(["spec@1", expect.stringMatching(/^impl@override-[0-9a-f]{8}$/), "test@1", "review@1"]);
  });
});

describe.concurrent("secrets of the host's environment", () => {
  test("none is in the table, the logs, the prompts, the tree, or in what set-up, suite and agent are given", async ({
    expect,
  }) => {
    const at = place();
    const codex = await fakeCodex();
    const own = codex.env.OPENAI_API_KEY ?? "";
    const secrets = {
      ANTHROPIC_API_KEY: "sk-ant-test-1f9c",
      AWS_SECRET_ACCESS_KEY: "aws-test-secret-77aa",
      GITHUB_TOKEN: "ghp_test0123456789",
      DATABASE_URL: "postgres://me:hunter2hunter2@db/x",
      NPM_TOKEN: "npm_test_token_42",
      HTTPS_PROXY: "http://user:proxypassword@127.0.0.1:9",
      SOME_PASSWORD: "correct-horse-battery",
    };
    const repo = repository(["a"]);
    const argv = ["--once", "--repo", repo.dir, "--backlog", repo.backlog, "--provider", "codex"];
    const env = {
      ...codex.env,
      ...secrets,
      COHERENCE_LOG_LEVEL: "debug",
      COHERENCE_SETUP_COMMAND: `sh -c 'env; env > ${at.root}/setup.env'`,
      COHERENCE_TEST_COMMAND: `sh -c 'env; env > ${at.root}/suite.env; echo 1 passed, 0 failed'`,
    };
    const { code, out, err } = await run(argv, { at, env });
    expect(code).toBe(0);
    await codex.close();

    const agents = readdirSync(at.root).filter((name) => name.startsWith("agent-"));
    expect(agents.length).toBe(4);
    const given = (name: string) => readFileSync(join(at.root, name), "utf8");
    // The agent has its own key, under one name, and no other's.
    for (const name of agents) {
      const seen = JSON.parse(given(name)) as Record<string, string>;
      const holding = Object.entries(seen).flatMap(([key, value]) => (value.includes(own) ? [key] : []));
      expect(holding).toEqual(["CODEX_API_KEY"]);
    }
    const everything = [
      ["what was said", `${out}${err}`],
      ...[...agents, "setup.env", "suite.env"].map((name) => [name, given(name)]),
      ...filesUnder(at.home).map((file) => [file, readFileSync(file, "latin1")]),
      ["the branches", repo.git("log", "--all", "-p")],
    ] as [string, string][];
    expect(everything.some(([name]) => name.endsWith("table.db"))).toBe(true);
    for (const [name, text] of everything) {
      for (const secret of Object.values(secrets)) expect([name, text.includes(secret)]).toEqual([name, false]);
      if (!agents.includes(name)) expect([name, text.includes(own)]).toEqual([name, false]);
    }
    // The suite's environment did reach the log, so the look into the table was worth it.
    expect(given("suite.env")).toContain("COHERENCE_TREE=");
  });
});

/** In this process, so that the minute between two probes of what is out of reach passes at once. */
describe("a provider that becomes ready later", () => {
  const soon = (): Clock.Clock => {
    const clock = Clock.system();
    return { ...clock, every: (ms, job) => clock.every(ms === 60_000 ? 200 : ms, job) };
  };
  const begin = async (suite: string) => {
    const at = place();
    const codex = await fakeCodex();
    codex.status = 503;
    const repo = repository(["a"]);
    const options = parseOptions(["--repo", repo.dir, "--backlog", repo.backlog, "--provider", "codex"]);
    if (options === "help") throw new Error("help");
    const said: string[] = [];
    const stop = new AbortController();
    const host = await startHost({
      options,
      directory: mkdtempSync(join(tmpdir(), "host-")),
      config: Config.read({
        PATH: process.env.PATH,
        HOME: at.root,
        PORT: "0",
        COHERENCE_HOME: at.home,
        COHERENCE_TEST_COMMAND: suite,
        ...codex.env,
      }),
      clock: soon(),
      id: Id.system(),
      log: Log.silent(),
      say: (line) => void said.push(line),
      signal: stop.signal,
    });
    const line = async (pattern: RegExp) => {
      while (!said.some((one) => pattern.test(one))) await new Promise((resolve) => setTimeout(resolve, 50));
    };
    await line(/no work is started: codex is not ready/);
    expect(said.join("\n")).not.toContain("checking the base");
    codex.status = 200;
    const end = async () => (stop.abort(), await host.stop(), await codex.close());
    return { at, repo, host, line, said, end };
  };

  test("its work begins, after the base was checked", async () => {
    const { line, said, end, at } = await begin("echo 1 passed, 0 failed");
    await line(/^a provider is ready: work begins$/);
    expect(said.findIndex((one) => one.startsWith("the base is green"))).toBeGreaterThan(0);
    while ((await itemsOf(said)).some(({ state }) => state !== "done"))
      await new Promise((resolve) => setTimeout(resolve, 100));
    await end();
    expect(existsSync(join(at.home, "host.lock"))).toBe(false);
    expect(processesOf(at)).toEqual([]);
  });

  test("on a red base it says so and nothing begins", async () => {
    const { line, said, end, host, at } = await begin("sh -c 'echo 1 passed, 1 failed; exit 1'");
    await line(/^a provider is ready, and still no work is started: The tests are red/);
    expect(host.idle).toContain("The tests are red");
    expect((await itemsOf(said)).map(({ state }) => state)).toEqual(["queued"]);
    await end();
    expect(processesOf(at)).toEqual([]);
  });
});

async function itemsOf(said: string[]): Promise<{ state: string }[]> {
  const url = said.find((line) => line.startsWith("api"))?.split(/\s+/)[1] ?? "";
  const answer = (await (await fetch(`${url}/api/agent/backlogs/plan/items`)).json()) as { items: { state: string }[] };
  return answer.items;
}

function filesUnder(dir: string): string[] {
  return readdirSync(dir, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
