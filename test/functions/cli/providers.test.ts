import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { serve } from "@hono/node-server";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as Config from "../../../core/ground/config.ts";
import * as Provider from "../../../core/work/provider/index.ts";
import * as Spend from "../../../core/work/spend/index.ts";
import { createApp } from "../../../functions/api/app.ts";
import { testDeps, type TestDeps } from "../../support/deps.ts";
import { scripted } from "../../support/pipeline.ts";
import { base as made, write } from "../../work/metrics-support.ts";
import { coolDown } from "../../support/pipeline.ts";
import { run } from "./host.ts";

/** `coherence providers` and `providers test`, against the real API with the registry as a host makes it. */

let deps: TestDeps;
let base: string;
let server: ReturnType<typeof serve>;
let all: Provider.Provider[];
/** What the provider `slow` waits for before it answers. */
let gate = Promise.withResolvers<void>();

beforeAll(async () => {
  const env = {
    PAID_TOOL_8H_LIMIT: "4",
    PAID_TOOL_WEEK_LIMIT: "5",
    PAID_TOOL_WINDOW_BUDGET_FRACTION: "1",
    PIPELINE_DAY_MAX_COST_USD: "10",
  };
  const ground = await testDeps({ env });
  deps = { ...ground, config: Config.read(env) };
  const table = Provider.create(
    { settings: { OPENAI_API_KEY: "sk-1" }, clock: deps.clock, home: tmpdir(), hostEnv: {} },
    [{ file: "coherence.config.json", overrides: { bedrock: { enabled: false } } }],
  );
  const slow = scripted("slow", () => expect.unreachable(), {
    probe: async () => (await gate.promise, { ready: true, detail: "at last" }),
  });
  all = [...table.all(), slow];
  const registry: Provider.Registry = { all: () => all, get: (name) => (name === "slow" ? slow : table.get(name)) };
  const state = Provider.nextState(
    { which: "home", file: "/h/coherence.config.json" },
    undefined,
    { kind: "bad", problem: "providers.codx: there is no such provider", remedy: "Correct it." },
    {},
    0,
  );
  let port = 0;
  const app = createApp({
    deps,
    authenticate: () => ({ kind: "operator" }),
    door: { kind: "loopback", port: () => port },
    providers: { registry, ask: Provider.asker(deps, registry), config: () => [state] },
  });
  await new Promise<void>((resolve) => {
    server = serve({ fetch: app.fetch, hostname: "127.0.0.1", port: 0 }, (info) => {
      port = info.port;
      resolve();
    });
  });
  base = `http://127.0.0.1:${port}`;

  for (const one of all)
    await Provider.saveReadiness(
      deps,
      one,
      one.off ? { ready: false, ...one.off } : { ready: true, detail: "it answered" },
    );
  const failure = { class: "payment", message: "402", status: 402 } as const;
  const { account } = table.get("codex");
  await coolDown(deps, { provider: "codex", account, model: "m" }, failure);
  for (let i = 0; i < 4; i++) await Spend.countPaidRun(deps);
  await write(deps, { ...made, id: "a", usage: { ...made.usage, cost_usd: 1.5 } });
  await write(deps, { ...made, id: "b", provider: "anthropic", usage: { ...made.usage, cost_usd: null } });
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

const coherence = (argv: string[], columns = "200") => run(argv, { env: { AGENT_API_BASE: base, COLUMNS: columns } });

describe("providers", () => {
  it("says in a row a provider who is ready and why not, what cools down, what was spent, what was never tried", async () => {
    const { out, err, code } = await coherence(["providers"]);
    expect({ err, code }).toEqual({ err: "", code: 0 });
    const until = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ`;
    expect(out).toMatch(new RegExp(`^codex +yes .* ${until} +\\$1\\.50 / \\$1\\.50 +0\\.169\\.0 +it answered$`, "m"));
    // The same key pays for both.
    expect(out).toMatch(new RegExp(`^openai +yes .* ${until} +\\$0\\.00 / \\$0\\.00 `, "m"));
    expect(out).toMatch(/^anthropic +yes .* unknown \/ unknown /m);
    expect(out).toMatch(/^ollama +yes .* free /m);
    expect(out).toMatch(/^bedrock +off .* unverified +it is switched off in coherence\.config\.json/m);
    expect(out).toMatch(new RegExp(`^openai: cools down until ${until} \\(payment\\)$`, "m"));
  });

  it("says what of the limits is used, and which file is refused", async () => {
    const { out } = await coherence(["providers"]);
    expect(out).toMatch(/^paid runs in 8 hours: 4 of 4, spent: more at \d{4}-/m);
    expect(out).toMatch(/^paid runs in a week: 4 of 5, near its end: more at \d{4}-/m);
    expect(out).toMatch(/^US dollars today: \$1\.50 of \$10\.00$/m);
    expect(out).toContain(
      "config REFUSED /h/coherence.config.json: providers.codx: there is no such provider\n" +
        "  Correct it. Until then what it said before goes on.",
    );
  });

  it.each([200, 120, 80, 60])("fits %i cells", async (columns) => {
    const { out } = await coherence(["providers"], String(columns));
    const [table = ""] = out.split("\n\n");
    const lines = table.split("\n");
    expect(lines).toHaveLength(1 + all.length);
    for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(columns);
    expect(table).toMatch(/^codex +yes /m);
    expect(lines[0]).toMatch(/WHY/);
  });

  it("--json is the API's answer to the letter", async () => {
    const { out } = await coherence(["providers", "--json"]);
    expect(out.trim()).toBe(await (await fetch(`${base}/api/agent/providers`)).text());
  });
});

describe("providers test", () => {
  it("0: it can work", async () => {
    const { out, err, code } = await coherence(["providers", "test", "simulated"]);
    expect({ err, code }).toEqual({ err: "", code: 0 });
    expect(out).toMatch(/^simulated: ready: .+ \(\d+ ms\)\n$/);
  });

  it("1: it cannot, with what to do about it", async () => {
    const { out, err, code } = await coherence(["providers", "test", "anthropic"]);
    expect({ err, code }).toEqual({ err: "", code: 1 });
    expect(out).toMatch(
      /^anthropic: not ready: ANTHROPIC_API_KEY is not set \(\d+ ms\)\nSet ANTHROPIC_API_KEY to a key for anthropic\.\n$/,
    );
    const json = await coherence(["providers", "test", "anthropic", "--json"]);
    expect(JSON.parse(json.out)).toMatchObject({ name: "anthropic", ready: false });
    expect(json.code).toBe(1);
  });

  it("2: there is none of that name, with those that there are", async () => {
    const { out, err, code } = await coherence(["providers", "test", "codx"]);
    expect({ out, code }).toEqual({ out: "", code: 2 });
    expect(err).toMatch(/^There is no provider "codx" \(provider\.unknown\)\nName one of: codex, .*simulated\.\n$/);
    expect((await coherence(["providers", "test"])).code).toBe(2);
  });

  it("shows on a terminal that it asks, when that takes longer than a second; only then", async () => {
    const command = (name: string) => {
      const main = fileURLToPath(new URL("../../../functions/cli/main.ts", import.meta.url));
      // A terminal of its own; it has no size until it is told one.
      const words = `stty cols 100 rows 30; '${process.execPath}' '${main}' providers test ${name}`;
      return execa("script", ["-qefc", words, "/dev/null"], {
        reject: false,
        extendEnv: false,
        env: { PATH: process.env.PATH ?? "", AGENT_API_BASE: base, TERM: "xterm" },
      });
    };
    gate = Promise.withResolvers();
    const slow = command("slow");
    let seen = "";
    // It answers once it was seen to be waited for: without a sign of that the test runs out of its time.
    slow.stdout.on("data", (chunk: Buffer) => {
      seen += chunk.toString("utf8");
      if (seen.includes("asking slow")) gate.resolve();
    });
    const { exitCode, stdout } = await slow;
    expect([exitCode, stdout]).toEqual([0, expect.stringContaining("slow: ready: at last")]);
    const quick = await command("simulated");
    expect([quick.exitCode, quick.stdout]).toEqual([0, expect.stringContaining("simulated: ready")]);
    expect(quick.stdout).not.toContain("asking");
  });
});
