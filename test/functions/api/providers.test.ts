import { tmpdir } from "node:os";
import { afterEach, describe, expect, it } from "vitest";
import * as Config from "../../../core/ground/config.ts";
import * as Provider from "../../../core/work/provider/index.ts";
import * as Spend from "../../../core/work/spend/index.ts";
import { Keys } from "../../../core/ground/store/index.ts";
import * as Store from "../../../core/ground/store/index.ts";
import { testDeps, type TestDeps } from "../../support/deps.ts";
import * as ModelServer from "../../support/model-server.ts";
import { coolDown, scripted, stepping } from "../../support/pipeline.ts";
import { base, DAY, foldAll, write } from "../../work/metrics-support.ts";
import { api, type Api } from "./support.ts";

/** GET and POST /api/agent/providers with the registry as a host makes it, or one of providers that answer as they are told. */

const KEY = "sk-of-both";

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

function registry(settings: Provider.Settings): Provider.Registry {
  return Provider.create({ settings, clock: stepping(), home: tmpdir(), hostEnv: { PATH: process.env.PATH } });
}

function of(...providers: Provider.Provider[]): Provider.Registry {
  const get = (name: string) => providers.find((one) => one.name === name) ?? registry({}).get(name);
  return { all: () => providers, get };
}

/** The app of a host with these providers, each of which has been asked. */
async function host(
  providers: Provider.Registry,
  more: { on?: TestDeps; env?: Record<string, string>; config?: () => Provider.ConfigState[] } = {},
): Promise<Api> {
  const on = more.on ?? (await testDeps({ clock: stepping() }));
  const { config } = more;
  for (const one of providers.all()) await Provider.saveReadiness(on, one, { ready: true, detail: "it answered" });
  return api({
    on,
    providers: { registry: providers, ask: Provider.asker(on, providers), ...(config ? { config } : {}) },
    config: { cost: Config.read(more.env ?? {}).cost },
  });
}

type Row = Record<string, unknown> & { name: string };
async function rows(app: Api): Promise<Map<string, Row>> {
  const { body } = await app.call("GET", "/api/agent/providers");
  return new Map((body.providers as Row[]).map((row) => [row.name, row]));
}

