import { CoherenceError, messageOf } from "../../core/ground/errors.ts";
import { sweeper } from "../../core/ground/store/index.ts";
import * as Provider from "../../core/work/provider/index.ts";
import * as Pipeline from "../../core/flow/pipeline/index.ts";
import { runSchedule, SCHEDULES } from "../schedules/table.ts";
import { react } from "../subscribers/subscribers.ts";
import { startWorker, type LocalWorker } from "../worker/worker.ts";
import { pushFiles, stampOfFiles } from "./backlog-files.ts";
import { coalesce } from "./coalesce.ts";
import { describe, workforce, type Probed } from "./providers.ts";
import type { Host, HostSetting } from "./setting.ts";
import { watch } from "./watch.ts";

/** Ms between two looks at the next page of the table for what has expired: TTL does it on AWS alone. */
const SWEEP_MS = 60_000;
/** Ms between two looks at the config files that nothing led to. */
const LOOK_MS = 60_000;

/** Starts worker, subscribers and schedules; the function stops them and gives back what was held. */
export async function run(
  host: Host,
  listeners: (() => void)[],
  begin: () => Promise<void>,
  setting: HostSetting,
): Promise<() => Promise<void>> {
  const { deps, events, target, workflow } = host;
  const { clock, log, say } = setting;
  const failed = (what: string) => (error: unknown) => log.error({ err: error }, `${what} failed`);
  let cancelDue = () => {};
  const dispatch = coalesce(async () => {
    await Pipeline.dispatch(deps);
    const due = await Pipeline.nextDue(deps);
    cancelDue();
    // The next parked task or due default, to the millisecond rather than the minute.
    // While nothing is started what is due stays due: looking again at once would go on for ever.
    const idle = deps.pace.paused || clock.now() >= deps.pace.until;
    if (due !== undefined && !idle) cancelDue = clock.after(Math.max(50, due - clock.now()), () => tick());
  }, failed("dispatch"));
  const tick = coalesce(async () => {
    await Pipeline.tick(deps);
    dispatch();
  }, failed("the project manager's tick"));

  const worker = await startWorker(deps, {
    id: `${deps.host.id}-${deps.host.incarnation}`,
    capacity: deps.config.workers,
    capabilities: machines(host.probed),
    host: Pipeline.ownerOf(deps.host),
  });
  events.subscribe((event) => react(deps, { dispatch, tick }, event));
  events.subscribe(async (event) => {
    if (event.type === "work.offered") await worker.look();
    listeners.forEach((listener) => listener());
  });
  events.subscribe(async (event) => {
    if (event.type === "provider.ready" && (await becameReady(host, worker, begin, setting))) tick();
  });
  const runs = new Set<Promise<void>>();
  const stops = SCHEDULES.map((schedule) =>
    clock.every(schedule.everyMinutes * 60_000, () => {
      const one: Promise<void> = runSchedule(deps, schedule).finally(() => runs.delete(one));
      runs.add(one);
    }),
  );
  const pushing = coalesce(
    () => pushFiles(deps, target, say),
    (error) => say(`the backlog stays as it was: ${wordsOf(error)}`),
  );
  stops.push(watch(clock, () => stampOfFiles(target), pushing));
  const configuring = coalesce(async () => {
    if (await reconfigure(host, say)) tick();
  }, failed("a look at the config files"));
  // A move of HEAD is seen at once where git logs it, and within the minute wherever.
  stops.push(watch(clock, host.configFiles.stamp, configuring), clock.every(LOOK_MS, configuring));
  const sweep = sweeper(deps.store);
  const sweeping = coalesce(sweep, failed("the sweep of what has expired"));
  stops.push(clock.every(SWEEP_MS, sweeping));
  tick();
  return async () => {
    // First all that could start work, then the work, then what it held: nothing begins behind the stop's back.
    deps.pace.paused = true;
    events.close();
    stops.forEach((stop) => stop());
    await pushing.idle();
    await configuring.idle();
    await sweeping.idle();
    await tick.idle();
    await dispatch.idle();
    cancelDue();
    await workflow.close();
    await worker.close();
    await Promise.all(runs);
    await events.idle();
    await Pipeline.releaseOwn(deps);
  };
}

/** What a base or a provider lacks is said once it is known; work waits until the next start. */
function wordsOf(error: unknown): string {
  return error instanceof CoherenceError && error.remedy ? `${error.message}\n${error.remedy}` : messageOf(error);
}

/** Of a provider between a change of what is said of it and its answer: it may come back by itself. */
const NOT_YET = {
  ready: false,
  detail: "it is asked whether it can work as its configuration now is",
  remedy: "Nothing: it is known within seconds.",
  transient: true,
} as const;

/** Takes over what the config files say now, and asks the providers that it is about; whether there were any. */
async function reconfigure({ deps, configFiles }: Host, say: (line: string) => void): Promise<boolean> {
  // Before the exchange: no plan may take an answer to what they were for one to what they are.
  const names = await configFiles.look(async (changed) => {
    for (const name of changed) await Provider.saveReadiness(deps, deps.providers.get(name), NOT_YET);
  });
  if (names.length === 0) return false;
  await Provider.configurationChanged(deps);
  const changed = deps.providers.all().filter(({ name }) => names.includes(name));
  const rows = await Provider.probeAll(deps, changed);
  describe(
    changed.flatMap((provider) => {
      const row = rows.find(({ name }) => name === provider.name);
      return row ? [{ provider, readiness: Provider.readinessOf(row) }] : [];
    }),
  ).forEach(say);
  return true;
}

/** A provider that answered at last ends the waiting that had no other reason; true when work begins with it. */
async function becameReady(
  host: Host,
  worker: LocalWorker,
  begin: () => Promise<void>,
  setting: HostSetting,
): Promise<boolean> {
  const { readiness } = await Provider.health(host.deps);
  const now = host.deps.providers.all().map((provider): Probed => {
    const row = readiness.find((one) => one.name === provider.name);
    const before = host.probed.find((one) => one.provider.name === provider.name)?.readiness ?? NOT_YET;
    return { provider, readiness: row?.ready ? { ready: true, detail: row.detail } : before };
  });
  await worker.capable(machines(now));
  const force = workforce(now, setting.options.provider, setting.config.allowPaid);
  if (host.idle === undefined || host.beginning || setting.options.paused || force.kind !== "ready") return false;
  host.beginning = true;
  try {
    await begin();
  } catch (error) {
    if (setting.signal.aborted) return false;
    host.idle = messageOf(error);
    setting.say(`a provider is ready, and still no work is started: ${wordsOf(error)}`);
    return false;
  } finally {
    host.beginning = false;
  }
  host.idle = undefined;
  host.deps.pace.paused = false;
  setting.say("a provider is ready: work begins");
  return true;
}

function machines(probed: readonly Probed[]): string[] {
  return probed
    .filter(({ provider, readiness }) => readiness.ready && provider.capabilities.where === "machine")
    .map(({ provider }) => provider.name);
}
