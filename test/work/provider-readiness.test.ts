import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import * as Clock from "../../core/ground/clock.ts";
import { codex } from "../../core/work/provider/cli/codex.ts";
import * as Provider from "../../core/work/provider/index.ts";
import { ROWS } from "../../core/work/provider/registry.ts";
import * as ModelServer from "../support/model-server.ts";

const KEY = "sk-probe";
const AGENT = resolve("test/support/fake-agent.mjs");

let server: ModelServer.ModelServer;
beforeEach(async () => {
  server = await ModelServer.start(() => ({ kind: "silence" }), KEY);
});
afterEach(() => server.close());

function registry(settings: Provider.Settings): Provider.Registry {
  return Provider.create({
    clock: Clock.system(),
    home: join(mkdtempSync(join(tmpdir(), "probe-")), "not", "there", "yet"),
    hostEnv: { PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH ?? ""}` },
    settings,
  });
}
const probe = (settings: Provider.Settings, signal?: AbortSignal) => registry(settings).get("codex").probe(signal);

describe("codex is ready when its probes answered, not when a variable is set", () => {
  test("program, key and model server: ready", async () => {
    const settings = { CODEX_BIN: AGENT, OPENAI_API_KEY: KEY, OPENAI_BASE_URL: `${server.url}/` };
    expect(await probe(settings)).toMatchObject({
      ready: true,
      detail: `fake-agent 1.0.0; ${server.url} takes OPENAI_API_KEY`,
    });
    expect(server.modelReads()).toBe(1);
    expect(server.requests).toHaveLength(0); // no tokens
  });

  const cases: [string, (url: string) => Provider.Settings, RegExp, RegExp][] = [
    ["no program", () => ({ CODEX_BIN: "/nowhere/codex", CODEX_API_KEY: KEY }), /\/nowhere\/codex/, /CODEX_BIN/],
    ["a program that fails", () => ({ CODEX_BIN: "false", CODEX_API_KEY: KEY }), /ended with 1/, /npm install -g/],
    ["no key", () => ({ CODEX_BIN: AGENT, CODEX_API_KEY: " " }), /is not set/, /CODEX_API_KEY or OPENAI_API_KEY/],
    [
      "a rejected key",
      (url) => ({ CODEX_BIN: AGENT, CODEX_API_KEY: "wrong", OPENAI_BASE_URL: url }),
      /answered 401/,
      /valid key/,
    ],
    [
      "another server",
      (url) => ({ CODEX_BIN: AGENT, CODEX_API_KEY: KEY, OPENAI_BASE_URL: `${url}/elsewhere` }),
      /answered 404/,
      /base URL/,
    ],
    [
      "no server",
      () => ({ CODEX_BIN: AGENT, CODEX_API_KEY: KEY, OPENAI_BASE_URL: "http://127.0.0.1:9/v1" }),
      /could not be reached/,
      /network/,
    ],
    [
      "a base URL that is none",
      () => ({ CODEX_BIN: AGENT, CODEX_API_KEY: KEY, OPENAI_BASE_URL: "nonsense" }),
      /OPENAI_BASE_URL is not an http URL$/,
      /model server/,
    ],
  ];
  test.each(cases)("%s: not ready, with a remedy of one sentence", async (_, settings, detail, remedy) => {
    const readiness = await probe(settings(server.url));
    expect(readiness).toMatchObject({ ready: false });
    expect(readiness.detail).toMatch(detail);
    expect(readiness.ready ? "" : readiness.remedy).toMatch(remedy);
    expect(readiness.ready ? "" : readiness.remedy).toMatch(/^[A-Z][^\n]*\.$/);
    expect(JSON.stringify(readiness)).not.toContain(KEY);
  });

  test("time-outs, network errors and 5xx may pass by themselves, the rest is for a person", async () => {
    const set = { CODEX_BIN: AGENT, CODEX_API_KEY: KEY };
    const answering = (status: number) =>
      at(
        (answer) => answer.writeHead(status).end(),
        (url) => probe({ ...set, OPENAI_BASE_URL: url }),
      );
    for (const status of [408, 429, 500, 503]) expect(await answering(status)).toMatchObject({ transient: true });
    for (const status of [400, 401, 404]) expect(await answering(status)).not.toHaveProperty("transient");
    expect(await probe({ ...set, OPENAI_BASE_URL: "http://127.0.0.1:9/v1" })).toMatchObject({ transient: true });
    expect(await probe({ ...set, CODEX_BIN: "/nowhere/codex" })).not.toHaveProperty("transient");
    expect(await probe({ ...set, OPENAI_BASE_URL: server.url }, AbortSignal.abort())).toMatchObject({
      transient: true,
    });
  });

  test("FAILURES 49: a key that may not list models may still execute; one that is wrong may not", async () => {
    const set = { CODEX_BIN: AGENT, CODEX_API_KEY: KEY, ANTHROPIC_API_KEY: KEY, OPENROUTER_API_KEY: KEY };
    const answering = (status: number, body: unknown, name: string) =>
      at(
        (answer) => answer.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body)),
        (url) =>
          registry({ ...set, OPENAI_BASE_URL: url, ANTHROPIC_BASE_URL: url, OPENROUTER_BASE_URL: url })
            .get(name)
            .probe(),
      );
    const scopes = { error: { type: "invalid_request_error", message: "Missing scopes: api.model.read" } };
    for (const name of ["codex", "anthropic"])
      for (const body of [scopes, null])
        expect(await answering(403, body, name)).toMatchObject({
          ready: true,
          detail: expect.stringMatching(/knows \w+_API_KEY, which may not list models$/) as string,
        });
    const wrong = { error: { type: "authentication_error", message: "no" } };
    expect(await answering(403, wrong, "codex")).toMatchObject({ ready: false });
    expect(await answering(401, scopes, "codex")).toMatchObject({ ready: false });
    // What OpenRouter is asked is no list: it says what this very key may do.
    expect(await answering(403, scopes, "openrouter")).toMatchObject({ ready: false });
  });

  test("a redirect is a mistake in the configuration: no key follows it", async () => {
    const set = { CODEX_BIN: AGENT, CODEX_API_KEY: KEY, ANTHROPIC_API_KEY: KEY, OPENROUTER_API_KEY: KEY };
    const asked: string[] = [];
    await at(
      (answer) => (asked.push(answer.req.url ?? ""), answer.end("{}")),
      (thief) =>
        at(
          (answer) => answer.writeHead(307, { location: `${thief}/models?a=1` }).end(),
          async (url) => {
            const settings = { ...set, OPENAI_BASE_URL: url, ANTHROPIC_BASE_URL: url, OPENROUTER_BASE_URL: url };
            for (const name of ["codex", "anthropic", "openrouter", "ollama"]) {
              const readiness = await registry({ ...settings, OLLAMA_BASE_URL: url })
                .get(name)
                .probe();
              expect(readiness, name).toMatchObject({
                ready: false,
                detail: expect.stringMatching(/ answered 307, a redirect, which is not followed$/) as string,
              });
              expect(readiness, name).not.toHaveProperty("transient");
            }
          },
        ),
    );
    expect(asked).toEqual([]);
  });

  test("an endless answer is read no further than it may be", async () => {
    const set = { CODEX_BIN: AGENT, CODEX_API_KEY: KEY };
    let sent = 0;
    const readiness = await at(
      (answer) => {
        const more = () => {
          do sent += 65_536;
          while (!answer.destroyed && answer.write("x".repeat(65_536)));
        };
        answer.writeHead(404).on("drain", more);
        more();
      },
      (url) => probe({ ...set, OPENAI_BASE_URL: url }),
    );
    expect(readiness).toMatchObject({ ready: false });
    expect(sent).toBeLessThan(2 ** 26);
  });

  test("query and fragment of a base URL are neither shown nor sent", async () => {
    const settings = { CODEX_BIN: AGENT, OPENAI_API_KEY: KEY, OPENAI_BASE_URL: `${server.url}/?key=w0rd#w0rd` };
    expect(await probe(settings)).toMatchObject({
      ready: true,
      detail: `fake-agent 1.0.0; ${server.url} takes OPENAI_API_KEY`,
    });
  });

  test("user and password of a base URL are neither shown nor sent", async () => {
    const set = { CODEX_BIN: AGENT, OPENAI_API_KEY: KEY };
    const secret = (url: string) => url.replace("//", "//someone:p@ssw0rd@");
    expect(await probe({ ...set, OPENAI_BASE_URL: secret(server.url) })).toMatchObject({
      ready: true,
      detail: `fake-agent 1.0.0; ${server.url} takes OPENAI_API_KEY`,
    });
    for (const url of [secret("http://127.0.0.1:9/v1"), "someone:p@ssw0rd@host/v1", "http://someone:p@ssw0rd@[/v1"])
      expect(JSON.stringify(await probe({ ...set, OPENAI_BASE_URL: url }))).not.toMatch(/someone|p@ss|w0rd/);
  });

  test("an aborted probe does not throw", async () => {
    const settings = { CODEX_BIN: AGENT, CODEX_API_KEY: KEY, OPENAI_BASE_URL: server.url };
    expect(await probe(settings, AbortSignal.abort())).toMatchObject({ ready: false });
  });
});

