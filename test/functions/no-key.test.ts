import { tmpdir } from "node:os";
import { describe, expect, test } from "vitest";
import * as Clock from "../../core/ground/clock.ts";
import * as Provider from "../../core/work/provider/index.ts";
import * as Models from "../support/models/chat.ts";
import { withMachine, type Machine } from "./workflow-support.ts";

/** The whole built-in table on the real state machine, with nothing set: what becomes of a task, and what it tells a person. */

/** Where nobody listens. */
const NOWHERE = "http://127.0.0.1:9/v1";

/** The machine with the table as a host makes it of these settings, each provider asked by its own probe. */
async function machine(settings: Provider.Settings): Promise<Machine> {
  const registry = Provider.create({
    // A program that answers --version stands for an agent that is installed.
    settings: { CODEX_BIN: "true", OLLAMA_BASE_URL: NOWHERE, ...settings },
    clock: Clock.system(),
    home: tmpdir(),
    hostEnv: { PATH: process.env.PATH },
  });
  const providers = [...registry.all()];
  const deps = await withMachine({
    providers,
    unready: providers.map(({ name }) => name),
    env: { AGENT_ALLOW_PAID_PROVIDERS: "1" },
  });
  await Provider.probeAll(deps, deps.providers.all());
  return deps;
}

describe("no key at all", () => {
  test("asks a person: a line a candidate, with what it lacks and the variable to set", async () => {
    const deps = await machine({});
    const row = await deps.through();
    expect(row).toMatchObject({ status: "needs_decision", tries: 0 });
    const lines = row.decision_prompt?.split("\n") ?? [];
    expect(lines[0]).toBe("No provider can do this:");
    const expected: [name: string, reason: string, remedy: RegExp][] = [
      ["codex", "CODEX_API_KEY or OPENAI_API_KEY is not set", /Set CODEX_API_KEY or OPENAI_API_KEY to a key/],
      ["anthropic", "ANTHROPIC_API_KEY is not set", /Set ANTHROPIC_API_KEY to a key/],
      ["openai", "OPENAI_API_KEY is not set", /Set OPENAI_API_KEY to a key/],
      ["openrouter-free", "OPENROUTER_API_KEY is not set", /Set OPENROUTER_API_KEY to a key/],
      ["openrouter", "OPENROUTER_API_KEY is not set", /Set OPENROUTER_API_KEY to a key/],
      ["ollama", `${NOWHERE} could not be reached`, /set OLLAMA_BASE_URL to where it runs/],
      ["bedrock", "AWS_BEARER_TOKEN_BEDROCK is not set", /Set AWS_BEARER_TOKEN_BEDROCK to a key/],
    ];
    for (const [name, reason, remedy] of expected) {
      const models = deps.providers.get(name).models.map((model) => model.name);
      for (const model of models) {
        const line =
          lines.find((one) => one.startsWith(`- ${name} ${model}: `)) ?? expect.unreachable(`${name} ${model}`);
        expect(line).toContain(`: ${reason}. `);
        expect(line).toMatch(remedy);
      }
    }
    // No one else is named: the simulated provider does no real work.
    expect(row.decision_prompt).not.toContain("simulated");
    expect(deps.requests).toEqual([]);
  });

  test("a task that names one is asked about that one alone", async () => {
    const deps = await machine({});
    const row = await deps.through({ context: { provider: "anthropic" } });
    expect(row.status).toBe("needs_decision");
    expect(row.decision_prompt).toContain("Set ANTHROPIC_API_KEY to a key for anthropic.");
    expect(row.decision_prompt).not.toContain("codex");
  });

  test("with a key whose server is away it waits: that passes by itself", async () => {
    const deps = await machine({ ANTHROPIC_API_KEY: "sk-1", ANTHROPIC_BASE_URL: NOWHERE });
    const row = await deps.through();
    expect(row.status).toBe("pending");
    expect(row.wait_reason).toMatch(/^anthropic: .+could not be reached$/);
  });

  test("a server without a key that answered before and is away: it waits too", async () => {
    const server = await Models.start(() => ({ kind: "silence" }), { key: null, models: ["qwen3-coder"] });
    const deps = await machine({ OLLAMA_BASE_URL: server.url });
    expect((await Provider.health(deps)).readiness.find(({ name }) => name === "ollama")).toMatchObject({
      ready: true,
    });
    await server.close();
    await Provider.probeAll(deps, [deps.providers.get("ollama")]);
    const row = await deps.through();
    expect(row.status).toBe("pending");
    expect(row.wait_reason).toMatch(/^ollama: .+could not be reached$/);
  });
});
