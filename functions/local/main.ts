import * as Clock from "../../core/ground/clock.ts";
import * as Config from "../../core/ground/config.ts";
import { CoherenceError, messageOf } from "../../core/ground/errors.ts";
import * as Id from "../../core/ground/id.ts";
import * as Log from "../../core/ground/log.ts";
import type { At } from "../../core/flow/worker/index.ts";
import { preview, startHost, type Host } from "./host.ts";
import { parseOptions, type HostOptions } from "./options.ts";
import { progress, standing, summary } from "./progress.ts";
import { targetOf } from "./target.ts";

/** Exit codes: 0 all done, 1 not all, 2 bad usage or a base that fails. */
type ExitCode = 0 | 1 | 2;

/** Runs the host with the words behind `npm start`; resolves with its exit code when it has stopped. */
export async function main(argv: readonly string[], at?: At): Promise<ExitCode> {
  const stop = new AbortController();
  const onSignal = () => stop.abort(new Error("stopped"));
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  const say = (line: string) => void process.stdout.write(`${line}\n`);
  try {
    const options = parseOptions(argv);
    if (options === "help") return 0;
    const config = Config.read();
    const clock = Clock.system();
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
      return options.once ? await untilDone(host, clock, say, stop.signal) : await untilStopped(host, say, stop.signal);
    } finally {
      await host.stop();
    }
  } catch (error) {
    if (stop.signal.aborted) return 1;
    const known = error instanceof CoherenceError;
    process.stderr.write(`${known ? error.message : `The host broke: ${messageOf(error)}`}\n`);
    if (known && error.remedy) process.stderr.write(`${error.remedy}\n`);
    else if (!known) process.stderr.write(`${error instanceof Error ? (error.stack ?? "") : ""}\n`);
    return 2;
  } finally {
    process.off("SIGINT", onSignal);
    process.off("SIGTERM", onSignal);
  }
}

/** Serves until a signal comes. */
async function untilStopped(host: Host, say: (line: string) => void, signal: AbortSignal): Promise<ExitCode> {
  const show = shower(host, say);
  host.onChange(show);
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
  if (host.idle !== undefined || target.backlog === undefined) {
    process.stderr.write(`${host.idle ?? "There is no backlog to work through"}\n`);
    if (host.idle === undefined) process.stderr.write("Name one: --backlog FILE.\n");
    return 2;
  }
  const { backlog } = target;
  const begun = clock.now();
  const show = shower(host, say);
  let look = () => {};
  host.onChange(() => (show(), look()));
  const startable = () => deps.pace.itemsLeft > 0 && clock.now() < deps.pace.until;
  let now = await standing(deps, backlog, startable());
  while (!signal.aborted && !finished(host, now, startable())) {
    // The next event, or five seconds: an event that is lost costs no more.
    const woken = new Promise<void>((resolve) => (look = resolve));
    await Promise.race([woken, clock.sleep(5000, signal).catch(() => {})]);
    now = await standing(deps, backlog, startable());
  }
  show();
  await host.events.idle();
  if (signal.aborted) say("stopping: what runs is ended and given back; start again to go on");
  for (const line of await summary(deps, backlog, begun, now)) say(line);
  return !signal.aborted && now.needs.length === 0 && allDone(now) ? 0 : 1;
}

/** Nothing moves by itself; or the time is up and nothing runs any more. */
function finished(host: Host, now: Awaited<ReturnType<typeof standing>>, startable: boolean): boolean {
  return now.settled || (!startable && host.deps.clock.now() >= host.deps.pace.until && host.workflow.running() === 0);
}

function allDone(now: Awaited<ReturnType<typeof standing>>): boolean {
  return now.total === (now.byState.done ?? 0) + (now.byState.retired ?? 0);
}

/** Shows progress, one look at a time. */
function shower(host: Host, say: (line: string) => void): () => void {
  if (host.target.backlog === undefined) return () => {};
  const show = progress(host.deps, host.target.backlog, say);
  let showing: Promise<void> = Promise.resolve();
  return () => {
    showing = showing.then(show).catch(() => {});
  };
}

function dryRun(options: HostOptions, config: Config.Config, say: (line: string) => void): ExitCode {
  const target = targetOf(options, process.cwd(), config.metaBacklog);
  const items = preview(target, config.metaRatio);
  say(`DRY-RUN: ${target.repo}, ${target.backlogFile ?? "no backlog"}`);
  if (items.length === 0) say("DRY-RUN: backlog empty or complete");
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
