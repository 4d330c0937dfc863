import { join } from "node:path";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { execa } from "execa";
import { afterEach, describe, expect, test } from "vitest";
import * as Clock from "../../core/ground/clock.ts";
import * as Store from "../../core/ground/store/index.ts";
import * as Provider from "../../core/work/provider/index.ts";
import { testDeps } from "../support/deps.ts";
import { KEY, NAMES, PROTOCOLS, settingsFor } from "./provider-api-helpers.ts";
import type { ModelServer } from "../support/models/server.ts";

let server: ModelServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

const registry = (settings: Provider.Settings) =>
  Provider.create({ clock: Clock.system(), home: mkdtempSync(join(tmpdir(), "probe-")), hostEnv: {}, settings });

const KEYED = NAMES.filter((name) => PROTOCOLS[name]?.row.credentials.length !== 0);

describe.each(KEYED)("a server that asks for a key is ready when it takes it: %s", (protocol) => {
  const { row, start } = PROTOCOLS[protocol] as (typeof PROTOCOLS)[string];
  const [credential = ""] = row.credentials;
  const probe = (settings: Provider.Settings) => registry(settings).get(row.name).probe();

  test("it takes it, and no tokens are spent", async () => {
    server = await start(() => ({ kind: "silence" }), { key: KEY });
    expect(await probe(settingsFor(row, server.url))).toMatchObject({
      ready: true,
      detail: `${server.url} takes ${credential}`,
    });
    expect(server.modelReads()).toBe(1);
    expect(server.requests).toHaveLength(0);
  });

  test("each reason has a remedy, and shows no key", async () => {
    server = await start(() => ({ kind: "silence" }), { key: "another" });
    const { setting } = row.baseUrl;
    const cases: [Provider.Settings, object][] = [
      [{}, { detail: `${credential} is not set`, remedy: `Set ${credential} to a key for ${row.name}.` }],
      [settingsFor(row, server.url), { remedy: `Set ${credential} to a valid key for ${server.url}.` }],
      [settingsFor(row, "nonsense"), { detail: `${setting} is not an http URL` }],
      [
        settingsFor(row, "http://127.0.0.1:9/v1"),
        { detail: "http://127.0.0.1:9/v1 could not be reached", transient: true },
      ],
    ];
    for (const [settings, expected] of cases) {
      const readiness = await probe(settings);
      expect(readiness).toMatchObject({ ready: false, ...expected });
      expect(readiness.ready ? "" : readiness.remedy).toMatch(/^[A-Z][^\n]*\.$/);
      expect(JSON.stringify(readiness)).not.toContain(KEY);
    }
  });
});

describe("a server that asks for no key is ready when it has the model", () => {
  const { start } = PROTOCOLS["chat"] as (typeof PROTOCOLS)[string];
  const open = (models: string[]) => start(() => ({ kind: "silence" }), { key: null, models });
  const probe = (more: Provider.Settings = {}) =>
    registry({ OLLAMA_BASE_URL: server?.url, ...more })
      .get("ollama")
      .probe();

  test("the row's own model, under its latest tag", async () => {
    server = await open(["qwen3-coder:latest", "llama"]);
    expect(await probe()).toMatchObject({ ready: true, detail: `${server.url} has qwen3-coder` });
  });

  test("the model that a setting names", async () => {
    server = await open(["other:7b"]);
    expect(await probe({ OLLAMA_MODEL: "other:7b" })).toMatchObject({ ready: true });
    expect(await probe()).toEqual({
      ready: false,
      detail: `${server.url} has no model qwen3-coder`,
      remedy: "Load qwen3-coder there, or name another in OLLAMA_MODEL (it has other:7b).",
    });
  });

  test("a server without models, and none at all", async () => {
    server = await open([]);
    expect(await probe()).toMatchObject({
      ready: false,
      remedy: "Load qwen3-coder there, or name another in OLLAMA_MODEL.",
    });
    expect(await probe({ OLLAMA_BASE_URL: "http://127.0.0.1:9/v1" })).toMatchObject({ ready: false, transient: true });
  });
});

