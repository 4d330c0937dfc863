import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as Clock from "../../core/ground/clock.ts";
import * as Attempt from "../../core/work/attempt/index.ts";
import * as Metrics from "../../core/work/metrics/index.ts";
import * as Provider from "../../core/work/provider/index.ts";
import type { TaskRow } from "../../core/work/task/index.ts";
import { withMachine, type Machine } from "../functions/workflow-support.ts";
import * as Chat from "./models/chat.ts";
import * as Messages from "./models/messages.ts";
import type { Reply } from "./models/reply.ts";
import * as Responses from "./models/responses.ts";
import type { ModelServer, Options, Script } from "./models/server.ts";

/**
 * The sixteen cases of the public Failover Bench, restated: two real model providers behind the state machine, each with a
 * scripted server that speaks its protocol. What a case came to is told in one line, which is compared as a whole.
 */

/** Time runs so many times faster than on the wall: 15 s of waiting for a first token are three quarters of a second. */
export const SPEED = 20;

const KEY = "sk-failover-0123456789";
const SECOND = 1000;

type Side = { provider: string; model: string; start: (script: Script, options?: Options) => Promise<ModelServer> };

/** Who fails, a protocol each; who takes over reads more than the first, and speaks another. */
export const PROTOCOLS: Readonly<Record<string, { primary: Side; fallback: Side }>> = {
  messages: {
    primary: { provider: "anthropic", model: "claude-haiku-5-5", start: Messages.start },
    fallback: { provider: "openai", model: "gpt-6-luna", start: Responses.start },
  },
  responses: {
    primary: { provider: "openai", model: "gpt-6-luna", start: Responses.start },
    fallback: { provider: "anthropic", model: "claude-sonnet-5-5", start: Messages.start },
  },
  "chat completions": {
    primary: { provider: "openrouter", model: "qwen/qwen3-coder-next", start: Chat.startOpenRouter },
    fallback: { provider: "anthropic", model: "claude-sonnet-5-5", start: Messages.start },
  },
};

export type World = {
  deps: Machine;
  primary: ModelServer;
  fallback: ModelServer;
  sides: { primary: Side; fallback: Side };
  /** What each side answers from now on. */
  script: { primary: Script; fallback: Script };
  /** The pipeline's time since the world began, in ms. */
  now(): number;
  /** Runs one task through the state machine until it rests. */
  task(): Promise<Ran>;
  /** From now on the case's namesakes may be asked too. */
  namesakes(): Promise<void>;
  /** What a task came to, in one line. */
  tell(ran: Ran): string;
  close(): Promise<void>;
};

type Ran = { row: TaskRow; attempt: Attempt.AttemptRow };

export type Case = {
  name: string;
  primary: Script;
  fallback?: Script;
  expected: string;
  /** So many more providers stand behind the primary, each with its server; not ready before they are called. */
  namesakes?: number;
  /** What came of it; without this, of one task. */
  run?: (world: World) => Promise<string>;
};

const RESULT = 'Done.\n\n```coherence-result\n{"summary": "done"}\n```\n';
const well: Reply = { kind: "text", text: RESULT };
const status = (code: number, more: Partial<Reply & { kind: "status" }> = {}): Reply => ({
  kind: "status",
  status: code,
  ...more,
});
/** So many times the first, then the second. */
const times =
  (n: number, first: Reply, then: Reply): Script =>
  (_, i) =>
    i <= n ? first : then;
const always =
  (reply: Reply): Script =>
  () =>
    reply;

/** Anthropic's fixed sentence; gateways of the other protocols hand it on. */
const NO_PREFILL =
  "This model does not support assistant message prefill. The conversation must end with a user message.";