describe("the list", () => {
  it("says of each what it is: family, version it was tested with, who pays, its key's hash, its models with prices", async () => {
    const seen = await rows(await host(registry({ OPENAI_API_KEY: KEY })));
    expect([...seen.keys()].sort()).toEqual(
      registry({})
        .all()
        .map(({ name }) => name)
        .sort(),
    );
    expect(seen.get("codex")).toMatchObject({
      family: "cli",
      verified: "0.169.0",
      paid: true,
      account: expect.stringMatching(/^[0-9a-f]{8}$/) as string,
      switched_off: false,
    });
    expect(seen.get("codex")?.model_details).toContainEqual({
      name: "gpt-6-luna",
      context_window: 272_000,
      tier: 1,
      price: expect.objectContaining({ input: 0.1, output: 0.5, date: "2026-11-20" }) as object,
    });
    expect(seen.get("bedrock")).toMatchObject({ verified: null, account: "none" });
    expect(seen.get("bedrock")?.model_details).toMatchObject([{ price: null }, { price: null }]);
    expect(seen.get("openai")?.account).toBe(seen.get("codex")?.account);
    expect(JSON.stringify([...seen.values()])).not.toContain(KEY);
  });

  it("says what cools down, for each provider under the same key, and one model's for that model", async () => {
    const providers = registry({ OPENAI_API_KEY: KEY });
    const app = await host(providers);
    const { account } = providers.get("codex");
    const failure = { class: "payment", message: "402", status: 402 } as const;
    await coolDown(app.deps, { provider: "codex", account, model: "m" }, failure);
    const limited = { class: "rate_limit", message: "429", status: 429, retry_after_ms: 60_000 } as const;
    await coolDown(app.deps, { provider: "anthropic", account: "none", model: "m1" }, limited);
    const until = expect.stringMatching(/Z$/) as string;
    const seen = await rows(app);
    for (const name of ["codex", "openai"])
      expect(seen.get(name)?.cooling).toEqual([{ model: null, class: "payment", until }]);
    expect(seen.get("anthropic")?.cooling).toEqual([{ model: "m1", class: "rate_limit", until }]);
    expect(seen.get("ollama")?.cooling).toEqual([]);
    // What was there before these fields: only what the provider met itself.
    expect(seen.get("openai")?.cooldowns).toEqual([]);
    expect(seen.get("codex")?.cooling_until).toEqual(until);
  });

  it("says what a paid one cost today and in the window, what is unknown as unknown, folded or not", async () => {
    const app = await host(registry({}));
    const now = app.deps.clock.now();
    const cost = (id: string, cost_usd: number | null, at: number, provider = "codex") =>
      write(app.deps, { ...base, id, provider, usage: { ...base.usage, cost_usd } }, at);
    await cost("a", 0.5, now - 3 * DAY);
    await cost("b", 0.25, now - DAY);
    await cost("c", 4, now - 8 * DAY);
    await foldAll(app.deps);
    await cost("d", 0.125, now);
    await cost("e", null, now);
    await cost("f", null, now, "anthropic");
    const seen = await rows(app);
    expect(seen.get("codex")?.spent).toEqual({
      today: { runs: 2, cost_usd: 0.125, coverage: 0.5 },
      window: { runs: 4, cost_usd: 0.875, coverage: 0.75 },
    });
    expect(seen.get("anthropic")?.spent).toMatchObject({ today: { runs: 1, cost_usd: null, coverage: 0 } });
    expect(seen.get("openai")?.spent).toMatchObject({ today: { runs: 0, cost_usd: 0, coverage: null } });
    expect(seen.get("ollama")?.spent).toBeNull();
  });

  it("says what of each limit is used, and warns from 80 % on", async () => {
    const env = {
      PAID_TOOL_8H_LIMIT: "15",
      PAID_TOOL_WEEK_LIMIT: "90",
      PAID_TOOL_WINDOW_BUDGET_FRACTION: "0.34",
      PIPELINE_DAY_MAX_COST_USD: "1",
    };
    const app = await host(registry({}), { env });
    const limits = async () => {
      const { body } = await app.call("GET", "/api/agent/providers");
      return (body.limits as { name: string; used: number; allowed: number; warn: boolean }[]).map((one) => [
        one.name,
        one.used,
        one.allowed,
        one.warn,
      ]);
    };
    for (let i = 0; i < 3; i++) await Spend.countPaidRun(app.deps);
    await write(app.deps, { ...base, id: "a", usage: { ...base.usage, cost_usd: 0.79 } });
    expect(await limits()).toEqual([
      ["8h_limit", 3, 5, false],
      ["1w_limit", 3, 30, false],
      ["day_cost_usd", 0.79, 1, false],
    ]);
    await Spend.countPaidRun(app.deps);
    await write(app.deps, { ...base, id: "b", usage: { ...base.usage, cost_usd: 0.01 } });
    expect(await limits()).toEqual([
      ["8h_limit", 4, 5, true],
      ["1w_limit", 4, 30, false],
      ["day_cost_usd", 0.8, 1, true],
    ]);
    expect((await (await host(registry({}))).call("GET", "/api/agent/providers")).body.limits).toEqual([]);
  });

  it("a roll-up that cannot be read costs the money, not the list", async () => {
    const app = await host(registry({}), { env: { PIPELINE_DAY_MAX_COST_USD: "1" } });
    await Store.write(app.deps.store, { kind: "put", item: { ...Keys.rollup(app.deps.clock.now()), json: "{" } });
    const { body } = await app.call("GET", "/api/agent/providers");
    expect(body.limits).toBeNull();
    expect(body.providers).toContainEqual(expect.objectContaining({ name: "codex", ready: true, spent: null }));
  });

  it("says how the user's files stand", async () => {
    const state = Provider.nextState(
      { which: "home", file: "/home/coherence.config.json" },
      undefined,
      { kind: "bad", problem: "is empty", remedy: "Write {} into it." },
      undefined,
      0,
    );
    const app = await host(registry({}), { config: () => [state] });
    expect((await app.call("GET", "/api/agent/providers")).body.config).toEqual([
      {
        which: "home",
        file: "/home/coherence.config.json",
        state: "refused",
        using: "nothing",
        problem: "is empty",
        remedy: "Write {} into it.",
        since: "1970-01-01T00:00:00.000000Z",
      },
    ]);
  });
});

