import { cut, isTurnedAway, wentFor, type Candidate, type Skipped, type Tried } from "../../work/task/index.ts";
import type { CLASS_RULES, Cooling } from "../../work/provider/index.ts";
import { fallbacksSpent, MAX_FALLBACKS } from "./next.ts";

/** What to do when no candidate is left. */
export type NoCandidate =
  /** One comes back by itself. `until` in ms; `known`: that is when, else it is only when to look again. */
  | { kind: "park"; until: number; reason: string; known: boolean }
  /** Only a person can help; the prompt names each candidate's reason and remedy. */
  | { kind: "ask"; prompt: string }
  /** The agent failed and may try anew: a try of the task is spent. */
  | { kind: "retry"; message: string };

const MINUTE = 60_000;
/** Parks in a row after which a broken workspace is asked about: its set-up worked on the base, so it may be a registry that is away. */
const WORKSPACE_PARKS = 3;

/** How long a task waits whose end is unknown: 1 min doubling to 30. */
export function unknownWait(parks: number): number {
  return Math.min(30 * MINUTE, MINUTE * 2 ** Math.min(parks, 5));
}

/** How long a task waits for providers that failed it and are not cooling down: 15 s doubling to 30 min. */
export function faultWait(parks: number): number {
  return Math.min(30 * MINUTE, 15_000 * 2 ** Math.min(parks, 7));
}

/** Decides between waiting, asking and trying again. Pure; `now` in ms, `parks` is how often the task was parked in a row. */
export function noCandidate(input: {
  candidates: readonly Candidate[];
  skipped: readonly Skipped[];
  tried: readonly Tried[];
  cooling: readonly Cooling[];
  rules: typeof CLASS_RULES;
  parks: number;
  now: number;
}): NoCandidate {
  const { skipped, tried, now } = input;
  const last = tried.at(-1);
  // What no other candidate can mend ends it: content, a broken request, a broken workspace, nothing with a larger window.
  if (last?.class === "workspace" && input.parks < WORKSPACE_PARKS)
    return { kind: "park", until: now + unknownWait(input.parks), reason: `workspace: ${last.message}`, known: false };
  const rule = last?.class ? input.rules[last.class] : undefined;
  if (last && rule && (rule.next === "larger_window" || (rule.next === "no" && rule.whoActs === "user")))
    return {
      kind: "ask",
      prompt: `${last.provider} ${last.model}: ${last.message}\n${rule.remedy}`,
    };

  const untried = input.candidates.filter(
    (one) => !tried.some((t) => t.provider === one.provider && t.model === one.model),
  );
  const spent =
    last && untried.length > 0 && fallbacksSpent(tried)
      ? `the ${MAX_FALLBACKS} fallbacks of an attempt are spent; the last was ${last.provider} ${last.model}: ${last.message}`
      : undefined;
  const cools = (one: Tried) =>
    input.cooling.some((c) => c.provider === one.provider && (c.model === undefined || c.model === one.model));
  // What an agent did itself is tried again at the cost of a try, so that it ends.
  const own = tried.find((one) => isOwn(one, input.rules) && (one.overtime === true || !cools(one)));
  if (own) return { kind: "retry", message: spent ?? `${own.provider} ${own.model}: ${own.message}` };

  const returns: { at: number; reason: string }[] = [];
  for (const one of skipped)
    if (one.returns_at !== undefined) returns.push({ at: one.returns_at, reason: `${one.provider}: ${one.reason}` });
  for (const one of tried) {
    const cooling = input.cooling.find(
      (c) => c.provider === one.provider && (c.model === undefined || c.model === one.model),
    );
    if (cooling && cooling.until !== null)
      returns.push({ at: cooling.until, reason: `${one.provider}: cooling down after ${cooling.class}` });
    // It was tested by another run, and served it or was forgotten since: it may be asked at once.
    else if (!cooling && one.class === "cooling") returns.push({ at: now, reason: `${one.provider}: cooled down` });
    // What the attempt cost counts once it has ended: the next plan asks or waits, and says for what.
    if (one.class === "budget") returns.push({ at: now, reason: `${one.provider}: ${one.message}` });
  }
  // A provider's fault is none of the agent's: the task waits, longer each time, and one that goes on so begins to cool down.
  const open = tried.findLast((one) => isFault(one, input.rules) && !cools(one));
  const fault = spent === undefined ? open : last;
  if (fault) returns.push({ at: now + faultWait(input.parks), reason: `${fault.provider}: ${spent ?? fault.message}` });
  const first = returns.sort((a, b) => a.at - b.at)[0];
  if (first) {
    const reason = spent === undefined ? first.reason : `${fault?.provider}: ${spent}`;
    return { kind: "park", until: Math.max(first.at, now + 1000), reason, known: fault === undefined };
  }
  const waiting =
    skipped.find((one) => one.who_acts !== "user") ??
    tried.map((one) => ({ ...one, reason: one.message })).find((one) => !wentFor(one));
  if (waiting)
    return {
      kind: "park",
      until: now + unknownWait(input.parks),
      reason: `${waiting.provider}: ${waiting.reason}`,
      known: false,
    };
  const lines = [
    ...tried.map((t) => ({
      provider: t.provider,
      model: t.model,
      reason: t.message,
      remedy: t.class ? input.rules[t.class].remedy : "",
    })),
    ...skipped.filter((one) => isSetUp(one, input.cooling)),
    ...skipped.filter((one) => !isSetUp(one, input.cooling)),
  ].map((one) =>
    `- ${one.provider}${one.model === "" ? "" : ` ${one.model}`}: ${one.reason}. ${one.remedy ?? ""}`.trimEnd(),
  );
  return { kind: "ask", prompt: cut(`No provider can do this:\n${lines.join("\n") || "- none is set up"}`, 4000) };
}

/** Whether a provider that was left out could work but for its cooldown or for money: what a person looks for comes first. */
function isSetUp(one: Skipped, cooling: readonly Cooling[]): boolean {
  return one.guard !== undefined || cooling.some(({ provider }) => provider === one.provider);
}

/** Whether the provider failed, or the way to it. A program that ends abnormally is the agent's, and so is its overtime. */
function isFault({ class: failed, overtime }: Tried, rules: typeof CLASS_RULES): boolean {
  return failed !== null && failed !== "crash" && !overtime && rules[failed].scope !== "none";
}

/** Whether the agent itself came to a bad end. */
function isOwn(one: Tried, rules: typeof CLASS_RULES): boolean {
  return one.class !== null && !isTurnedAway(one.class) && !isFault(one, rules);
}
