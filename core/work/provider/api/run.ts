import type { ToolResultPart } from "ai";
import type { Clock } from "../../../ground/clock.ts";
import { CoherenceError, messageOf } from "../../../ground/errors.ts";
import { maskAll, maskOf, type Mask } from "../../../ground/mask.ts";
import { sha256 } from "../../../ground/id.ts";
import { addUsage, NO_USAGE, type Failure, type Usage } from "../../task/index.ts";
import { oneLine } from "../classify.ts";
import type { Model, Price, RunRequest, RunResult } from "../port.ts";
import { firstSet, isHttpUrl, type Settings } from "../settings.ts";
import { ask, type Call } from "./answer.ts";
import { instructionsFor } from "./instructions.ts";
import { baseUrlOf, load } from "./model.ts";
import { circleIn, REMEMBERED } from "./repetition.ts";
import type { ApiRow } from "./row.ts";
import { begin, type Saved } from "./saved.ts";
import * as Tools from "./tools.ts";

/** What the tool loop works with. */
export type ApiDeps = { clock: Clock; settings: Settings };

/** Calls of one answer that are carried out. */
const MOST_CALLS = 64;

/** Of a model that a setting named on a server that asks for no money. */
const FREE: Price = { input: 0, cached: 0, written: 0, output: 0, date: "2026-11-26", source: "asks for no money" };

/**
 * Lets a model work through tools on `request.tree` until it gives its answer: ask, run the tools it calls, ask again. Bounded
 * by the row's limits and the request's budget; pauses between two steps. Throws only when `signal` is aborted.
 */
export async function run(
  deps: ApiDeps,
  row: ApiRow,
  model: Model,
  request: RunRequest,
  signal: AbortSignal,
): Promise<RunResult> {
  signal.throwIfAborted();
  const key = firstSet(deps.settings, row.credentials)?.value ?? null;
  if (key === null && row.credentials.length > 0) return refused("auth", `No key for ${row.name} is set.`);
  const at = baseUrlOf(row, deps.settings);
  if ("missing" in at) return refused("auth", `${at.missing} is not set.`);
  if (!isHttpUrl(at.url)) return refused("auth", `${row.baseUrl.setting} is not an http URL.`);
  const state = begin(request.prompt, request.resume);
  if (!state) return refused("internal", "What the run was to go on from is not of this provider.");

  const mask = maskOf(deps.settings, key === null ? [] : [key]);
  const log = (text: string) => mask(text).split("\n").forEach(request.log);
  const names = request.tree ? Tools.namesFor(request.task.type) : [];
  const loaded = await load(deps.clock, row, { model: model.name, url: at.url, key });
  const price = model.price ?? (row.capabilities.paid ? null : FREE);
  /** What this part of the run cost. */
  let usage = NO_USAGE;
  const failed = (failure: Failure, text: string): RunResult => {
    const message = oneLine(mask(failure.message));
    return { kind: "failed", failure: { ...failure, message }, output: mask(text), usage };
  };

  for (;;) {
    const answer = await ask(
      deps.clock,
      loaded,
      {
        instructions: instructionsFor(names),
        messages: state.messages,
        tools: Tools.describe(names),
        limits: row.limits,
        price,
      },
      signal,
    );
    usage = addUsage(usage, answer.usage);
    request.used?.(usage);
    state.turns++;
    state.tokens += sizeOf(answer.usage);
    if (answer.text !== "") log(answer.text);
    if (answer.kind === "failed") return failed(answer.failure, answer.text);
    if (answer.calls.length === 0) return { kind: "finished", output: mask(answer.text), usage };

    const used = await useTools(request, names, answer.calls, log, mask, signal);
    if (used.kind === "failed") return failed(used.failure, answer.text);
    // Masked too: what the model says is kept, and sent again.
    state.messages.push(...maskAll(mask, answer.messages), { role: "tool", content: used.results });
    state.recent = [...state.recent, ...used.signatures].slice(-REMEMBERED);

    // Looked at between two answers: what was paid for is in the tree by now.
    const over = limitReached(row, model, request, state, { spent: usage, last: answer.usage, added: used.results });
    if (over) return failed(over, answer.text);
    if (request.stopBy?.aborted) return { kind: "continue", saved: JSON.parse(JSON.stringify(state)) as Saved, usage };
  }
}

