import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import * as Clock from "../../core/ground/clock.ts";
import * as Provider from "../../core/work/provider/index.ts";

const PRICE = { input: 1, output: 2, date: "2026-11-26", source: "https://example.com/prices" };

const parse = (file: unknown, which: Provider.Which = "home") =>
  Provider.parseConfig(typeof file === "string" ? file : JSON.stringify(file), which);

/** What a file is refused with; fails where it is taken. */
function refusal(file: unknown, which: Provider.Which = "home"): { problem: string; remedy: string } {
  const parsed = parse(file, which);
  if (parsed.kind === "good") return expect.unreachable(`taken: ${JSON.stringify(file)}`);
  return parsed;
}

/** The registry with these files' words, the last before the others. */
function registry(...files: [string, object][]): Provider.Registry {
  const changes = files.map(([file, providers]) => {
    const parsed = parse({ providers });
    if (parsed.kind === "bad") throw new Error(parsed.problem);
    return { file, overrides: parsed.overrides };
  });
  return Provider.create({ settings: {}, clock: Clock.system(), home: tmpdir(), hostEnv: {} }, changes);
}

const codex = (overrides: unknown) => ({ providers: { codex: overrides } });
const models = (...given: unknown[]) => codex({ models: given });

describe("a file is refused as a whole, with the path to the mistake and what was expected there", () => {
  const mistakes: [file: unknown, problem: string | RegExp][] = [
    [
      models({ name: "a" }, { name: "b", price: { ...PRICE, input: "1" } }),
      "providers.codex.models[1].price.input: expected a number ≥ 0",
    ],
    [
      models({ name: "a", price: { ...PRICE, output: -1 } }),
      "providers.codex.models[0].price.output: expected a number ≥ 0",
    ],
    [
      models({ name: "a", price: { ...PRICE, output: undefined } }),
      "providers.codex.models[0].price.output: is missing",
    ],
    [
      models({ name: "a", price: { ...PRICE, date: "26.11.2026" } }),
      "providers.codex.models[0].price.date: expected a day, as 2026-11-26",
    ],
    [
      models({ name: "a", price: 1 }),
      "providers.codex.models[0].price: expected an object, or null where the price is unknown",
    ],
    [models({ name: "a", tier: 4 }), "providers.codex.models[0].tier: expected 1, 2 or 3"],
    [
      models({ name: "a", context_window: 1e5 + 0.5 }),
      /^providers\.codex\.models\[0\]\.context_window: expected a whole number of tokens/,
    ],
    [models({ name: "" }), /^providers\.codex\.models\[0\]\.name: expected text of 1 to 200 characters on one line$/],
    [models({ name: "a\nb" }), /models\[0\]\.name: expected text/],
    [models({ name: "a\u001b[31m" }), /models\[0\]\.name: expected text/],
    [models({ tier: 1 }), "providers.codex.models[0].name: is missing"],
    [models(), /^providers\.codex\.models: expected at least one model/],
    [models({ name: "a" }, { name: "a" }), "providers.codex.models: has two models of one name"],
    [
      models({ name: "a", window: 1 }),
      "providers.codex.models[0].window: there is no such setting; there is name, context_window, tier, price",
    ],
    [models("a"), "providers.codex.models[0]: expected an object with a name"],
    [
      codex({ modles: [] }),
      "providers.codex.modles: there is no such setting; there is enabled, models, prefers, capabilities, base_url",
    ],
    [codex({ enabled: "no" }), "providers.codex.enabled: expected true or false"],
    [codex({ prefers: ["imp"] }), /^providers\.codex\.prefers\[0\]: expected one of spec, /],
    [
      codex({ capabilities: { edits: false } }),
      "providers.codex.capabilities.edits: there is no such setting; there is paid",
    ],
    [codex({ base_url: "ftp://x" }), /^providers\.codex\.base_url: expected an http or https URL/],
    [
      codex({ base_url: "https://me:secret@example.com" }),
      /^providers\.codex\.base_url: expected an http or https URL without user/,
    ],
    [
      codex({ base_url: "https://example.com/?api=1" }),
      /^providers\.codex\.base_url: expected an http or https URL without user/,
    ],
    [
      { providers: { simulated: { base_url: "http://127.0.0.1" } } },
      "providers.simulated.base_url: simulated has no model server",
    ],
    [{ providers: { codx: {} } }, /^providers\.codx: there is no such provider; there is codex, .*anthropic, /],
    [{ provider: {} }, "provider: there is no such setting; there is providers"],
    [{ providers: [] }, "providers: expected an object with the names of providers"],
    [[], "the file: expected an object"],
    ["null", "the file: expected an object"],
    ["7", "the file: expected an object"],
    ['{ "providers": { "codex": { "enabled": true, } } }', /^is not JSON: .+\(line 1 column \d+\)$/],
    ["", "is empty"],
    ["\u0000\u0001", "is not UTF-8 text"],
    ["{\uFFFD}", "is not UTF-8 text"],
    ['{ "providers": { "__proto__": { "enabled": false } } }', "providers.__proto__: there is no such setting"],
    ['{ "__proto__": {} }', "__proto__: there is no such setting"],
    ['{ "providers": { "constructor": {} } }', /^providers\.constructor: there is no such provider/],
    ["[".repeat(100_000) + "]".repeat(100_000), "[0][0][0]: is nested too deep"],
    [`{ "providers": ${" ".repeat(256 * 1024)} {} }`, "has over 256 KiB"],
  ];
  it.each(mistakes.map(([file, problem]) => [String(problem).slice(0, 80), file, problem] as const))(
    "%s",
    (_, file, problem) => {
      const refused = refusal(file);
      if (typeof problem === "string") expect(refused.problem).toBe(problem);
      else expect(refused.problem).toMatch(problem);
      expect(refused.remedy).toMatch(/^[A-Z{][^\n]*\.$/);
    },
  );

  it("says the first mistakes and how many there are", () => {
    const { problem } = refusal({ providers: { codex: { a: 1, b: 1, c: 1, d: 1, e: 1 } } });
    expect(problem).toMatch(/^providers\.codex\.a: .+; providers\.codex\.b: .+; providers\.codex\.c: .+; and 2 more$/);
  });

  test("a key is refused with the variable that holds it, and is not repeated", () => {
    const secret = "sk-live-000111222";
    for (const name of ["api_key", "apiKey", "OPENAI_API_KEY", "token", "password", "client_secret", "Authorization"]) {
      const refused = refusal(codex({ [name]: secret }));
      expect(refused.problem).toBe(`providers.codex.${name}: a key never stands in this file`);
      expect(refused.remedy).toContain("the environment: CODEX_API_KEY or OPENAI_API_KEY");
      expect(JSON.stringify(refused)).not.toContain(secret);
    }
    expect(refusal({ api_key: secret }).remedy).toContain("an environment variable");
    expect(refusal(models({ name: "a", key: secret })).problem).toBe(
      "providers.codex.models[0].key: a key never stands in this file",
    );
    // Nor where it stands as a name.
    for (const named of [codex({ [secret]: 1 }), { [secret]: 1 }, codex({ AIzaSyD0000secret11122: 1 })])
      expect(JSON.stringify(refusal(named))).not.toMatch(/000111222|secret11122/);
    // Nor where the text is broken at its very place.
    expect(JSON.stringify(refusal(`{ "providers": { "codex": ${secret} } }`))).not.toContain(secret);
  });

  test("whatever stands there, it is taken or refused in a sentence, never thrown", () => {
    const anything = fc.oneof(
      fc.json({ maxDepth: 12 }),
      fc.string({ unit: "binary" }),
      fc
        .record({ codex: fc.record({ enabled: fc.jsonValue(), models: fc.jsonValue(), base_url: fc.webUrl() }) })
        .map((providers) => JSON.stringify({ providers })),
    );
    fc.assert(
      fc.property(anything, fc.constantFrom<Provider.Which>("home", "repository"), (text, which) => {
        const parsed = Provider.parseConfig(text, which);
        if (parsed.kind === "bad") expect(parsed.problem).toMatch(/^[^\n]{4,}$/);
      }),
    );
    expect(({} as Record<string, unknown>).enabled).toBeUndefined();
  });
});

describe("a file that is taken", () => {
  it("may be as little as {}, and begin with a byte order mark", () => {
    expect(parse("{}")).toEqual({ kind: "good", overrides: {} });
    expect(parse('\uFEFF{ "providers": {} }')).toEqual({ kind: "good", overrides: {} });
  });

  it("changes what it names and nothing else of its provider, and no other provider", () => {
    const before = registry();
    const after = registry(["a", { codex: { prefers: ["spec"], base_url: "http://127.0.0.1:1/v1" } }]);
    expect(after.get("codex")).toMatchObject({ prefers: ["spec"], models: before.get("codex").models });
    const others = (all: Provider.Registry) => JSON.stringify(all.all().filter((one) => one.name !== "codex"));
    expect(others(after)).toBe(others(before));
  });

  it("leaves of a model what it does not say: as it was, or as for the strongest, the price unknown", () => {
    const [luna, own, free] = registry([
      "a",
      {
        codex: {
          models: [
            { name: "gpt-6-luna", tier: 3 },
            { name: "own", price: PRICE },
            { name: "unknown", context_window: 5000 },
          ],
        },
      },
    ]).get("codex").models;
    expect(luna).toMatchObject({ tier: 3, context_window: 272_000, price: { input: 0.1, output: 0.5 } });
    // What nothing is said of in the cache costs what fresh input does.
    expect(own).toEqual({ name: "own", tier: 3, context_window: 272_000, price: { ...PRICE, cached: 1, written: 1 } });
    expect(free).toEqual({ name: "unknown", tier: 3, context_window: 5000, price: null });
  });

  it("a price of null is unknown, also where the table has one", () => {
    const [luna] = registry(["a", { codex: { models: [{ name: "gpt-6-luna", price: null }] } }]).get("codex").models;
    expect(luna?.price).toBeNull();
  });

  it("the repository's word goes before the home's, field by field, and both before the table's", () => {
    const own = registry(
      ["home", { codex: { models: [{ name: "h" }], prefers: ["spec"] }, ollama: { enabled: false } }],
      ["repository", { codex: { models: [{ name: "r" }] }, ollama: { enabled: true }, anthropic: { enabled: false } }],
    );
    expect(own.get("codex")).toMatchObject({ models: [{ name: "r" }], prefers: ["spec"] });
    expect(own.get("ollama").off).toBeUndefined();
    expect(own.get("anthropic").off?.detail).toBe("it is switched off in repository");
  });

  it("a variable of the environment goes before every file", async () => {
    const changes = parse(codex({ base_url: "http://127.0.0.1:1/v1", models: [{ name: "m", price: PRICE }] }));
    if (changes.kind === "bad") throw new Error(changes.problem);
    const made = (settings: Provider.Settings) =>
      Provider.create({ settings, clock: Clock.system(), home: tmpdir(), hostEnv: { PATH: process.env.PATH } }, [
        { file: "a", overrides: changes.overrides },
      ]).get("codex");
    const set = { CODEX_BIN: "true", CODEX_API_KEY: "k" };
    expect(made({ OPENCLAW_MODEL: "m" }).models).toMatchObject([{ name: "m", price: { input: 1 } }]);
    expect(made({ OPENCLAW_MODEL: "n" }).models).toMatchObject([{ name: "n", price: null }]);
    expect((await made(set).probe()).detail).toContain("http://127.0.0.1:1/v1");
    expect((await made({ ...set, OPENAI_BASE_URL: "http://127.0.0.1:2/v1" }).probe()).detail).toContain("127.0.0.1:2");
  });

  it("a provider that is switched off answers no probe with yes, and says what switches it on", async () => {
    const off = registry(["coherence.config.json", { simulated: { enabled: false } }]).get("simulated");
    expect(await off.probe()).toEqual({
      ready: false,
      detail: "it is switched off in coherence.config.json",
      remedy: "To use it, take providers.simulated.enabled out of coherence.config.json, or set it to true.",
    });
    expect(await registry().get("simulated").probe()).toMatchObject({ ready: true });
  });
});

describe("what a repository may not say, since others write to it", () => {
  it.each([
    [
      { openai: { base_url: "https://example.com" } },
      /base_url: a repository does not say where your key is sent/,
      /OPENAI_BASE_URL/,
    ],
    [
      { anthropic: { capabilities: { paid: false } } },
      /paid: a repository does not say that it is free/,
      /of the home/,
    ],
    [{ "openrouter-free": { models: [{ name: "dear/one" }] } }, /models: they may cost money/, /of the home/],
  ])("%j", (providers, problem, remedy) => {
    const refused = refusal({ providers }, "repository");
    expect(refused.problem).toMatch(problem);
    expect(refused.remedy).toMatch(remedy);
    expect(parse({ providers }, "home").kind).toBe("good");
  });

  it.each([
    [{ ollama: { base_url: "http://127.0.0.1:9/v1", models: [{ name: "m" }] } }],
    [{ ollama: { capabilities: { paid: true } } }],
    [{ anthropic: { models: [{ name: "m" }], capabilities: { paid: true } } }],
  ])("%j it may say", (providers) => expect(parse({ providers }, "repository").kind).toBe("good"));
});

describe("docs/PROVIDERS.md", () => {
  const docs = readFileSync(fileURLToPath(new URL("../../docs/PROVIDERS.md", import.meta.url)), "utf8");
  const section = docs.split("## Your own table: coherence.config.json")[1]?.split("\n## ")[0] ?? "";

  it("has an example that a home may have as it stands, and that does what it says", () => {
    const example = /```json\n([\s\S]*?)```/.exec(section)?.[1] ?? expect.unreachable("no example");
    const parsed = Provider.parseConfig(example, "home");
    if (parsed.kind === "bad") return expect.unreachable(parsed.problem);
    const { providers } = JSON.parse(example) as { providers: object };
    const all = registry(["home", providers]);
    expect(all.get("codex").models).toMatchObject([
      { name: "gpt-6-luna", tier: 1, price: { input: 0.1 } },
      { name: "gpt-7-mini", context_window: 400_000, tier: 2, price: { input: 0.5, cached: 0.05, written: 0.5 } },
    ]);
    expect(all.get("openrouter").off).toBeDefined();
    expect(all.get("ollama").models).toMatchObject([{ name: "my-model", context_window: 64_000, price: null }]);
  });

  it("names every field there is, and the mistake that it shows is one", () => {
    const { problem } = refusal(codex({ nothing: 1 }));
    const fields = problem.split("there is ").at(-1)?.split(", ") ?? [];
    expect(fields).toHaveLength(5);
    for (const field of fields) expect(section).toContain(`| \`${field}\` |`);
    const wrong = models({ name: "a" }, { name: "b", price: { ...PRICE, input: -1 } });
    expect(section).toContain(`\`${refusal(wrong).problem}\``);
  });
});

describe("a registry that is exchanged", () => {
  it("is the new one for whoever asks, the old one for whoever has it: never a part of each", () => {
    const held = Provider.switching(registry(["a", { codex: { models: [{ name: "old" }] } }]));
    const before = held.all();
    held.use(registry(["b", { codex: { models: [{ name: "new" }] }, ollama: { enabled: false } }]));
    const seen = (all: readonly Provider.Provider[]) => [
      all.find(({ name }) => name === "codex")?.models[0]?.name,
      all.find(({ name }) => name === "ollama")?.off !== undefined,
    ];
    expect([seen(before), seen(held.all())]).toEqual([
      ["old", false],
      ["new", true],
    ]);
    expect(held.get("codex")).toBe(held.all().find(({ name }) => name === "codex"));
  });
});

describe("how a file stands", () => {
  const file = { which: "home", file: "f" } as const;
  const good: Provider.Seen = { kind: "good", overrides: { codex: { enabled: false } } };
  const other: Provider.Seen = { kind: "good", overrides: { codex: { prefers: ["spec"] } } };
  const bad: Provider.Seen = { kind: "bad", problem: "p", remedy: "r" };
  const walk = (lastGood: Provider.ConfigState["overrides"] | undefined, ...seen: Provider.Seen[]) =>
    seen.reduce<Provider.ConfigState | undefined>(
      (state, one, i) => Provider.nextState(file, state, one, lastGood, i),
      undefined,
    );

  it.each<[string, Provider.ConfigState["overrides"] | undefined, Provider.Seen[], Partial<Provider.ConfigState>]>([
    [
      "broken at the start, nothing kept: without it",
      undefined,
      [bad],
      { state: "refused", using: "nothing", overrides: {} },
    ],
    [
      "broken at the start, a good one kept: that one",
      good.overrides,
      [bad],
      { using: "last_good", overrides: good.overrides, problem: "p" },
    ],
    ["broken later: as it was", other.overrides, [good, bad], { using: "last_good", overrides: good.overrides }],
    [
      "broken twice: still as it was",
      undefined,
      [good, bad, { ...bad, problem: "q" }],
      { using: "last_good", overrides: good.overrides, problem: "q" },
    ],
    [
      "mended: the new one",
      undefined,
      [good, bad, other],
      { state: "used", using: "file", overrides: other.overrides, problem: null },
    ],
    [
      "gone: nothing, whatever was kept",
      good.overrides,
      [good, { kind: "absent" }],
      { state: "absent", using: "nothing", overrides: {} },
    ],
    [
      "gone, then broken: nothing, as it said last",
      good.overrides,
      [good, { kind: "absent" }, bad],
      { using: "nothing", overrides: {} },
    ],
    ["as before: since then", undefined, [good, bad, bad], { since: 1 }],
  ])("%s", (_, lastGood, seen, expected) => expect(walk(lastGood, ...seen)).toMatchObject(expected));
});
