import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type * as Clock from "../../../ground/clock.ts";
import { messageOf } from "../../../ground/errors.ts";
import * as Process from "../../../ground/process/index.ts";
import { NO_USAGE, type Failure } from "../../task/index.ts";
import { fromExit, oneLine } from "../classify.ts";
import type { RunRequest, RunResult } from "../port.ts";
import { usageOf } from "../prices.ts";
import { firstSet, plainUrl, type Settings } from "../settings.ts";
import { joinPieces } from "./lines.ts";
import type { CliRow, CliServer, Ended } from "./row.ts";

/** What the driver of CLI agents works with. */
export type CliDeps = {
  clock: Clock.Clock;
  /** Where run directories are made; not inside a repository. */
  home: string;
  /** The host's environment, of which a child gets only what it needs to find its tools. */
  hostEnv: Readonly<Record<string, string | undefined>>;
  settings: Settings;
  run: typeof Process.run;
};

/**
 * Runs a CLI agent in `request.cwd` and reads its events. Why it stopped outranks its exit code: the caller's abort (thrown
 * again once the whole group has ended), then our own reason to end it, then the agent's terminal error, then the code.
 */
export async function run(deps: CliDeps, row: CliRow, request: RunRequest, signal: AbortSignal): Promise<RunResult> {
  signal.throwIfAborted();
  const credential = firstSet(deps.settings, row.credentials);
  if (!credential && row.credentials.length > 0)
    return failed({ class: "auth", message: `No key for ${row.name} is set.` });
  const file = binaryOf(row, deps.settings);
  if (file === null) return failed({ class: "crash", message: `${row.binary.setting} is not set.` });
  const misset = row.misset?.(deps.settings);
  if (misset) return failed({ class: "crash", message: misset.detail });

  const { id, attempt, turn } = request.task;
  const home = join(deps.home, "agents", row.name, `${id}-${attempt}-${turn}`);
  const command = row.command({
    model: request.model,
    prompt: request.prompt,
    home,
    baseUrl: row.server ? baseUrlOf(row.server, deps.settings) : "",
    key: credential?.value ?? "",
    modelSilenceMs: row.modelSilenceMs,
    budgetUsd: request.budgetUsd,
    settings: deps.settings,
  });
  const mask = (text: string) => (credential ? text.replaceAll(credential.value, "[masked]") : text);

  const parser = row.parser(() => deps.clock.now());
  const ending = new AbortController();
  let ownReason: Failure | null = null;
  const end = (failure: Failure) => {
    ownReason ??= failure;
    ending.abort();
  };
  const watch = stallWatch(deps.clock, row.stallMs, end);
  const take = joinPieces((line) => {
    const seen = parser.line(line);
    switch (seen.kind) {
      case "noise":
        return;
      case "fatal":
        return end(seen.failure);
      case "event":
        watch.alive(seen.busy);
        seen.log.forEach((text) => request.log(mask(text)));
    }
  });

  await rm(home, { recursive: true, force: true });
  try {
    await furnish(home, command.files ?? {});
    const exit = await deps.run(
      {
        file,
        args: command.args,
        cwd: request.cwd,
        env: Process.baseEnv(deps.hostEnv, { ...row.atHome(home), ...command.env }),
        input: command.input,
        onLine: (line, stream) => (stream === "stdout" ? take(line) : request.log(mask(line))),
      },
      AbortSignal.any([signal, ending.signal]),
    );
    signal.throwIfAborted();
    const ended = parser.end(exit);
    const failure = ownReason ?? ended.failure ?? (exit.code === 0 && ended.completed ? null : fromExit(exit, ""));
    const usage = usageIn(row, request.model, ended);
    const output = mask(ended.output);
    return failure === null
      ? { kind: "finished", output, usage }
      : { kind: "failed", failure: { ...failure, message: mask(failure.message) }, output, usage };
  } catch (thrown) {
    signal.throwIfAborted();
    return failed({ class: "crash", message: oneLine(mask(messageOf(thrown))) });
  } finally {
    watch.stop();
    await rm(home, { recursive: true, force: true, maxRetries: 3 }).catch((thrown: unknown) =>
      request.log(`could not remove ${home}: ${messageOf(thrown)}`),
    );
  }
}

/** The program of a row; null when it has none before a setting names it. */
export function binaryOf(row: CliRow, settings: Settings): string | null {
  return firstSet(settings, [row.binary.setting])?.value ?? row.binary.fallback;
}

/** Where a row's model server is. */
export function baseUrlOf(server: CliServer, settings: Settings): string {
  return plainUrl(firstSet(settings, [server.setting])?.value ?? server.fallback);
}

/** Makes a run's home, which nobody else may look into: its files may hold the key. */
async function furnish(home: string, files: Readonly<Record<string, string>>): Promise<void> {
  await mkdir(home, { recursive: true, mode: 0o700 });
  for (const [path, text] of Object.entries(files)) {
    const file = join(home, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text, { mode: 0o600 });
  }
}

function usageIn(row: CliRow, model: string, ended: Ended) {
  const price = row.models.find((known) => known.name === model)?.price ?? null;
  const usage = ended.tokens === null ? NO_USAGE : usageOf(ended.tokens, price);
  return { ...usage, cost_usd: usage.cost_usd ?? ended.costUsd ?? null };
}

function failed(failure: Failure): RunResult {
  return { kind: "failed", failure, output: "", usage: NO_USAGE };
}

/** Calls `end` when `ms` pass without a sign of life, while the agent is not busy with a command of its own. */
function stallWatch(clock: Clock.Clock, ms: number, end: (failure: Failure) => void) {
  const stalled = () => end({ class: "stalled", message: `No event for ${ms / 1000} s.` });
  let cancel = clock.after(ms, stalled);
  return {
    alive(busy: boolean) {
      cancel();
      cancel = busy ? () => {} : clock.after(ms, stalled);
    },
    stop: () => cancel(),
  };
}
