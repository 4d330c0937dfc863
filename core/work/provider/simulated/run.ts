import { messageOf } from "../../../ground/errors.ts";
import type { Failure, Question, ResultBlock } from "../../task/index.ts";
import { fromExit, fromHttp } from "../classify.ts";
import type { CliDeps } from "../cli/run.ts";
import type { Readiness, RunRequest, RunResult } from "../port.ts";
import { usageOf } from "../prices.ts";
import { firstSet } from "../settings.ts";
import { resolveConflicts } from "./conflicts.ts";
import { DEFAULT_SCENARIO } from "./default-scenario.ts";
import * as Files from "./files.ts";
import { simulated } from "./row.ts";
import { load, stepFor, type Scenario, type Step } from "./scenario.ts";

/** What the simulated provider works with. */
export type SimulatedDeps = Pick<CliDeps, "clock" | "settings" | "run">;

/** Ready when its scenario can be read. */
export async function probe(deps: SimulatedDeps): Promise<Readiness> {
  try {
    const { name } = await scenarioOf(deps);
    return { ready: true, detail: `[simulated] plays the scenario "${name}"` };
  } catch (thrown) {
    return {
      ready: false,
      detail: messageOf(thrown),
      remedy: "Correct the scenario file or unset COHERENCE_SCENARIO.",
    };
  }
}

/** Plays the scenario's step for this run, and really writes the files. Throws only when `signal` is aborted. */
export async function run(deps: SimulatedDeps, request: RunRequest, signal: AbortSignal): Promise<RunResult> {
  signal.throwIfAborted();
  let scenario: Scenario;
  try {
    scenario = await scenarioOf(deps);
  } catch (thrown) {
    return failed({ class: "bad_request", message: messageOf(thrown) });
  }
  const step = stepFor(scenario, request);
  request.log(`[simulated] ${request.model} plays "${step.step}" of the scenario "${scenario.name}"`);
  if (step.delay_ms && request.resume === undefined) await deps.clock.sleep(step.delay_ms, signal);
  try {
    return await play(deps, step, request, signal);
  } catch (thrown) {
    signal.throwIfAborted();
    return failed({ class: "workspace", message: `[simulated] ${messageOf(thrown)}` });
  }
}

async function play(deps: SimulatedDeps, step: Step, request: RunRequest, signal: AbortSignal): Promise<RunResult> {
  const now = deps.clock.now();
  switch (step.step) {
    case "succeed":
      return answer(request, await work(request));
    case "no_diff":
      return answer(request, { verdict: "pass", summary: "Nothing to change." });
    case "red_tests":
      return answer(request, await redTests(request));
    case "review_rejects":
      return answer(request, { verdict: "fail", summary: "Not yet.", findings: step.findings });
    case "rate_limit": {
      const wait = step.retry_after_ms;
      const headers: Record<string, string> = wait === undefined ? {} : { "retry-after-ms": String(wait) };
      const message = "[simulated] 429 Too Many Requests";
      return failed(fromHttp({ status: 429, types: ["rate_limit_exceeded"], headers, message }, now));
    }
    case "server_error":
      return failed(fromHttp({ status: step.status, message: `[simulated] ${step.status}` }, now));
    case "hang":
      return await hang(signal);
    case "crash":
      return await crash(deps, request, signal);
    case "question": {
      const { prompt, options, default: byDefault, default_after_s } = step;
      const question: Question = {
        prompt,
        options,
        ...(byDefault === undefined ? {} : { default: byDefault }),
        ...(default_after_s === undefined ? {} : { default_after_s }),
      };
      return answer(request, { summary: "A question first.", question });
    }
    case "edit": {
      const block = await work(request);
      await Files.edit(request.cwd, step.path, step.find, step.content);
      return answer(request, block);
    }
    case "secret": {
      const block = await work(request);
      await Files.writeSecret(request);
      return answer(request, block);
    }
    case "slow":
      return await slow(deps, step.ms, request, signal);
    case "output":
      return answer(request, await work(request), step.bytes);
  }
}

type Block = Partial<ResultBlock>;

