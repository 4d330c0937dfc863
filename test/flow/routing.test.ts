import { describe, expect, it } from "vitest";
import * as Routing from "../../core/flow/routing/index.ts";
import { CLASS_RULES } from "../../core/work/provider/index.ts";
import type * as Provider from "../../core/work/provider/index.ts";
import { FailureClass, NO_USAGE, type Skipped, type Tried } from "../../core/work/task/index.ts";
import { models } from "../support/pipeline.ts";

const NOW = 1_000_000;
const MINUTE = 60_000;

type P = Routing.Routing["providers"][number];
function provider(
  name: string,
  more: Partial<Omit<P, "capabilities">> & { caps?: Partial<P["capabilities"]> } = {},
): P {
  const { caps, ...rest } = more;
  return {
    name,
    family: "api",
    executor: null,
    models: models("small", "large"),
    prefers: [],
    ...rest,
    capabilities: {
      edits: true,
      runs_commands: true,
      where: "inline",
      paid: false,
      ...caps,
    },
  };
}

const ready = (...providers: readonly P[]) => new Map(providers.map((p) => [p.name, { ready: true, detail: "" }]));

function route(more: Partial<Omit<Routing.Routing, "task">> & { task?: Partial<Routing.Routing["task"]> } = {}) {
  const providers = more.providers ?? [provider("a"), provider("b")];
  return Routing.order({
    providers,
    readiness: ready(...providers),
    cooling: [],
    stops: [],
    bounded: false,
    paused: [],
    rules: CLASS_RULES,
    hasWorker: () => true,
    hostPin: undefined,
    allowPaid: false,
    allowSimulated: false,
    now: NOW,
    ...more,
    task: { type: "impl", tries: 0, pin: undefined, executor: undefined, ...more.task },
  });
}
const names = (routed: ReturnType<typeof route>) => routed.candidates.map((c) => `${c.provider}/${c.model}`);

describe("the order of candidates", () => {
  it("is the table's order, cheap models first", () => {
    expect(names(route())).toEqual(["a/small", "a/large", "b/small", "b/large"]);
  });

  it("after a try of the task the stronger models come first", () => {
    expect(names(route({ task: { tries: 1 } }))).toEqual(["a/large", "b/large", "a/small", "b/small"]);
    const strong = models("m", "m").slice(1);
    const providers = [
      provider("weak", { models: models("m") }),
      provider("strong", { models: strong, caps: { paid: true } }),
    ];
    expect(names(route({ providers, allowPaid: true }))).toEqual(["weak/m", "strong/m"]);
    expect(names(route({ providers, allowPaid: true, task: { tries: 1 } }))).toEqual(["strong/m", "weak/m"]);
  });

  it("takes a preferred executor before one suited to the type, and that before the table's order", () => {
    const providers = [
      provider("plain", { models: models("m") }),
      provider("suited", { models: models("m"), prefers: ["impl"] }),
      provider("wanted", { models: models("m"), executor: "claude" }),
    ];
    const routed = route({ providers, task: { executor: "claude" } });
    expect(routed.candidates.map((c) => [c.provider, c.reason])).toEqual([
      ["wanted", "preferred executor"],
      ["suited", "suited to impl"],
      ["plain", "next in order"],
    ]);
  });

  it("an executor is a preference, not a pin: an unknown one changes nothing", () => {
    expect(names(route({ task: { executor: "nobody" } }))).toEqual(names(route()));
  });

  it("takes a paid one after those that cost nothing", () => {
    const providers = [
      provider("paid", { models: models("m"), caps: { paid: true } }),
      provider("free", { models: models("m") }),
    ];
    expect(names(route({ providers, allowPaid: true }))).toEqual(["free/m", "paid/m"]);
  });

  it("is bounded", () => {
    const providers = [provider("a", { models: models(...Array.from({ length: 40 }, (_, i) => `m${i}`)) })];
    expect(route({ providers }).candidates).toHaveLength(24);
  });
});

