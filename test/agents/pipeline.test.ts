import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import * as Clock from "../../core/ground/clock.ts";
import * as Config from "../../core/ground/config.ts";
import * as Id from "../../core/ground/id.ts";
import * as Log from "../../core/ground/log.ts";
import * as Attempt from "../../core/work/attempt/index.ts";
import * as Backlog from "../../core/work/backlog/index.ts";
import * as Metrics from "../../core/work/metrics/index.ts";
import * as Provider from "../../core/work/provider/index.ts";
import * as Task from "../../core/work/task/index.ts";
import * as Pipeline from "../../core/flow/pipeline/index.ts";
import { composeLocal } from "../../functions/compose/local.ts";
import { resolveEngine, startEngine } from "../../functions/local/dynamodb.ts";
import { loopback } from "../../functions/local/loopback.ts";
import { react } from "../../functions/subscribers/subscribers.ts";
import { startWorker } from "../../functions/worker/worker.ts";
import * as Host from "../functions/local/support.ts";
import * as ModelServer from "../support/model-server.ts";
import { binaryOf } from "./install.ts";

/** The pipeline with the real codex against a scripted model server: what a user has, but for the model. */

const KEY = "sk-loop-0123456789";
/** Ms within which the next candidate must have begun after a planted failure. */
const QUICKLY = 5_000;
const MODELS = ["gpt-6-luna", "gpt-6.1-terra", "gpt-6.1-sol"];

let binary: string;
let server: ModelServer.ModelServer | undefined;
const figures: string[] = [];

beforeAll(async () => {
  binary = await binaryOf("codex");
});
afterAll(() => console.log(figures.join("\n")));
afterEach(async () => {
  await Host.endAll();
  await server?.close();
  server = undefined;
});

type Play = (phase: Asked, request: ModelServer.ModelRequest, n: number) => ModelServer.Reply;
type Asked = { phase: string; spec: string; item: string; first: boolean };

/** What the "model" is asked, read out of the prompt as a model would: the phase, the spec's path, the item. */
function asked(request: ModelServer.ModelRequest): Asked {
  const text = JSON.stringify(request.body);
  return {
    phase: /type (\w+), attempt \d+/.exec(text)?.[1] ?? "",
    spec: /Spec file: (\S+?\.md)/.exec(text)?.[1] ?? "",
    item: /phase of item (\S+) of/.exec(text)?.[1] ?? "",
    first: !text.includes("function_call_output"),
  };
}

const shell = (cmd: string): ModelServer.Reply => ({ kind: "function", name: "exec_command", args: { cmd } });
const write = (path: string, text: string) =>
  shell(`mkdir -p "$(dirname ${path})" && cat > ${path} <<'END'\n${text}\nEND`);
const says = (block: object): ModelServer.Reply => ({
  kind: "text",
  text: `It is done.\n\n\`\`\`coherence-result\n${JSON.stringify(block)}\n\`\`\`\n`,
});

/** A model that does each phase's work by one command and then reports. */
const works: Play = ({ phase, spec, item, first }) => {
  switch (phase) {
    case "spec":
      return first
        ? write(spec, `# ${item}\n\nIt adds two numbers.`)
        : says({ summary: "Specified.", spec_path: spec });
    case "impl":
      return first ? write(`src/${item}.js`, "export const add = (a, b) => a + b;") : says({ summary: "Written." });
    case "test":
      return first
        ? write(
            `test/${item}.test.js`,
            `import assert from "node:assert";\nimport { test } from "node:test";\nimport { add } from "../src/${item}.js";\ntest("adds", () => assert.equal(add(1, 2), 3));`,
          )
        : says({ summary: "One test.", tests: ["adds"] });
    default:
      return first ? shell("git log --oneline | head -5") : says({ verdict: "pass", summary: "Reads well." });
  }
};

const serve = async (play: Play) =>
  (server = await ModelServer.start((request, n) => play(asked(request), request, n), KEY));

const PACKAGE = JSON.stringify({ name: "project", type: "module", scripts: { test: "node --test" } });
const GREET = 'import { test } from "node:test";\ntest("is there", () => {});\n';

function project(ids: string[]) {
  const repo = Host.repository(ids, { "package.json": PACKAGE, "test/there.test.js": GREET });
  return { repo, at: Host.place() };
}

// By its own setting, which codex alone takes: OPENAI_API_KEY would make the model server a provider beside it.
const environment = (url: string) => ({ OPENAI_BASE_URL: url, CODEX_API_KEY: KEY, CODEX_BIN: binary });

function once({ repo, at }: ReturnType<typeof project>, url: string): Host.Run {
  const argv = ["--once", "--repo", repo.dir, "--backlog", repo.backlog, "--provider", "codex"];
  return Host.start(argv, { at, env: environment(url) });
}

