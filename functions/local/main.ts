import * as Clock from "../../core/ground/clock.ts";
import * as Config from "../../core/ground/config.ts";
import { CoherenceError, fail, messageOf } from "../../core/ground/errors.ts";
import * as Id from "../../core/ground/id.ts";
import * as Log from "../../core/ground/log.ts";
import * as Backlog from "../../core/work/backlog/index.ts";
import type { At } from "../../core/flow/worker/index.ts";
import { coalesce, type Coalesced } from "./coalesce.ts";
import { preview } from "./backlog-files.ts";
import { startHost } from "./host.ts";
import type { Host } from "./setting.ts";
import { parseOptions, type HostOptions } from "./options.ts";
import { progress, standing, summary } from "./progress.ts";
import { targetOf } from "./target.ts";

/** Exit codes: 0 all done, 1 not all, 2 bad usage or a base that fails. */
type ExitCode = 0 | 1 | 2;

/** Runs the host with the words behind `npm start`; resolves with its exit code when it has stopped. */
export async function main(argv: readonly string[], at?: At): Promise<ExitCode> {
  const clock = Clock.system();
  const stop = new AbortController();
  const forget = stopOnSignals(stop, clock);
  // Whoever read what is said here has gone: the work goes on.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
  const say = (line: string) => void process.stdout.write(`${line}\n`);
  let once = false;
  try {
    const options = parseOptions(argv);
    if (options === "help") return 0;
    once = options.once;
    const config = Config.read();
    if (options.dryRun) return dryRun(options, config, say);
    const log = config.logLevel === "silent" ? Log.silent() : Log.create(config.logLevel);
    const host = await startHost({
      options,
      directory: process.cwd(),
      config,
      clock,
      id: Id.system(),
      log,
      say,
      signal: stop.signal,
      ...(at ? { at } : {}),
    });
    try {
      const work = options.once ? untilDone(host, clock, say, stop.signal) : untilStopped(host, say, stop.signal);
      // The store's end is the reason; what the work then breaks on is only what follows from it.
      const done = work.catch(async (error: unknown) => {
        await clock.sleep(STORE_END_MS);
        throw error;
      });
      return await Promise.race([done, host.broken]);
    } finally {
      await host.stop();
    }
  } catch (error) {
    if (stop.signal.aborted) {
      say("stopped before the work began");
      return once ? 1 : 0;
    }
    const known = error instanceof CoherenceError;
    process.stderr.write(`${known ? error.message : `The host broke: ${messageOf(error)}`}\n`);
    if (known && error.remedy) process.stderr.write(`${error.remedy}\n`);
    else if (!known) process.stderr.write(`${error instanceof Error ? (error.stack ?? "") : ""}\n`);
    return 2;
  } finally {
    forget();
  }
}

/** Ms within which the end of the store is seen that the work broke on. */
const STORE_END_MS = 500;

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** Ms in which a second signal is the same one: a terminal's Ctrl-C reaches the host itself, and once more through npm. */
const SAME_SIGNAL_MS = 1000;

/** The first signal stops in good order; a later one ends the process at once, and the next start ends what it left. */
function stopOnSignals(stop: AbortController, clock: Clock.Clock): () => void {
  let first: number | undefined;
  const onSignal = () => {
    first ??= clock.now();
    stop.abort(new Error("stopped"));
    if (clock.now() - first <= SAME_SIGNAL_MS) return;
    process.stderr.write("stopped at once; start again to go on\n");
    process.exit(1);
  };
  for (const name of SIGNALS) process.on(name, onSignal);
  return () => SIGNALS.forEach((name) => process.off(name, onSignal));
}

/** Serves until a signal comes. */
async function untilStopped(host: Host, say: (line: string) => void, signal: AbortSignal): Promise<ExitCode> {
  const show = shower(host, say);
  host.onChange(show);
  show();
  await aborted(signal);
  say("stopping: what runs is ended and given back");
  return 0;
}

/** Works until nothing moves by itself, then sums up. */
async function untilDone(
  host: Host,
  clock: Clock.Clock,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<ExitCode> {
  const { deps, target } = host;
  const { backlog } = target;
  if (backlog === undefined) throw fail("backlog.invalid", "There is no backlog to work through");
  const begun = clock.now();
  const show = shower(host, say);
  const startable = () => deps.pace.itemsLeft > 0 && clock.now() < deps.pace.until;
  let changed = false;
  let look = () => {};
  host.onChange(() => ((changed = true), show(), look()));
  show();
  let now = await standing(deps, backlog, startable());
  while (!signal.aborted && !finished(host, now, startable())) {
    // The next event, also one that came while we looked, or five seconds: an event that is lost costs no more.
    if (!changed) await new Promise<void>((resolve) => (look = soonest(clock, 5000, signal, resolve)));
    changed = false;
    now = await standing(deps, backlog, startable());
  }
  await host.events.idle();
  show();
  await show.idle();
  if (signal.aborted) say("stopping: what runs is ended and given back; start again to go on");
  const why = signal.aborted
    ? "it was stopped"
    : deps.pace.itemsLeft <= 0
      ? "--max-items is reached"
      : "--hours are over";
  const branch = deps.work.merge ? Backlog.integrationBranch(backlog) : Backlog.itemBranch(backlog, "*");
  for (const line of await summary(deps, backlog, begun, now, { why, branch })) say(line);
  return !signal.aborted && now.needs.length === 0 && allDone(now) ? 0 : 1;
}

/** Calls `then` once: when the function it returns is called, after `ms`, or when the signal aborts; leaves no timer behind. */
function soonest(clock: Clock.Clock, ms: number, signal: AbortSignal, then: () => void): () => void {
  const once = () => (cancel(), signal.removeEventListener("abort", once), then());
  const cancel = clock.after(ms, once);
  signal.addEventListener("abort", once, { once: true });
  return once;
}

/** Nothing moves by itself; or the time is up and nothing runs any more. */
function finished(host: Host, now: Awaited<ReturnType<typeof standing>>, startable: boolean): boolean {
  return now.settled || (!startable && host.deps.clock.now() >= host.deps.pace.until && host.workflow.running() === 0);
}

function allDone(now: Awaited<ReturnType<typeof standing>>): boolean {
  return now.total === (now.byState.done ?? 0) + (now.byState.retired ?? 0);
}

/** Shows progress, one look at a time; asked for while it looks, it looks once more. */
function shower(host: Host, say: (line: string) => void): Coalesced {
  const { backlog } = host.target;
  if (backlog === undefined)
    return coalesce(
      async () => {},
      () => {},
    );
  return coalesce(progress(host.deps, backlog, say), () => {});
}

function dryRun(options: HostOptions, config: Config.Config, say: (line: string) => void): ExitCode {
  const target = targetOf(options, process.cwd(), config);
  const items = preview(target, config.metaRatio);
  say(`DRY-RUN: ${target.repo}, ${target.backlogFile ?? "no backlog: name one with --backlog FILE"}`);
  for (const item of items.slice(0, options.maxItems ?? items.length))
    say(`Would create spec task: ${item.kind} ${item.id}: ${item.text.slice(0, 80)}`);
  return 0;
}

function aborted(signal: AbortSignal): Promise<void> {
  // The server keeps the process alive meanwhile.
  return new Promise((resolve) =>
    signal.aborted ? resolve() : signal.addEventListener("abort", () => resolve(), { once: true }),
  );
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