describe("who is left out, and why", () => {
  const skipped = (routed: ReturnType<typeof route>) => routed.skipped.map((s) => [s.provider, s.model, s.reason]);

  it("a paid provider without permission, with the way out", () => {
    const routed = route({ providers: [provider("p", { models: models("m"), caps: { paid: true } }), provider("f")] });
    expect(names(routed)).toEqual(["f/small", "f/large"]);
    expect(routed.skipped).toMatchObject([{ provider: "p", class: "payment", who_acts: "user" }]);
    expect(routed.skipped[0]?.remedy).toContain("--provider p");
  });

  it.each([
    ["the task", { task: { pin: "p" } }],
    ["the host", { hostPin: "p" }],
  ])("a paid provider that %s names is consented to", (_name, more) => {
    const providers = [provider("p", { models: models("m"), caps: { paid: true } }), provider("f")];
    expect(names(route({ providers, ...more }))).toEqual(["p/m"]);
  });

  it("one that edits nothing, unless it is a review", () => {
    const providers = [provider("reader", { caps: { edits: false } }), provider("b", { models: models("m") })];
    const routed = route({ providers });
    expect(names(routed)).toEqual(["b/m"]);
    expect(routed.skipped[0]).toMatchObject({ provider: "reader", reason: "does not edit files, as impl has to" });
    expect(names(route({ providers, task: { type: "review" } }))).toContain("reader/small");
  });

  it("a pin leaves nothing else, the task's before the host's", () => {
    expect(names(route({ hostPin: "a", task: { pin: "b" } }))).toEqual(["b/small", "b/large"]);
  });

  it("FAILURES 36: a provider that nobody knows counts as not there", () => {
    const routed = route({ task: { pin: "nobody" } });
    expect(routed.candidates).toEqual([]);
    expect(routed.skipped).toMatchObject([
      { provider: "nobody", reason: "no such provider", who_acts: "user", remedy: "Name one of: a, b." },
    ]);
  });

  it("FAILURES 36: one that was not probed yet is not ready, and comes back by itself", () => {
    const routed = route({ readiness: new Map() });
    expect(routed.candidates).toEqual([]);
    expect(routed.skipped).toHaveLength(4);
    expect(routed.skipped[0]).toMatchObject({ reason: "not probed yet", who_acts: "system", returns_at: NOW + 5000 });
  });

  it("one whose probe said no, with its remedy", () => {
    const readiness = new Map([
      ["a", { ready: false, detail: "KEY is not set", remedy: "Set KEY." }],
      ["b", { ready: true, detail: "" }],
    ]);
    const routed = route({ readiness });
    expect(names(routed)).toEqual(["b/small", "b/large"]);
    expect(routed.skipped[0]).toEqual({
      provider: "a",
      model: "small",
      reason: "KEY is not set",
      class: "auth",
      who_acts: "user",
      remedy: "Set KEY.",
    });
  });

  it.each<[string, Provider.Cooling, string[]]>([
    [
      "of a model",
      { provider: "a", model: "small", until: NOW + 1, class: "rate_limit" },
      ["a/large", "b/small", "b/large"],
    ],
    ["of a credential", { provider: "a", until: NOW + 1, class: "quota" }, ["b/small", "b/large"]],
    ["without an end", { provider: "a", until: null, class: "auth" }, ["b/small", "b/large"]],
    [
      "of another's model of the same name",
      { provider: "c", model: "small", until: null, class: "auth" },
      names(route()),
    ],
  ])("a cooldown %s", (_name, cooling, expected) => {
    const routed = route({ cooling: [cooling] });
    expect(names(routed)).toEqual(expected);
    for (const one of routed.skipped) {
      expect(one).toMatchObject({ provider: "a", class: cooling.class, who_acts: CLASS_RULES[cooling.class].whoActs });
      expect(one.returns_at).toBe(cooling.until ?? undefined);
    }
  });

  it("a machine's agent without a worker is skipped as no_worker, with one it is offered", () => {
    const providers = [provider("cli", { models: models("m"), caps: { where: "machine" } })];
    expect(route({ providers, hasWorker: () => false }).skipped).toMatchObject([
      { class: "no_worker", who_acts: "system" },
    ]);
    expect(route({ providers }).candidates).toMatchObject([{ where: "machine" }]);
  });

  it("under a cost budget a paid model of unknown price, unless its provider says what it cost", () => {
    const caps = { paid: true };
    const priced = { price: { input: 1, cached: 1, written: 1, output: 1, date: "", source: "" } };
    const [known, unknown] = models("known", "unknown").map((model, i) => (i === 0 ? { ...model, ...priced } : model));
    const both = [known, unknown].filter((one) => one !== undefined);
    const providers = [
      provider("a", { models: both, caps }),
      provider("b", { models: both, caps: { ...caps, tells_cost: true } }),
      provider("c", { models: both }),
    ];
    const routed = route({ providers, allowPaid: true, bounded: true });
    expect(names(routed).toSorted()).toEqual(["a/known", "b/known", "b/unknown", "c/known", "c/unknown"]);
    expect(routed.skipped).toMatchObject([{ provider: "a", model: "unknown", who_acts: "user" }]);
    expect(names(route({ providers, allowPaid: true }))).toHaveLength(6);
  });

  describe("simulated", () => {
    const providers = [
      provider("real", { models: models("m") }),
      provider("simulated", { family: "simulated", models: models("s") }),
    ];
    it.each([
      ["is never a fallback for real work, not even when nothing else is ready", {}, []],
      ["plays when it is named", { task: { pin: "simulated" } }, ["simulated/s"]],
      ["plays on the scratch repository", { allowSimulated: true }, ["simulated/s"]],
    ])("%s", (_name, more, expected) => {
      const readiness = new Map([
        ["real", { ready: false, detail: "no key", remedy: "set one" }],
        ["simulated", { ready: true, detail: "" }],
      ]);
      const routed = route({ providers, readiness, ...more });
      expect(names(routed)).toEqual(expected);
      if (expected.length === 0) expect(skipped(routed)).toEqual([["real", "m", "no key"]]);
    });
  });
});