/** A run's end; one that comes to none fails with all that it said. */
async function summed(host: Host.Run): Promise<Host.Ended> {
  await host.line(/^Items /);
  return host.ended;
}

/** The item's tasks with their last attempts, in the order they were made. */
async function story(store: Parameters<typeof Attempt.read>[0], item: string) {
  const row = await Backlog.item({ store }, "plan", item);
  const ids = Array.from({ length: row?.seq ?? 0 }, (_, i) => Task.idOfKey(Backlog.taskKey("plan", item, i + 1)));
  return Promise.all(
    ids.map(async (id) => {
      const whole = (await Task.read(store, id)) as Task.Whole;
      const attempt = (await Attempt.read(store, id, whole.row.att)) as Attempt.AttemptRow;
      return { type: whole.row.task_type, status: whole.row.status, row: whole.row, attempt };
    }),
  );
}

/** Ids of this machine's native codex processes that carry this home; the supervisor is not one. */
function agents(home: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const ours = readFileSync(`/proc/${pid}/environ`, "utf8").includes(`CODEX_HOME=${home}`);
        return ours && readlinkSync(`/proc/${pid}/exe`).endsWith("/codex");
      } catch {
        return false; // ended meanwhile, or not ours to see
      }
    })
    .map(Number);
}

const seconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`;

describe("the host with the real codex", () => {
  test("an item goes through all four phases to a merged commit", async () => {
    const { url, requests } = await serve(works);
    const one = project(["add"]);
    const begun = performance.now();
    const { code, out, err } = await summed(once(one, url));
    figures.push(`one item, four phases: ${seconds(performance.now() - begun)}, ${requests.length} requests`);
    expect(`${out}${err}`).toContain("Items     1: 1 done");
    expect(code).toBe(0);

    expect(one.repo.git("log", "--format=%s", "coherence/plan").split("\n").slice(0, 1)).toEqual([
      "Merge add: Make add work",
    ]);
    expect(one.repo.git("show", "coherence/plan:src/add.js")).toContain("export const add");
    expect(one.repo.git("show", "coherence/plan:test/add.test.js")).toContain("adds");
    expect(one.repo.git("show", "main:plan.md")).toBe(readFileSync(one.repo.backlog, "utf8").trim());

    await Host.inTable(one.at.home, async (store) => {
      const tasks = await story(store, "add");
      expect(tasks.map(({ type, status }) => [type, status])).toEqual(
        ["spec", "impl", "test", "review"].map((type) => [type, "completed"]),
      );
      for (const { row, attempt } of tasks) {
        expect(row.model).toBe(`codex/${MODELS[0]}`);
        // Two requests a run: the command, and the answer.
        expect(attempt.usage).toMatchObject({ tokens_in: 2000, tokens_cached: 800, tokens_out: 100 });
        expect(attempt.usage?.cost_usd).toBeCloseTo((2 * (600 * 0.1 + 400 * 0.01 + 50 * 0.5)) / 1e6, 9);
      }
      const { usage } = await Metrics.read({ store, clock: Clock.system() });
      expect(usage).toMatchObject({ tokens_in: 8000, tokens_out: 400, coverage: 1 });
    });
    expect(requests.every(({ key }) => key === KEY)).toBe(true);
    expect(Host.processesOf(one.at)).toEqual([]);
  });

  test("a planted 429 on the first model reaches the next within 5 s", async () => {
    const { url, requests } = await serve((phase, request, n) =>
      phase.phase === "impl" && request.model === MODELS[0]
        ? { kind: "status", status: 429, type: "rate_limit_exceeded", headers: { "retry-after": "60" } }
        : works(phase, request, n),
    );
    const one = project(["add"]);
    const { code } = await summed(once(one, url));
    expect(code).toBe(0);
    const planted = requests.findIndex((request) => asked(request).phase === "impl");
    const [first, next] = requests.slice(planted);
    expect([first?.model, next?.model]).toEqual([MODELS[0], MODELS[1]]);
    const took = (next?.at ?? Infinity) - (first?.at ?? 0);
    expect(took).toBeLessThan(QUICKLY);

    await Host.inTable(one.at.home, async (store) => {
      const impl = (await story(store, "add"))[1];
      expect(impl?.attempt.tried).toMatchObject([
        { provider: "codex", model: MODELS[0], class: "rate_limit", turn: 1 },
      ]);
      expect(impl?.row).toMatchObject({ status: "completed", model: `codex/${MODELS[1]}`, tries: 0 });
      // From the claim to the second turn, the whole first run between them.
      const turn = (impl?.attempt.turn_at ?? Infinity) - (impl?.attempt.claimed_at ?? 0);
      expect(turn).toBeLessThan(QUICKLY);
      figures.push(`429: the next model's request after ${seconds(took)}, its turn ${seconds(turn)} after the claim`);
    });
  });

  test("a kill -9 of the host while codex works leaves no agent, and the next start goes on", async () => {
    const { url, requests, arrived } = await serve((phase, request, n) =>
      // The model falls silent once, after the spec: codex waits for it.
      n === 3 ? { kind: "silence" } : works(phase, request, n),
    );
    const one = project(["add"]);
    const first = once(one, url);
    await arrived(3);
    expect(agents(one.at.home)).toHaveLength(1);
    first.kill("SIGKILL");
    await first.ended;
    const killed = performance.now();
    while (agents(one.at.home).length > 0 && performance.now() - killed < 15_000)
      await new Promise((resolve) => setTimeout(resolve, 20));
    expect(agents(one.at.home)).toEqual([]);
    figures.push(`kill -9 of the host: its codex was gone after ${seconds(performance.now() - killed)}`);

    const { code, out } = await summed(once(one, url));
    expect(out).toContain("going on with 1 task of the host's last run");
    expect(code).toBe(0);
    await Host.inTable(one.at.home, async (store) => {
      const tasks = await story(store, "add");
      expect(tasks.map(({ type, row }) => [type, row.status, row.att, row.stalls])).toEqual([
        ["spec", "completed", 1, 0],
        ["impl", "completed", 2, 1],
        ["test", "completed", 1, 0],
        ["review", "completed", 1, 0],
      ]);
    });
    // The spec, done before the kill, is not paid twice.
    expect(requests.filter((request) => asked(request).phase === "spec")).toHaveLength(2);
    expect(Host.processesOf(one.at)).toEqual([]);
  });
});