describe("asking one now", () => {
  const test = (app: Api, name: string) => app.call("POST", `/api/agent/providers/${name}/test`);

  it("answers what its probe says, and keeps it", async () => {
    const server = await ModelServer.start(() => ({ kind: "silence" }), KEY);
    closing.push(server.close);
    const app = await host(registry({ OPENAI_API_KEY: KEY, OPENAI_BASE_URL: server.url }));
    const ready = await test(app, "openai");
    expect(ready).toMatchObject({ status: 200, body: { name: "openai", ready: true, remedy: null } });
    expect(ready.body.detail).toBe(`${server.url} takes OPENAI_API_KEY`);
    const not = await test(app, "anthropic");
    expect(not.body).toMatchObject({
      ready: false,
      detail: "ANTHROPIC_API_KEY is not set",
      remedy: "Set ANTHROPIC_API_KEY to a key for anthropic.",
    });
    const seen = await rows(app);
    expect(seen.get("anthropic")).toMatchObject({ ready: false, checked_at: not.body.checked_at });
    expect(seen.get("openai")).toMatchObject({ ready: true, detail: ready.body.detail });
  });

  it("one at a time: whoever asks meanwhile has the same answer, whoever asks afterwards a new one", async () => {
    let probes = 0;
    const gate = Promise.withResolvers<void>();
    const slow = scripted("slow", () => expect.unreachable(), {
      probe: async () => (await gate.promise, { ready: true, detail: `probe ${++probes}` }),
    });
    const app = await host(of(slow));
    const asked = Array.from({ length: 20 }, () => test(app, "slow"));
    // All of them have come when another request, sent after them, is answered.
    await app.call("GET", "/api/agent/providers");
    gate.resolve();
    expect(new Set((await Promise.all(asked)).map(({ body }) => body.detail))).toEqual(new Set(["probe 1"]));
    expect((await test(app, "slow")).body.detail).toBe("probe 2");
  });

  it("a probe that throws, and one that never ends, are answers too", async () => {
    const on = await testDeps({ clock: stepping() });
    const broken = scripted("broken", () => expect.unreachable(), { probe: () => Promise.reject(new Error("no")) });
    const deaf = scripted("deaf", () => expect.unreachable(), { probe: () => new Promise(() => {}) });
    const app = await host(of(broken, deaf), { on });
    expect((await test(app, "broken")).body).toMatchObject({ ready: false, detail: "its probe failed" });
    const waiting = test(app, "deaf");
    let over = false;
    void waiting.then(() => (over = true));
    // The store's answers come from outside: the virtual clock moves on between them.
    while (!over) await new Promise((resolve) => setImmediate(resolve)).then(() => on.clock.sleep(10));
    expect((await waiting).body).toMatchObject({ ready: false, detail: "it did not answer within 20 s", ms: 20_000 });
    expect((await rows(app)).get("deaf")).toMatchObject({ ready: false });
  });

  it("one that is not there is 404 with the names of those that are", async () => {
    const app = await host(registry({}));
    for (const name of ["codx", "__proto__", "x".repeat(5000)]) {
      const answer = await test(app, name);
      expect([answer.status, answer.headers.get("x-error-code")]).toEqual([404, "provider.unknown"]);
      expect(answer.body.detail).toMatch(/Name one of: codex, .*simulated\.$/);
    }
    expect((await test(await api(), "codex")).status).toBe(404);
  });

  it("needs the scope run", async () => {
    const providers = registry({});
    const as = (...scopes: ("read" | "run" | "write")[]) =>
      testDeps().then((on) =>
        api({
          on,
          providers: { registry: providers, ask: Provider.asker(on, providers) },
          authenticate: () => ({ kind: "key", id: "k", scopes }),
        }),
      );
    expect((await test(await as("read", "write"), "simulated")).status).toBe(403);
    expect((await test(await as("run"), "simulated")).status).toBe(200);
  });
});

it("pausing one that is not there is 404 with the names: nobody is paused", async () => {
  const app = await host(registry({}));
  for (const provider of ["codx", "CODEX"]) {
    const answer = await app.call("POST", "/api/agent/queue/pause", { provider });
    expect([answer.status, answer.headers.get("x-error-code")]).toEqual([404, "provider.unknown"]);
  }
  expect((await app.call("GET", "/api/agent/queue")).body.paused).toEqual([]);
  const paused = await app.call("POST", "/api/agent/queue/pause", { provider: "codex" });
  expect(paused.body.paused).toMatchObject([{ kind: "provider", provider: "codex" }]);
  expect((await app.call("POST", "/api/agent/queue/resume", { provider: "codex" })).body.paused).toEqual([]);
});