describe("a provider that is not ready", () => {
  const routed = (transient: boolean) =>
    route({
      providers: [provider("a", { models: models("m") })],
      readiness: new Map([["a", { ready: false, detail: "answered 503", remedy: "Wait.", transient }]]),
    }).skipped;

  it("is its user's to mend", () => {
    expect(routed(false)).toMatchObject([{ class: "auth", who_acts: "user", remedy: "Wait." }]);
  });

  it("is the system's when its probe failed by time-out, network or 5xx", () => {
    expect(routed(true)).toMatchObject([{ class: "network", who_acts: "system", reason: "answered 503" }]);
  });

  it.each([
    ["wants no key and never answered: nobody set it up", "none", undefined, "user"],
    ["wants no key and has answered before", "none", NOW - 1, "system"],
    ["has a key and never answered", "0a1b2c3d", undefined, "system"],
  ])("out of reach, it %s: %s %s, %s acts", (_, account, ready_at, who_acts) => {
    const away = { ready: false, detail: "could not be reached", remedy: "Start it.", transient: true };
    const { skipped } = route({
      providers: [{ ...provider("a", { models: models("m") }), account }],
      readiness: new Map([["a", { ...away, ...(ready_at === undefined ? {} : { ready_at }) }]]),
    });
    expect(skipped).toMatchObject([{ who_acts, remedy: "Start it." }]);
  });

  it("that a user's file switched off is left out, whatever its last probe said, also when it is named", () => {
    const off = { detail: "it is switched off in f", remedy: "Switch it on in f." };
    const { candidates, skipped } = route({
      task: { pin: "a" },
      providers: [{ ...provider("a", { models: models("m") }), off }],
    });
    expect(candidates).toEqual([]);
    expect(skipped).toMatchObject([{ reason: off.detail, remedy: off.remedy, who_acts: "user" }]);
  });
});