test("a planted 401 takes the whole credential along: the next candidate is another provider's, within 5 s", async () => {
  const { url, requests } = await serve(() => ({ kind: "status", status: 401, type: "invalid_api_key" }));
  const { repo, at } = project(["add"]);
  const clock = Clock.system();
  const env = { PATH: process.env.PATH ?? "", ...environment(url), AGENT_ALLOW_PAID_PROVIDERS: "1" };
  const engine = await startEngine({
    binary: await resolveEngine({ home: at.root, env, say: () => {} }),
    file: join(at.root, "table.db"),
    clock,
  });
  // As the host composes itself on its scratch repository, where alone the simulated provider may follow another.
  const { deps, events, workflow } = await composeLocal({
    home: at.home,
    config: Config.read(env),
    clock,
    id: Id.system(),
    log: Log.silent(),
    wire: loopback(engine.endpoint),
    repositoryDir: repo.dir,
    allowSimulated: true,
    merge: true,
  });
  await Provider.probeAll(deps, deps.providers.all());
  const worker = await startWorker(deps, { id: "w", capacity: 1, capabilities: ["codex"] });
  const started = new Promise<void>((resolve) =>
    events.subscribe(async (event) => {
      if (event.type === "work.offered") await worker.look();
      if (event.type === "task.settled") resolve();
      await react(deps, { dispatch: () => {}, tick: () => {} }, event);
    }),
  );
  const direction = "Make add work";
  const { task } = await Task.create(deps, Task.Create.parse({ direction, task_type: "impl" }));
  await Pipeline.dispatch(deps);
  await started;

  const row = (await Task.row(deps.store, task.row.id)) as Task.TaskRow;
  const attempt = (await Attempt.read(deps.store, row.id, row.att)) as Attempt.AttemptRow;
  expect(attempt.candidates?.map(({ provider, model }) => `${provider}/${model}`)).toEqual([
    ...MODELS.map((model) => `codex/${model}`),
    "simulated/sim-fast",
    "simulated/sim-strong",
  ]);
  expect(attempt.tried).toMatchObject([{ provider: "codex", model: MODELS[0], class: "auth", turn: 1 }]);
  expect(row).toMatchObject({ status: "completed", model: "simulated/sim-fast" });
  // One request in all: neither the same model again nor the credential's others.
  expect(requests).toHaveLength(1);
  const next = (attempt.turn_at ?? Infinity) - (performance.timeOrigin + (requests[0]?.at ?? 0));
  expect(next).toBeGreaterThan(0);
  expect(next).toBeLessThan(QUICKLY);
  figures.push(`401: the other provider's turn began ${seconds(next)} after the request that was refused`);
  const { cooldowns } = await Provider.health(deps);
  expect(cooldowns.filter((row) => row.provider === "codex")).toMatchObject([{ class: "auth", until: null }]);
  expect(cooldowns[0]).not.toHaveProperty("model");

  events.close();
  await workflow.close();
  await worker.close();
  await engine.stop();
  expect(agents(at.home)).toEqual([]);
});