export const CASES: readonly Case[] = [
  {
    name: "429 with Retry-After is honoured",
    primary: times(1, status(429, { headers: { "retry-after": "2" } }), well),
    expected: "completed by primary; asked 2+0; rate_limit; at least 2 s later",
    async run(world) {
      const told = tell(world, await world.task());
      const [first, second] = world.primary.requests;
      const waited = (((second?.at ?? 0) - (first?.at ?? 0)) * SPEED) / SECOND;
      return `${told}; ${waited >= 2 ? "at least 2 s" : `${waited.toFixed(1)} s`} later`;
    },
  },
  {
    name: "a persistent 429 is not hammered",
    primary: always(status(429)),
    expected: "10 completed by fallback; at most one request a cooldown",
    async run(world) {
      const ran: Ran[] = [];
      for (let i = 0; i < 10; i++) ran.push(await world.task());
      const cooldowns = 1 + Math.floor(world.now() / (30 * SECOND));
      const asked = world.primary.requests.length;
      const by = ran.filter((one) => byWhom(world, one) === "fallback").length;
      return `${by} completed by fallback; ${asked <= cooldowns ? "at most one request a cooldown" : `${asked} requests in ${cooldowns} cooldowns`}`;
    },
  },
  {
    name: "one 500",
    primary: times(1, status(500), well),
    expected: "completed by primary; asked 2+0; overloaded",
  },
  {
    name: "a persistent 503 (≤ 6 attempts in all)",
    primary: always(status(503)),
    expected: `completed by fallback; asked 2+1; overloaded, overloaded; then pending; asked 8+1; overloaded, cooling, ${Array(5).fill("overloaded").join(", ")}`,
    namesakes: 6,
    async run(world) {
      const told = tell(world, await world.task());
      // Seven before the fallback, each of which might be asked twice; the first cools down at its third failure.
      await world.namesakes();
      return `${told}; then ${tell(world, await world.task())}`;
    },
  },
  {
    name: "TCP reset",
    primary: always({ kind: "reset" }),
    expected: "completed by fallback; asked 2+1; network, network",
  },
  {
    name: "a silent provider (≤ 100 s, not retried)",
    primary: always({ kind: "mute" }),
    expected: "completed by fallback; asked 1+1; stalled: No answer began within 12 s.",
    run: withReason,
  },
  {
    name: "a slow first token (≤ 15 s)",
    primary: always({ kind: "silence" }),
    expected: "completed by fallback; asked 1+1; stalled: No answer began within 12 s.",
    run: withReason,
  },
  {
    name: "a stream that is cut is never a success",
    primary: always({ kind: "cut", text: RESULT }),
    expected: "completed by fallback; asked 1+1; stalled",
  },
  {
    name: "a stalled stream",
    primary: always({ kind: "stall", text: "I begin" }),
    expected: "completed by fallback; asked 1+1; stalled: Nothing more of the answer came within 90 s.",
    run: withReason,
  },
  {
    name: "a malformed chunk",
    primary: always({ kind: "malformed", text: RESULT }),
    expected: "completed by fallback; asked 1+1; stalled",
  },
  {
    name: "a missing end marker",
    primary: always({ kind: "unfinished", text: RESULT }),
    expected: "completed by fallback; asked 1+1; stalled",
  },
  {
    name: "context too long: only to a larger window",
    primary: always(status(400, { type: "context_length_exceeded" })),
    expected: "completed by fallback; asked 1+1; context_length",
  },
  {
    name: "content filter: no retry, reported",
    primary: always({ kind: "text", text: "I will not", finish: "content-filter" }),
    expected: "needs_decision; asked 1+0; content_filter",
  },
  {
    name: "prefill rejected: once to another, else reported",
    primary: always(status(400, { type: "invalid_request_error", message: NO_PREFILL })),
    fallback: times(1, well, status(400, { type: "invalid_request_error", message: NO_PREFILL })),
    expected: "completed by fallback; asked 1+1; bad_request; then needs_decision; asked 2+2; bad_request, bad_request",
    async run(world) {
      const first = tell(world, await world.task());
      return `${first}; then ${tell(world, await world.task())}`;
    },
  },
  {
    name: "a flapping provider (returns ≤ 30 s after it is well)",
    primary: always(status(503)),
    expected: "all completed; by the fallback while it is down; back within 30 s",
    run: flapping,
  },
  {
    name: "accounting: the fallback's model and usage are billed and shown",
    primary: always({ kind: "cut", text: "I begin" }),
    fallback: always({ ...well, usage: { input: 4000, cached: 0, written: 0, output: 70 } }),
    expected: "completed by fallback; asked 1+1; stalled; fallback 4000+70 tokens, as the metrics say; primary unknown",
    run: accounting,
  },
];

/** Which limit ended the first candidate's go; how fast this machine is does not show in it. */
async function withReason(world: World): Promise<string> {
  const ran = await world.task();
  return `${tell(world, ran)}: ${ran.attempt.tried[0]?.message}`;
}

async function flapping(world: World): Promise<string> {
  let down = true;
  world.script.primary = () => (down ? status(503) : well);
  const ran: Ran[] = [];
  const whileDown: (string | null)[] = [];
  // Its first cooldown of 15 s is over soon after it is well again.
  while (world.now() < 12 * SECOND) {
    const one = await world.task();
    ran.push(one);
    whileDown.push(byWhom(world, one));
    await world.deps.clock.sleep(SECOND);
  }
  down = false;
  const since = world.now();
  let back = Infinity;
  while (back === Infinity && world.now() - since < 60 * SECOND) {
    const one = await world.task();
    ran.push(one);
    if (byWhom(world, one) === "primary") back = world.now() - since;
    else await world.deps.clock.sleep(SECOND);
  }
  const all = ran.every((one) => one.row.status === "completed") ? "all completed" : "not all completed";
  const by = whileDown.every((one) => one === "fallback") ? "by the fallback while it is down" : "not by the fallback";
  return `${all}; ${by}; ${back <= 30 * SECOND ? "back within 30 s" : `back after ${back / SECOND} s`}`;
}