/** Asks something of a server that answers everything in one way. */
async function at<T>(answers: (answer: ServerResponse) => unknown, ask: (url: string) => Promise<T>): Promise<T> {
  const server = createServer((_, answer) => void answers(answer)).listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    return await ask(`http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`);
  } finally {
    server.close();
  }
}

describe("the registry", () => {
  test("FAILURES 36: names are unique and an unknown one is no provider", () => {
    const { all, get } = registry({});
    const names = all().map((provider) => provider.name);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toEqual(ROWS.map((row) => row.name));
    expect(() => get("codx")).toThrow(expect.objectContaining({ code: "provider.unknown" }));
  });

  /** Whose price was not found: unknown, not free. */
  const UNPRICED = [
    "auto",
    "command",
    "anthropic/claude-sonnet-5.5",
    "us.anthropic.claude-sonnet-5-5",
    "us.anthropic.claude-opus-5-5",
    "gemini-2.5-flash",
    "gemini-2.5-pro",
  ];

  test("each has models, cheap first, with a dated source for their price", () => {
    for (const row of ROWS) {
      expect(row.models.length).toBeGreaterThan(0);
      const outputs = row.models.flatMap((model) => model.price?.output ?? []);
      expect(outputs).toEqual(outputs.toSorted((a, b) => a - b));
      for (const { name, price } of row.models)
        if (!UNPRICED.includes(name)) expect(price?.date).toMatch(/^\d{4}-\d{2}-\d{2}$/);
        else expect(price).toBeNull();
    }
  });

  test("OPENCLAW_MODEL replaces codex's models", () => {
    expect(
      registry({ OPENCLAW_MODEL: "gpt-next" })
        .get("codex")
        .models.map((model) => model.name),
    ).toEqual(["gpt-next"]);
    expect(registry({ OPENCLAW_MODEL: "" }).get("codex").models).toEqual(codex.models);
  });
});