describe("a model that was not found is asked for again once its server lists it", () => {
  const { start } = PROTOCOLS["chat"] as (typeof PROTOCOLS)[string];

  test("ollama after a pull, and nobody has to change the configuration", async () => {
    const models = ["llama"];
    server = await start(() => ({ kind: "status", status: 404, type: "not_found_error" }), { key: null, models });
    const deps = await testDeps();
    const ollama = registry({ OLLAMA_BASE_URL: server.url }).get("ollama");
    const target = { provider: "ollama", account: ollama.account, model: "qwen3-coder" };
    const fail = await Provider.failureWrite(deps, target, { class: "model_not_found", message: "no" });
    await Store.write(deps.store, fail as Store.Write);

    const [missing] = await Provider.probeAll(deps, [ollama]);
    expect(missing).toMatchObject({ ready: false, detail: `${server.url} has no model qwen3-coder` });
    expect(await Provider.admit(deps, target, "a")).toMatchObject({ kind: "cooling", until: null });

    models.push("qwen3-coder:latest");
    const [there] = await Provider.probeAll(deps, [ollama]);
    expect(there).toMatchObject({ ready: true });
    expect(there).not.toHaveProperty("listed");
    expect(deps.published).toEqual([{ type: "provider.ready", provider: "ollama" }]);
    // One run tests it.
    expect(await Provider.admit(deps, target, "a")).toEqual({ kind: "go", tests: true });
    expect(await Provider.admit(deps, target, "b")).toMatchObject({ kind: "cooling" });
  });

  test("a server that asks for a key: only the listed one, and only under this key", async () => {
    const { row, start } = PROTOCOLS["messages"] as (typeof PROTOCOLS)[string];
    server = await start(() => ({ kind: "silence" }), { key: KEY, models: ["claude-haiku-5-5"] });
    const deps = await testDeps();
    const anthropic = registry(settingsFor(row, server.url)).get("anthropic");
    const target = (model: string, account = anthropic.account) => ({ provider: "anthropic", account, model });
    const all = [target("claude-haiku-5-5"), target("claude-opus-5-5"), target("claude-haiku-5-5", "another")];
    for (const one of all) {
      const fail = await Provider.failureWrite(deps, one, { class: "model_not_found", message: "no" });
      await Store.write(deps.store, fail as Store.Write);
    }
    expect(await Provider.probeAll(deps, [anthropic])).toMatchObject([{ ready: true }]);
    const kinds = await Promise.all(all.map(async (one) => (await Provider.admit(deps, one, "a")).kind));
    expect(kinds).toEqual(["go", "cooling", "cooling"]);
  });
});

describe("bedrock has nothing to ask that costs no tokens, and says so", () => {
  const probe = (settings: Provider.Settings) => registry(settings).get("bedrock").probe();
  test("key and region are needed", async () => {
    expect(await probe({})).toMatchObject({ ready: false, detail: "AWS_BEARER_TOKEN_BEDROCK is not set" });
    expect(await probe({ AWS_BEARER_TOKEN_BEDROCK: KEY })).toMatchObject({
      ready: false,
      detail: "AWS_REGION is not set",
    });
    expect(await probe({ AWS_BEARER_TOKEN_BEDROCK: KEY, AWS_REGION: "eu-west-1" })).toEqual({
      ready: true,
      detail:
        "AWS_BEARER_TOKEN_BEDROCK is set; https://bedrock-runtime.eu-west-1.amazonaws.com says at the first run whether it takes it",
    });
  });
});

test("ANTHROPIC_BASE_URL is taken with and without its version", async () => {
  const { row, start } = PROTOCOLS["messages"] as (typeof PROTOCOLS)[string];
  server = await start(() => ({ kind: "silence" }), { key: KEY });
  for (const url of [server.url, `${server.url}/`, server.url.replace(/\/v1$/, "")])
    expect(await registry(settingsFor(row, url)).get("anthropic").probe()).toMatchObject({ ready: true });
});

test("a paid model cannot be named for the free row, and a setting names one for the others", () => {
  const all = registry({ OPENROUTER_MODEL: "some/model", ANTHROPIC_MODEL: "claude-opus-5-5" });
  expect(all.get("openrouter-free").models.map((model) => model.name)).toEqual(["openrouter/free"]);
  expect(all.get("openrouter").models).toMatchObject([{ name: "some/model", price: null }]);
  expect(all.get("anthropic").models).toMatchObject([{ name: "claude-opus-5-5", price: { output: 20 } }]);
});

test("nothing of the SDK is loaded before a run", async () => {
  const program = `
    import { registerHooks } from "node:module";
    const seen = [];
    registerHooks({ resolve(name, context, next) { const found = next(name, context); seen.push(found.url); return found; } });
    const Provider = await import(${JSON.stringify(new URL("../../core/work/provider/index.ts", import.meta.url).href)});
    const clock = await import(${JSON.stringify(new URL("../../core/ground/clock.ts", import.meta.url).href)});
    const all = Provider.create({ clock: clock.system(), home: "/nonexistent", hostEnv: {}, settings: {} });
    await all.get("anthropic").probe();
    const sdk = () => seen.filter((url) => /node_modules\\/(?:ai|@ai-sdk|@openrouter)\\//.test(url)).length;
    const before = sdk();
    const request = { task: { id: "t", type: "impl", direction: "", attempt: 1, turn: 1 }, prompt: "p", model: "m", cwd: "/", timeoutMs: 1, log() {} };
    const free = Provider.create({ clock: clock.system(), home: "/nonexistent", hostEnv: {}, settings: { OLLAMA_BASE_URL: "http://127.0.0.1:9/v1" } });
    await free.get("ollama").run(request, new AbortController().signal);
    console.log(JSON.stringify({ modules: seen.length > 20, before, after: sdk() > 0, openai: seen.some((url) => /@ai-sdk\\/openai\\//.test(url)) }));
  `;
  const { stdout } = await execa(process.execPath, ["--input-type=module", "-e", program]);
  expect(JSON.parse(stdout)).toEqual({ modules: true, before: 0, after: true, openai: false });
});