async function accounting(world: World): Promise<string> {
  const ran = await world.task();
  const { usage, tried } = ran.attempt;
  const { by_provider } = await Metrics.read(world.deps);
  const name = ran.attempt.candidates?.[ran.attempt.chosen]?.provider ?? "";
  const shown = by_provider[name];
  const same = shown?.tokens_in === usage?.tokens_in && shown?.tokens_out === usage?.tokens_out;
  const first = tried[0]?.usage.cost_usd === null ? "primary unknown" : `primary $${tried[0]?.usage.cost_usd}`;
  return `${tell(world, ran)}; fallback ${usage?.tokens_in}+${usage?.tokens_out} tokens, ${same ? "as the metrics say" : "not as the metrics say"}; ${first}`;
}

/** What a task came to, how often each side was asked so far, and how its candidates failed. */
function tell(world: World, ran: Ran): string {
  const by = byWhom(world, ran);
  const asked = `asked ${world.primary.requests.length}+${world.fallback.requests.length}`;
  const failures = ran.attempt.tried.map((one) => one.class).join(", ");
  return [`${ran.row.status}${by === null ? "" : ` by ${by}`}`, asked, ...(failures === "" ? [] : [failures])].join(
    "; ",
  );
}

/** Who served a task: the candidate that its attempt and the task itself name alike. */
function byWhom(world: World, { row, attempt }: Ran): string | null {
  if (row.status !== "completed") return null;
  const candidate = attempt.candidates?.[attempt.chosen];
  const shown = `${candidate?.provider}/${candidate?.model}`;
  if (shown !== row.model) return `${shown}, shown as ${row.model}`;
  return candidate?.provider === world.sides.primary.provider ? "primary" : "fallback";
}

/** A world for one case: servers, providers and a table of its own. */
export async function world(protocol: string, one: Case): Promise<World> {
  const sides = PROTOCOLS[protocol];
  if (!sides) throw new Error(`no protocol ${protocol}`);
  const script = { primary: one.primary, fallback: one.fallback ?? always(well) };
  const primary = await sides.primary.start((request, n) => script.primary(request, n), { key: KEY });
  const fallback = await sides.fallback.start((request, n) => script.fallback(request, n), { key: KEY });
  const clock = faster(SPEED);
  const registry = Provider.create({
    clock,
    home: mkdtempSync(join(tmpdir(), "failover-")),
    hostEnv: {},
    settings: { ...settingsOf(sides.primary, primary.url), ...settingsOf(sides.fallback, fallback.url) },
  });
  const first = registry.get(sides.primary.provider);
  const namesakes = Array.from({ length: one.namesakes ?? 0 }, (_, i) => ({
    ...first,
    name: `${first.name}-${i + 1}`,
  }));
  const deps = await withMachine({
    clock,
    env: { AGENT_ALLOW_PAID_PROVIDERS: "1" },
    providers: [first, ...namesakes, registry.get(sides.fallback.provider)],
    unready: namesakes.map(({ name }) => name),
  });
  const began = clock.now();
  const it: World = {
    deps,
    primary,
    fallback,
    sides,
    script,
    now: () => clock.now() - began,
    async task() {
      const row = await deps.through({ task_type: "review" });
      const attempt = await Attempt.read(deps.store, row.id, row.att);
      if (!attempt) throw new Error("no attempt");
      return { row, attempt };
    },
    async namesakes() {
      for (const one of namesakes) await Provider.saveReadiness(deps, one, { ready: true, detail: "it answered" });
    },
    tell: (ran) => tell(it, ran),
    async close() {
      await Promise.all([primary.close(), fallback.close()]);
    },
  };
  return it;
}

function settingsOf({ provider, model }: Side, url: string): Record<string, string> {
  const prefix = provider.toUpperCase();
  return { [`${prefix}_API_KEY`]: KEY, [`${prefix}_BASE_URL`]: url, [`${prefix}_MODEL`]: model };
}

/** The machine's clock, faster. */
function faster(speed: number): Clock.VirtualClock {
  const clock = Clock.system();
  const began = clock.now();
  const sleep: Clock.Clock["sleep"] = (ms, signal) => clock.sleep(ms / speed, signal);
  return {
    now: () => Math.round(began + (clock.now() - began) * speed),
    sleep,
    after: (ms, run) => clock.after(ms / speed, run),
    every: (ms, run) => clock.every(ms / speed, run),
    advance: sleep,
  };
}