/** Runs the calls of one answer, one after the other. What a model can mend goes back to it as the call's result. */
async function useTools(
  request: RunRequest,
  names: readonly string[],
  calls: readonly Call[],
  log: (text: string) => void,
  mask: Mask,
  signal: AbortSignal,
): Promise<{ kind: "used"; results: ToolResultPart[]; signatures: string[] } | { kind: "failed"; failure: Failure }> {
  const results: ToolResultPart[] = [];
  const signatures: string[] = [];
  for (const [i, call] of calls.entries()) {
    signal.throwIfAborted();
    log(`→ ${oneLine(call.name).slice(0, 100)} ${shown(call.input)}`);
    let type: "text" | "error-text" = "text";
    let value: string;
    try {
      if (i >= MOST_CALLS) throw new Tools.ToolError(`Not done: only the first ${MOST_CALLS} calls of an answer are.`);
      if (!request.tree) throw new Tools.ToolError("There are no tools here.");
      value = mask(await Tools.use({ tree: request.tree, signal }, names, call.name, call.input));
    } catch (thrown) {
      signal.throwIfAborted();
      const refusal = thrown instanceof CoherenceError && thrown.code === "workspace.path";
      if (!refusal && !(thrown instanceof Tools.ToolError))
        return { kind: "failed", failure: { class: "workspace", message: messageOf(thrown) } };
      type = "error-text";
      value = mask(refusal ? [thrown.message, thrown.remedy].filter(Boolean).join(". ") : thrown.message);
      log(`${refusal && thrown.data.refused === true ? "[refused]" : "✗"} ${call.name}: ${thrown.message}`);
    }
    results.push({ type: "tool-result", toolCallId: call.id, toolName: call.name, output: { type, value } });
    signatures.push(signatureOf(call, value));
  }
  return { kind: "used", results, signatures };
}

/** Why the run may not ask again, or null. */
function limitReached(
  { limits }: ApiRow,
  model: Model,
  { budgetUsd }: RunRequest,
  { turns, tokens, recent }: Saved,
  { spent, last, added }: { spent: Usage; last: Usage; added: readonly ToolResultPart[] },
): Failure | null {
  const bad = (message: string): Failure => ({ class: "bad_result", message });
  if (budgetUsd !== undefined && spent.cost_usd !== null && spent.cost_usd >= budgetUsd)
    return {
      class: "budget",
      message: `The budget of ${budgetUsd} USD is used up (${spent.cost_usd.toFixed(4)} USD) and the work is not done.`,
    };
  const circle = circleIn(recent);
  if (circle !== null)
    return bad(
      `The model went round in circles: the same ${circle === 1 ? "call" : `${circle} calls`} with the same results.`,
    );
  if (turns >= limits.turns) return bad(`The work was not done after ${turns} answers, the most of one run.`);
  if (tokens >= limits.tokens)
    return bad(`The work was not done after ${tokens} tokens; ${limits.tokens} is the most of one run.`);
  // Three bytes are about one token, of code and of other scripts too: early enough to leave before a request that is refused.
  const next = sizeOf(last) + Math.ceil(Buffer.byteLength(JSON.stringify(added)) / 3);
  if (sizeOf(last) > 0 && next > model.context_window)
    return {
      class: "context_length",
      message: `The conversation outgrew the window of ${model.context_window} tokens.`,
    };
  return null;
}

function sizeOf({ tokens_in, tokens_out }: Usage): number {
  return (tokens_in ?? 0) + (tokens_out ?? 0);
}

/** Stands for a call with its result. Numbers of a test run are left out: its times differ each time. */
function signatureOf(call: Call, result: string): string {
  const told = call.name === "run_tests" ? result.replace(/\d+(?:\.\d+)?/g, "#") : result;
  return sha256(JSON.stringify([call.name, call.input, told])).slice(0, 16);
}

/** The arguments of a call in one short line. */
function shown(input: unknown): string {
  const path = (input as { path?: unknown } | null)?.path;
  return oneLine(typeof path === "string" ? path : (JSON.stringify(input) ?? "")).slice(0, 200);
}

function refused(why: Failure["class"], message: string): RunResult {
  return { kind: "failed", failure: { class: why, message }, output: "", usage: NO_USAGE };
}