/** The phase's own work. */
async function work(request: RunRequest): Promise<Block> {
  switch (request.task.type) {
    case "spec":
      return { summary: "Wrote the spec.", spec_path: await Files.writeSpec(request) };
    case "impl":
    case "heal": {
      const resolved = await resolveConflicts(request.cwd);
      await Files.writeModule(request);
      const also = resolved.length === 0 ? "" : ` Resolved conflicts in ${resolved.join(", ")} by keeping both sides.`;
      return { summary: `Wrote the module.${also}` };
    }
    case "test": {
      const path = await Files.writeTest(
        request,
        Files.revisionOf({ ...request, task: { ...request.task, attempt: 0 } }),
      );
      return { verdict: "pass", summary: "Wrote the test.", tests: [path] };
    }
    case "review":
      return { verdict: "pass", summary: "Reads well." };
  }
}

async function redTests(request: RunRequest): Promise<Block> {
  await work(request);
  // An implementer can mend its own test by its next attempt, a tester waits for the implementer's next round.
  const wanted = request.task.type === "test" ? Files.nextRound(request) : Files.revisionOf(request) + 1;
  const path = await Files.writeTest(request, wanted);
  return { verdict: "fail", summary: "A test is red.", tests: [path] };
}

/** Half the work, then a real child process that ends as the kernel's out-of-memory killer would end it. */
async function crash(deps: SimulatedDeps, request: RunRequest, signal: AbortSignal): Promise<RunResult> {
  await work(request);
  const args = ["-e", "process.kill(process.pid, 'SIGKILL')"];
  const exit = await deps.run({ file: process.execPath, args, cwd: request.cwd, env: {} }, signal);
  signal.throwIfAborted();
  return failed(fromExit(exit, "[simulated]"));
}

/** Takes its time, in as many parts as it is paused: the ms that are over survive a pause. */
async function slow(deps: SimulatedDeps, ms: number, request: RunRequest, signal: AbortSignal): Promise<RunResult> {
  const { resume, stopBy } = request;
  const over = (resume as { over_ms?: number } | undefined)?.over_ms ?? 0;
  const begun = deps.clock.now();
  try {
    await deps.clock.sleep(ms - over, stopBy ? AbortSignal.any([signal, stopBy]) : signal);
  } catch {
    signal.throwIfAborted();
    const saved = { over_ms: over + deps.clock.now() - begun };
    return { kind: "continue", saved, usage: usage(request.prompt, "") };
  }
  return answer(request, await work(request));
}

/** Waits for the abort, whose reason `run` throws. */
function hang(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(new Error("aborted")), { once: true });
    if (signal.aborted) reject(new Error("aborted"));
  });
}

function answer(request: RunRequest, block: Block, bytes = 0): RunResult {
  const text = `[simulated] ${block.summary ?? ""}\n`;
  const end = `\n\`\`\`coherence-result\n${JSON.stringify(block)}\n\`\`\`\n`;
  const filler = FILLER.repeat(Math.ceil(Math.max(0, bytes - text.length - end.length) / FILLER.length));
  const output = text + filler + end;
  // The task keeps head and tail of an answer, the log all of it.
  for (const line of output.trimEnd().split("\n")) request.log(line.startsWith(SIGN) ? line : `${SIGN} ${line}`);
  return { kind: "finished", output, usage: usage(request.prompt, output) };
}

const SIGN = "[simulated]";
const FILLER = "[simulated] A line of a long answer, as long as the others.\n";

/** Four characters are about one token. */
function usage(prompt: string, output: string) {
  const tokens = { input: Math.ceil(prompt.length / 4), cached: 0, written: 0, output: Math.ceil(output.length / 4) };
  return usageOf(tokens, simulated.models[0]?.price ?? null);
}

function failed(failure: Failure): RunResult {
  return { kind: "failed", failure, output: "", usage: usage("", "") };
}

async function scenarioOf(deps: SimulatedDeps): Promise<Scenario> {
  const file = firstSet(deps.settings, ["COHERENCE_SCENARIO"])?.value;
  return file === undefined ? DEFAULT_SCENARIO : load(file);
}
