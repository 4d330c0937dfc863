import { CoherenceError, messageOf } from "../../core/ground/errors.ts";
import { sweeper } from "../../core/ground/store/index.ts";
import * as Provider from "../../core/work/provider/index.ts";
import * as Pipeline from "../../core/flow/pipeline/index.ts";
import { runSchedule, SCHEDULES } from "../schedules/table.ts";
import { react } from "../subscribers/subscribers.ts";
import { startWorker, type LocalWorker } from "../worker/worker.ts";
import { pushFiles, watch } from "./backlog-files.ts";
import { coalesce } from "./coalesce.ts";
import { workforce, type Probed } from "./providers.ts";
import type { Host, HostSetting } from "./setting.ts";

/** Ms between two looks at the next page of the table for what has expired: TTL does it on AWS alone. */
const SWEEP_MS = 60_000;

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
  stops.push(watch(target, clock, pushing));
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

/** A provider that answered at last ends the waiting that had no other reason; true when work begins with it. */
async function becameReady(
  host: Host,
  worker: LocalWorker,
  begin: () => Promise<void>,
  setting: HostSetting,
): Promise<boolean> {
  const { readiness } = await Provider.health(host.deps);
  const now = host.probed.map(({ provider, readiness: before }) => {
    const row = readiness.find((one) => one.name === provider.name);
    return { provider, readiness: row?.ready ? { ready: true as const, detail: row.detail } : before };
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