describe("when no candidate is left", () => {
  const none = (more: Partial<Parameters<typeof Routing.noCandidate>[0]>) =>
    Routing.noCandidate({
      candidates: [],
      skipped: [],
      tried: [],
      cooling: [],
      rules: CLASS_RULES,
      parks: 0,
      now: NOW,
      ...more,
    });
  const tried = (provider: string, failed: FailureClass): Tried => ({
    provider,
    model: "m",
    turn: 1,
    class: failed,
    message: `${provider} ${failed}`,
    ms: 1,
    usage: NO_USAGE,
  });
  const skip = (provider: string, more: Partial<Skipped> = {}): Skipped => ({
    provider,
    model: "m",
    reason: "no key",
    who_acts: "user",
    remedy: "Set one.",
    ...more,
  });

  it("a context too long for every window is asked about, never sent again at the same size", () => {
    expect(none({ tried: [tried("a", "context_length")] })).toMatchObject({
      kind: "ask",
      prompt: expect.stringContaining("Split the item") as string,
    });
  });

  it("parks until the first one comes back", () => {
    const skipped = [skip("a", { returns_at: NOW + 90_000 }), skip("b", { returns_at: NOW + 30_000, reason: "busy" })];
    expect(none({ skipped })).toMatchObject({ kind: "park", until: NOW + 30_000, reason: "b: busy" });
  });

  it("parks until the cooldown of what was tried is over", () => {
    const cooling: Provider.Cooling[] = [{ provider: "a", model: "m", until: NOW + 30_000, class: "rate_limit" }];
    expect(none({ tried: [tried("a", "rate_limit")], cooling })).toMatchObject({
      kind: "park",
      until: NOW + 30_000,
    });
  });

  it("never parks into the past", () => {
    expect(none({ skipped: [skip("a", { returns_at: NOW - 5 })] })).toMatchObject({ until: NOW + 1000 });
  });

  it("asks when only a person can help, naming each candidate's reason and remedy", () => {
    const next = none({
      skipped: [skip("a"), skip("b", { reason: "paid", remedy: "Allow it." })],
      tried: [tried("c", "auth")],
      cooling: [{ provider: "c", until: null, class: "auth" }],
    });
    expect(next.kind).toBe("ask");
    const prompt = next.kind === "ask" ? next.prompt : "";
    for (const part of ["a m: no key. Set one.", "b m: paid. Allow it.", `c m: c auth. ${CLASS_RULES.auth.remedy}`])
      expect(prompt).toContain(part);
  });

  it("names first who was asked and who could work but for a cooldown or for money, then who is not set up", () => {
    const next = none({
      skipped: [skip("unset"), skip("dear", { guard: "paid_provider_blocked" }), skip("refused")],
      tried: [tried("c", "auth")],
      cooling: ["c", "refused"].map((provider) => ({ provider, until: null, class: "auth" as const })),
    });
    const prompt = next.kind === "ask" ? next.prompt : "";
    expect([...prompt.matchAll(/^- (\w+)/gm)].map(([, name]) => name)).toEqual(["c", "dear", "refused", "unset"]);
  });

  it("asks when none is set up", () => {
    expect(none({})).toMatchObject({ kind: "ask", prompt: expect.stringContaining("none is set up") as string });
  });

  it.each(["content_filter", "bad_request", "internal"] as const)("asks at once after %s", (failed) => {
    const next = none({ tried: [tried("a", failed)], skipped: [skip("b", { returns_at: NOW + 1000 })] });
    expect(next).toMatchObject({ kind: "ask", prompt: expect.stringContaining(`a ${failed}`) as string });
  });

  it.each(["crash", "bad_result", "lost"] as const)("spends a try after %s that cools nothing down", (failed) =>
    expect(none({ tried: [tried("a", failed)] })).toMatchObject({ kind: "retry" }),
  );

  it.each(["rate_limit", "quota", "payment", "auth", "network", "overloaded", "stalled"] as const)(
    "waits, and spends no try, after %s that cools nothing down: it is no fault of the agent's",
    (failed) => {
      const lasts = [0, 1, 2, 3, 6, 7, 1000].map((parks) => none({ tried: [tried("a", failed)], parks }));
      for (const one of lasts) expect(one).toMatchObject({ kind: "park", reason: `a: a ${failed}`, known: false });
      expect(lasts.map((one) => (one.kind === "park" ? (one.until - NOW) / 1000 : 0))).toEqual([
        15, 30, 60, 120, 960, 1800, 1800,
      ]);
    },
  );

  it("an agent that was not done in time spends a try, whether or not its model cools down for that", () => {
    const late: Tried = { ...tried("a", "stalled"), overtime: true };
    const cooling: Provider.Cooling[] = [{ provider: "a", model: "m", until: NOW + 30_000, class: "stalled" }];
    expect(none({ tried: [late] })).toMatchObject({ kind: "retry" });
    expect(none({ tried: [late], cooling })).toMatchObject({ kind: "retry" });
  });

  it("a bad end of the agent spends a try though a provider failed beside it", () => {
    expect(none({ tried: [tried("a", "crash"), tried("b", "stalled")] })).toMatchObject({ kind: "retry" });
  });

  it("waits for whatever comes back first: a cooldown's end or another go", () => {
    const cooling: Provider.Cooling[] = [{ provider: "b", model: "m", until: NOW + 20_000, class: "rate_limit" }];
    const next = (parks: number) => none({ tried: [tried("a", "stalled"), tried("b", "rate_limit")], cooling, parks });
    expect(next(0)).toMatchObject({ kind: "park", until: NOW + 15_000, known: false });
    expect(next(1)).toMatchObject({ kind: "park", until: NOW + 20_000, known: false });
  });

  it("what was paid for nothing when the budget ended it spends no try: the next plan asks or waits", () => {
    const cut: Tried = { ...tried("a", "budget"), usage: { ...NO_USAGE, cost_usd: 1 } };
    expect(none({ tried: [cut] })).toMatchObject({ kind: "park", until: NOW + 1000 });
  });

  it("a provider that is out of reach for now is waited for, also where others need a person", () => {
    const away = skip("a", { class: "network", who_acts: "system", reason: "https://a/v1 could not be reached" });
    expect(none({ skipped: [away, skip("b")] })).toEqual({
      kind: "park",
      until: NOW + MINUTE,
      reason: "a: https://a/v1 could not be reached",
      known: false,
    });
  });

  it.each([
    [0, 1],
    [1, 2],
    [2, 4],
  ])("a broken workspace after %i parks is waited out for %i min: a registry may be away", (parks, minutes) => {
    expect(none({ tried: [tried("a", "workspace")], parks })).toEqual({
      kind: "park",
      until: NOW + minutes * MINUTE,
      reason: "workspace: a workspace",
      known: false,
    });
  });

  it("a broken workspace after 3 parks in a row is a question", () => {
    expect(none({ tried: [tried("a", "workspace")], parks: 3 })).toMatchObject({
      kind: "ask",
      prompt: expect.stringContaining(CLASS_RULES.workspace.remedy) as string,
    });
  });

  it("parks, and spends no try, when the worker was gone by the time of the offer", () => {
    expect(none({ tried: [tried("cli", "no_worker")] })).toMatchObject({ kind: "park", until: NOW + MINUTE });
  });

  it.each([
    [0, 1],
    [1, 2],
    [2, 4],
    [3, 8],
    [4, 16],
    [5, 30],
    [6, 30],
    [1000, 30],
  ])("where the end is unknown the park number %i lasts %i min", (parks, minutes) => {
    const waiting = skip("cli", { who_acts: "system", class: "no_worker", reason: "no worker" });
    expect(none({ skipped: [skip("a"), waiting], parks })).toMatchObject({
      kind: "park",
      until: NOW + minutes * MINUTE,
      reason: "cli: no worker",
    });
    expect(Routing.unknownWait(parks)).toBe(minutes * MINUTE);
  });

  it("decides for every class and never waits for ever by itself", () => {
    for (const failed of FailureClass.options)
      for (const cooling of [[], [{ provider: "a", until: null, class: failed }]]) {
        const next = none({ tried: [tried("a", failed)], cooling });
        if (next.kind === "park") expect(next.until).toBeLessThanOrEqual(NOW + 30 * MINUTE);
        if (next.kind === "ask") expect(next.prompt.length).toBeGreaterThan(10);
      }
  });
});
