import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import * as fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import * as Clock from "../../core/ground/clock.ts";
import * as Process from "../../core/ground/process/index.ts";
import * as Provider from "../../core/work/provider/index.ts";
import { keepBoth } from "../../core/work/provider/simulated/conflicts.ts";
import { stepFor } from "../../core/work/provider/simulated/scenario.ts";
import { ResultBlock, type Phase } from "../../core/work/task/index.ts";

let tree: string;
let log: string[];
beforeEach(() => {
  tree = scratch();
  log = [];
});

function scratch(): string {
  const root = mkdtempSync(join(tmpdir(), "simulated-"));
  for (const [path, text] of Object.entries(Provider.scratchFiles())) put(root, path, text);
  git(root, "init", "-q", "-b", "main");
  commit(root);
  return root;
}
function put(root: string, path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}
function git(root: string, ...args: string[]): string {
  const identity = ["-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "commit.gpgsign=false"];
  return execFileSync("git", [...identity, ...args], { cwd: root, encoding: "utf8" });
}
function commit(root: string): void {
  git(root, "add", "-A");
  git(root, "commit", "-q", "-m", "a commit");
}
const changed = (root: string) => git(root, "status", "--porcelain", "-uall").trim();
const suite = (root: string) =>
  spawnSync(process.execPath, ["--test"], { cwd: root, env: { PATH: process.env.PATH ?? "" }, encoding: "utf8" });

function provider(scenario?: unknown, clock: Clock.Clock = Clock.system()): Provider.Provider {
  const settings: { COHERENCE_SCENARIO?: string } = {};
  if (scenario !== undefined) {
    settings.COHERENCE_SCENARIO = join(mkdtempSync(join(tmpdir(), "scenario-")), "scenario.json");
    writeFileSync(settings.COHERENCE_SCENARIO, typeof scenario === "string" ? scenario : JSON.stringify(scenario));
  }
  const home = mkdtempSync(join(tmpdir(), "simulated-home-"));
  return Provider.create({ clock, home, hostEnv: process.env, settings, run: Process.run }).get("simulated");
}

type More = { item?: string; round?: number; attempt?: number; model?: string; root?: string; specPath?: string };
function request(phase: Phase, more: More = {}): Provider.RunRequest {
  const id = more.item ?? "goodbye";
  return {
    task: { id: `task_${id}_${phase}`, type: phase, direction: "d", attempt: more.attempt ?? 1, turn: 1 },
    item: { backlog: "b", id, text: `Do ${id}`, phase, round: more.round ?? 0 },
    prompt: "p".repeat(400),
    model: more.model ?? "sim-fast",
    cwd: more.root ?? tree,
    timeoutMs: 1000,
    log: (line) => log.push(line),
    ...(more.specPath === undefined ? {} : { specPath: more.specPath }),
  };
}

const one = (step: unknown, match: unknown = {}) => ({ name: "one", rules: [{ match, do: step }] });
const never = new AbortController().signal;

/** The block an answer ends with. */
function block(result: Provider.RunResult): ResultBlock {
  if (result.kind !== "finished") throw new Error(`it came to ${result.kind}`);
  const json = /```coherence-result\n(.*)\n```\n$/.exec(result.output)?.[1] ?? "";
  return ResultBlock.parse(JSON.parse(json));
}

describe("the default play", () => {
  test("an item walks its four phases and leaves a green suite", async () => {
    const play = provider();
    expect(suite(tree).status).toBe(0);
    const spec = block(await play.run(request("spec", { specPath: "specs/b/goodbye.md" }), never));
    expect(spec).toMatchObject({ spec_path: "specs/b/goodbye.md" });
    expect(readFileSync(join(tree, "specs/b/goodbye.md"), "utf8")).toContain("## Acceptance Tests");
    block(await play.run(request("impl"), never));
    expect(block(await play.run(request("test"), never))).toMatchObject({
      verdict: "pass",
      tests: ["test/goodbye.test.js"],
    });
    expect(suite(tree).stdout).toMatch(/# pass 3|pass 3/);
    expect(suite(tree).status).toBe(0);
    commit(tree);
    expect(block(await play.run(request("review"), never)).verdict).toBe("pass");
    expect(changed(tree)).toBe("");
    expect(log.every((line) => line.startsWith("[simulated]"))).toBe(true);
  });

  test("it holds a rejected review, a fallback and a question with a default, each once", async () => {
    const play = provider();
    const review = (round: number) => play.run(request("review", { item: "word-count", round }), never);
    expect(block(await review(0))).toMatchObject({ verdict: "fail", findings: [expect.any(String)] });
    expect(block(await review(1)).verdict).toBe("pass");
    const impl = (model: string) => play.run(request("impl", { item: "slug", model }), never);
    expect(await impl("sim-fast")).toMatchObject({
      failure: { class: "rate_limit", status: 429, retry_after_ms: 20_000 },
    });
    expect((await impl("sim-strong")).kind).toBe("finished");
    const spec = (attempt: number) => play.run(request("spec", { item: "round-money", attempt }), never);
    expect(block(await spec(1)).question).toMatchObject({ default: "half up", options: ["half up", "half to even"] });
    expect(block(await spec(2)).question).toBeUndefined();
  });

  test("every item of the scratch backlog that a rule names is there, in two phases", () => {
    const backlog = Provider.scratchFiles()["BACKLOG.md"] ?? "";
    const ids = [...backlog.matchAll(/^\d+\. .+ \{#([a-z-]+)\}$/gm)].map(([, id]) => id);
    expect(ids).toHaveLength(6);
    expect(backlog.match(/^## Phase/gm)).toHaveLength(2);
    for (const rule of Provider.DEFAULT_SCENARIO.rules) expect(ids).toContain(rule.match.item);
  });

  test("the same run writes the same bytes and answers the same, whoever plays it", async () => {
    const other = scratch();
    for (const phase of ["spec", "impl", "test", "review"] as const) {
      const first = await provider().run(request(phase), never);
      expect(await provider().run(request(phase, { root: other }), never)).toEqual(first);
    }
    git(tree, "add", "-A");
    git(other, "add", "-A");
    expect(git(other, "diff", "--cached")).toBe(git(tree, "diff", "--cached"));
  });

  test("each round of impl leaves a diff", async () => {
    for (const round of [0, 1, 2]) {
      await provider().run(request("impl", { round }), never);
      expect(changed(tree)).toContain("goodbye.js");
      commit(tree);
    }
  });

  test("its usage is counted from lengths and costs nothing", async () => {
    const { usage } = await provider().run(request("review"), never);
    expect(usage).toMatchObject({ tokens_in: 100, tokens_cached: 0, cost_usd: 0 });
  });
});

describe("the steps of a scenario", () => {
  test("no_diff changes nothing", async () => {
    block(await provider(one({ step: "no_diff" })).run(request("impl"), never));
    expect(changed(tree)).toBe("");
  });

  test("red_tests in a test phase is red until the next round of impl", async () => {
    const play = provider(one({ step: "red_tests" }, { phase: "test", round: 0 }));
    await play.run(request("impl"), never);
    expect(block(await play.run(request("test"), never)).verdict).toBe("fail");
    expect(suite(tree).status).toBe(1);
    await play.run(request("impl", { round: 1 }), never);
    expect(suite(tree).status).toBe(0);
    expect(block(await play.run(request("test", { round: 1 }), never)).verdict).toBe("pass");
    expect(suite(tree).status).toBe(0);
  });

  test("red_tests in impl is mended by its next attempt", async () => {
    const play = provider(one({ step: "red_tests" }, { phase: "impl", attempt: 1 }));
    await play.run(request("impl"), never);
    expect(suite(tree).status).toBe(1);
    await play.run(request("impl", { attempt: 2 }), never);
    expect(suite(tree).status).toBe(0);
  });

  test("server_error and rate_limit are classified as a real provider's are", async () => {
    const run = (step: unknown) => provider(one(step)).run(request("impl"), never);
    expect(await run({ step: "server_error" })).toMatchObject({ failure: { class: "overloaded", status: 503 } });
    expect(await run({ step: "rate_limit" })).toMatchObject({ failure: { class: "rate_limit", status: 429 } });
    expect(changed(tree)).toBe("");
  });

  test("hang ends by the signal alone, with its reason", async () => {
    const controller = new AbortController();
    const running = provider(one({ step: "hang" })).run(request("impl"), controller.signal);
    const reason = new Error("time is up");
    controller.abort(reason);
    await expect(running).rejects.toBe(reason);
  });

  test("crash is a real process that kills itself, after half the work", async () => {
    expect(await provider(one({ step: "crash" })).run(request("impl"), never)).toMatchObject({
      kind: "failed",
      failure: { class: "crash", message: "The agent ended with signal SIGKILL: [simulated]" },
    });
    expect(changed(tree)).toContain("goodbye.js");
  });

  test("secret leaves a file that looks like it holds a key", async () => {
    await provider(one({ step: "secret" })).run(request("impl"), never);
    expect(readFileSync(join(tree, "src/items/goodbye.credentials.js"), "utf8")).toMatch(/AKIA[A-Z]{16}/);
  });

  test("output of 10 MB still ends in its block", async () => {
    const result = await provider(one({ step: "output", bytes: 10_000_000 })).run(request("review"), never);
    if (result.kind !== "finished") throw new Error(`it came to ${result.kind}`);
    expect(Buffer.byteLength(result.output)).toBeGreaterThanOrEqual(10_000_000);
    expect(block(result).verdict).toBe("pass");
  });

  test("slow and delay_ms wait on the clock, and an abort ends the wait", async () => {
    const clock = Clock.virtual(0);
    let done = false;
    const play = provider(one({ step: "slow", ms: 1000, delay_ms: 500 }), clock);
    const running = play.run(request("review"), never).then((result) => ((done = true), result));
    while (log.length === 0) await new Promise((resolve) => setImmediate(resolve));
    await clock.advance(1400);
    expect(done).toBe(false);
    await clock.advance(100);
    expect(block(await running).verdict).toBe("pass");

    const controller = new AbortController();
    const waiting = play.run(request("review"), controller.signal);
    const reason = new Error("cancelled");
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
  });

  test("two items edit the same line; the conflict round keeps both sides", async () => {
    const edit = (item: string) => ({
      match: { item, phase: "impl", round: 0 },
      do: {
        step: "edit",
        path: "src/greet.js",
        find: "  return `Hello, ${name}!`;",
        content: `  // ${item}\n  return \`Hello, \${name}!\`;`,
      },
    });
    const play = provider({ name: "collide", rules: [edit("goodbye"), edit("slug")] });
    git(tree, "switch", "-q", "-c", "slug");
    await play.run(request("impl", { item: "slug" }), never);
    commit(tree);
    git(tree, "switch", "-q", "main");
    await play.run(request("impl", { item: "goodbye" }), never);
    commit(tree);
    git(tree, "switch", "-q", "slug");
    expect(() => git(tree, "merge", "main")).toThrow();
    expect(readFileSync(join(tree, "src/greet.js"), "utf8")).toContain("<<<<<<<");
    const result = block(await play.run(request("impl", { item: "slug", round: 1 }), never));
    expect(result.summary).toContain("src/greet.js");
    const text = readFileSync(join(tree, "src/greet.js"), "utf8");
    expect(text).not.toMatch(/^(<{7}|={7}|>{7})/m);
    expect(text).toContain("// goodbye");
    expect(text).toContain("// slug");
    expect(suite(tree).status).toBe(0);
  });

  test("a tree that cannot be written is a failure, not a throw", async () => {
    expect(await provider().run(request("impl", { root: join(tree, "BACKLOG.md") }), never)).toMatchObject({
      failure: { class: "workspace" },
    });
  });
});

describe("a scenario file", () => {
  const wrong: [string, unknown, RegExp][] = [
    ["no JSON", "{ not json", /JSON/],
    ["an unknown step", one({ step: "explode" }), /rules\[0\]\.do\.step/],
    ["a field of another step", one({ step: "hang", ms: 5 }), /rules\[0\]\.do.*ms/],
    ["an unknown match", one({ step: "hang" }, { itme: "x" }), /rules\[0\]\.match.*itme/],
    ["a wrong type", one({ step: "slow", ms: "long" }), /rules\[0\]\.do\.ms/],
    ["a path out of the tree", one({ step: "edit", path: "../x", content: "" }), /rules\[0\]\.do\.path/],
    ["a count in memory", { name: "n", rules: [{ match: {}, do: { step: "hang" }, times: 1 }] }, /rules\[0\].*times/],
  ];
  test.each(wrong)("%s is said with its place, by the probe and by the run", async (_, scenario, place) => {
    const play = provider(scenario);
    const readiness = await play.probe();
    expect(readiness).toMatchObject({ ready: false });
    expect(readiness.detail).toMatch(place);
    expect(await play.run(request("impl"), never)).toMatchObject({ failure: { class: "bad_request" } });
  });

  test("a missing file is scenario.invalid", async () => {
    await expect(Provider.loadScenario("/nowhere/scenario.json")).rejects.toMatchObject({ code: "scenario.invalid" });
  });

  test("the first rule that matches wins; a glob matches ids", () => {
    const scenario: Provider.Scenario = {
      name: "order",
      rules: [
        { match: { item: "word-*", round: 1 }, do: { step: "hang" } },
        { match: { item: "*" }, do: { step: "no_diff" } },
      ],
    };
    expect(stepFor(scenario, request("impl", { item: "word-count", round: 1 })).step).toBe("hang");
    expect(stepFor(scenario, request("impl", { item: "word-count" })).step).toBe("no_diff");
    const { item: _item, ...without } = request("impl");
    expect(stepFor(scenario, without).step).toBe("succeed");
  });
});

test("keeping both sides leaves no marker and loses no line", () => {
  const line = fc.stringMatching(/^[a-z ]{0,8}$/);
  const lines = fc.array(line, { maxLength: 4 });
  fc.assert(
    fc.property(lines, lines, lines, lines, fc.boolean(), (before, ours, theirs, after, withBase) => {
      const base = withBase ? ["||||||| base", "old line"] : [];
      const conflict = ["<<<<<<< ours", ...ours, ...base, "=======", ...theirs, ">>>>>>> theirs"];
      const text = [...before, ...conflict, ...after].join("\n");
      return keepBoth(text) === [...before, ...ours, ...theirs, ...after].join("\n");
    }),
  );
  expect(keepBoth("Title\n=======\ntext\n")).toBe("Title\n=======\ntext\n");
});
