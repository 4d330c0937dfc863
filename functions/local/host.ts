import { existsSync, mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { serve, type ServerType } from "@hono/node-server";
import { deadline, type Clock } from "../../core/ground/clock.ts";
import type { Config } from "../../core/ground/config.ts";
import { CoherenceError, fail, messageOf } from "../../core/ground/errors.ts";
import type { Id } from "../../core/ground/id.ts";
import type { Log } from "../../core/ground/log.ts";
import * as Backlog from "../../core/work/backlog/index.ts";
import * as Provider from "../../core/work/provider/index.ts";
import type { TaskType } from "../../core/work/task/index.ts";
import type { Repository } from "../../core/work/workspace/index.ts";
import * as Pipeline from "../../core/flow/pipeline/index.ts";
import * as Prompt from "../../core/flow/prompt/index.ts";
import type { At } from "../../core/flow/worker/index.ts";
import { createApp } from "../api/app.ts";
import { composeLocal, type Local } from "../compose/local.ts";
import { runSchedule, SCHEDULES } from "../schedules/table.ts";
import { react } from "../subscribers/subscribers.ts";
import { startWorker, type LocalWorker } from "../worker/worker.ts";
import { checkBase } from "./base.ts";
import { coalesce } from "./coalesce.ts";
import { localClient, resolveEngine, startEngine, type Engine } from "./dynamodb.ts";
import { homeFor, makeHome } from "./home.ts";
import { lockHome } from "./lock.ts";
import type { HostOptions } from "./options.ts";
import { describe, probe, workforce, type Probed } from "./providers.ts";
import { filesOf, readBacklog, scratchTarget, targetOf, type Target } from "./target.ts";

export type HostSetting = {
  options: HostOptions;
  /** Where the host was started. */
  directory: string;
  config: Config;
  clock: Clock;
  id: Id;
  log: Log;
  say: (line: string) => void;
  signal: AbortSignal;
  at?: At;
};

export type Host = Local & {
  home: string;
  url: string;
  target: Target;
  probed: Probed[];
  /** Why no work is started, though the host serves; undefined when it works. */
  idle: string | undefined;
  /** A provider became ready and the base is being checked. */
  beginning: boolean;
  /** Rejects when the host cannot go on: its store ended by itself. Never resolves. */
  broken: Promise<never>;
  /** Called after every event, for whoever shows progress. */
  onChange(listener: () => void): void;
  /** Stops everything in good order and gives back what it held. */
  stop(): Promise<void>;
};

/** Ms between two looks at the backlog's file. */
const WATCH_MS = 1000;
/** Ms that a store which was named has to answer. */
const STORE_ANSWERS_MS = 5000;
/** Ms that requests under way have at the stop. */
const LAST_ANSWERS_MS = 1000;

/** Brings up every door on this machine. Throws with the remedy, leaving nothing running. */
export async function startHost(setting: HostSetting): Promise<Host> {
  const { options, config, clock, id, log, say, signal } = setting;
  const closing: (() => Promise<void> | void)[] = [];
  const close = async () => {
    // Whatever fails, the rest is closed too: an engine or a lock left behind would be in the next start's way.
    for (const step of closing.splice(0).reverse())
      try {
        await step();
      } catch (error) {
        log.error({ err: error }, "a step of the stop failed");
      }
  };
  try {
    const wanted = targetOf(options, setting.directory, config.metaBacklog);
    const place = homeFor(wanted.repo, config);
    const registry = Provider.create({ settings: config.environment, clock, home: place, hostEnv: config.environment });
    if (options.provider !== undefined) registry.get(options.provider);
    const explicit = options.repo !== undefined || options.backlog !== undefined || options.provider !== undefined;
    if (explicit) checkFiles(wanted);

    const home = makeHome(place);
    closing.push(lockHome(home));
    say(`home      ${home}`);
    // What killed hosts left of their agents' own folders.
    rmSync(join(home, "agents"), { recursive: true, force: true });

    const probed = await probe(registry, signal);
    signal.throwIfAborted();
    say("providers");
    describe(probed).forEach(say);
    const force = workforce(probed, options.provider, config.allowPaid);
    const scratch = force.kind === "none" && !explicit;
    const target = scratch ? await scratchTarget(home, config.environment) : wanted;
    if (!explicit) checkFiles(target);
    if (scratch)
      say(
        "No provider is ready: the simulated one shows the pipeline on a scratch repository. Nothing it writes is real work.",
      );
    const idle = options.paused
      ? "it was started with --paused"
      : scratch
        ? undefined
        : idleReason(force, options.provider);
    if (options.once) mustWork(idle, target);

    const engine = await openStore(home, config, clock, say);
    closing.push(() => engine.stop());
    signal.throwIfAborted();
    const local = await composeLocal({
      home,
      config,
      clock,
      id,
      log,
      client: localClient(engine.endpoint),
      ...(hasRepository(target, options) ? { repositoryDir: target.repo } : {}),
      ...(options.provider === undefined ? {} : { pin: options.provider }),
      allowSimulated: scratch,
      merge: options.merge === "branch",
      ...(setting.at ? { at: setting.at } : {}),
    });
    const { deps } = local;
    Object.assign(deps.pace, {
      paused: true,
      itemsLeft: options.maxItems ?? Infinity,
      until: options.hours === undefined ? Infinity : clock.now() + options.hours * 3_600_000,
    });
    await Provider.configurationChanged(deps);
    for (const { provider, readiness } of probed) await Provider.saveReadiness(deps, provider.name, readiness, provider.models);

    const { server, url } = await listen(local, config.port);
    closing.push(() => shut(server, clock));
    say(`api       ${url}`);
    say(`works on  ${target.repo}${target.scratch ? " (scratch)" : ""}`);
    say(`backlog   ${target.backlogFile ?? "none: name one with --backlog FILE, or push one"}`);
    writeFileSync(join(home, "host.json"), JSON.stringify({ url, pid: process.pid, backlog: target.backlog ?? null }));
    closing.push(() => rmSync(join(home, "host.json"), { force: true }));

    const listeners: (() => void)[] = [];
    const host: Host = {
      ...local,
      home,
      url,
      target,
      probed,
      idle,
      beginning: false,
      broken: engine.died,
      onChange: (listener) => void listeners.push(listener),
      stop: close,
    };

    const { repository } = local;
    if (repository) await lookAt(repository, target, say);
    const begin = async () => {
      if (!repository) return;
      checkOverrides((await deps.settings()).prompts);
      if (target.backlog !== undefined)
        await checkBase(deps, repository, target.backlog, options.acceptRedBase, say, signal);
    };
    // Before the push: a base that cannot be worked on changes nothing.
    if (idle === undefined) await begin();
    await pushFiles(deps, target, say);
    signal.throwIfAborted();

    const reaped = await Pipeline.reapEarlierLives(deps);
    if (reaped.length > 0)
      say(`going on with ${reaped.length} task${reaped.length === 1 ? "" : "s"} of the host's last run`);
    deps.pace.paused = idle !== undefined;
    if (idle !== undefined) say(`no work is started: ${idle}`);
    closing.push(await run(host, listeners, begin, setting));
    return host;
  } catch (error) {
    await close();
    throw error;
  }
}

/** Reads the backlog's files, so that a broken one is known before anything is made. */
function checkFiles(target: Target): void {
  for (const { kind, file } of filesOf(target)) readBacklog(file, kind);
}

/** `--once` ends where there is nothing to do it with or to do; throws `provider.none_ready`, `backlog.invalid`. */
function mustWork(idle: string | undefined, target: Target): void {
  if (idle !== undefined) throw fail("provider.none_ready", `No work can be done: ${idle}`);
  if (target.backlog === undefined)
    throw fail("backlog.invalid", `There is no backlog to work through in ${target.repo}`, {
      remedy: "Name one: --backlog FILE.",
    });
}

/** Says what of the user's checkout is not part of the work. */
async function lookAt(repository: Repository, target: Target, say: (line: string) => void): Promise<void> {
  const { dirty, branch, head } = await repository.user();
  if (dirty)
    say(
      `note      ${target.repo} has changes that are not committed: they stay as they are, work begins at ${branch ?? head.slice(0, 12)}`,
    );
}

/** Throws `config.invalid` for a template in `.coherence/prompts/` that cannot be used. */
function checkOverrides(prompts: Partial<Record<TaskType, string>>): void {
  for (const [type, text] of Object.entries(prompts)) Prompt.checkOverride(type as TaskType, text);
}

/** Starts worker, subscribers and schedules; the function stops them and gives back what was held. */
async function run(
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
    id: `local-${deps.host.incarnation}`,
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
  tick();
  return async () => {
    // First all that could start work, then the work, then what it held: nothing begins behind the stop's back.
    deps.pace.paused = true;
    events.close();
    stops.forEach((stop) => stop());
    await pushing.idle();
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

function idleReason(force: ReturnType<typeof workforce>, pin: string | undefined): string | undefined {
  switch (force.kind) {
    case "ready":
      return undefined;
    case "paid":
      return `only paid providers are ready (${force.names.join(", ")}): set AGENT_ALLOW_PAID_PROVIDERS=1, or name one with --provider`;
    case "none":
      return pin === undefined
        ? "no provider is ready; the list above says what each needs"
        : `${pin} is not ready; the list above says what it needs`;
  }
}

/** Whether anybody listens at a store that was named; throws `store.unavailable`. */
async function answers(endpoint: string, clock: Clock): Promise<void> {
  const limit = deadline(clock, STORE_ANSWERS_MS);
  try {
    await (await fetch(endpoint, { signal: limit.signal })).body?.cancel();
  } catch {
    throw fail("store.unavailable", `No DynamoDB answers at ${endpoint}`, {
      remedy: "Start it, or unset DYNAMODB_ENDPOINT to use the embedded one.",
    });
  } finally {
    limit.clear();
  }
}

async function openStore(home: string, config: Config, clock: Clock, say: (line: string) => void): Promise<Engine> {
  if (config.dynamodbEndpoint !== undefined) {
    const endpoint = config.dynamodbEndpoint;
    await answers(endpoint, clock);
    return { endpoint, died: new Promise(() => {}), stop: async () => {} };
  }
  const binary = await resolveEngine({ home, env: config.environment, say });
  mkdirSync(join(home, "store"), { recursive: true });
  return startEngine({ binary, file: join(home, "store", "table.db"), clock });
}

/** A folder that is no repository is an error where work on it was asked for, else the API is served without one. */
function hasRepository(target: Target, options: HostOptions): boolean {
  // A linked worktree has a file of that name.
  return options.repo !== undefined || target.backlogFile !== undefined || existsSync(join(target.repo, ".git"));
}

/** Closes the server: answers under way have a second, then whoever still holds a connection loses it. */
async function shut(server: ServerType, clock: Clock): Promise<void> {
  const cancel = clock.after(LAST_ANSWERS_MS, () => {
    if ("closeAllConnections" in server) server.closeAllConnections();
  });
  await new Promise<void>((resolve) => server.close(() => resolve()));
  cancel();
}

function listen({ deps, repository }: Local, port: number): Promise<{ server: ServerType; url: string }> {
  return new Promise((resolve, reject) => {
    let bound = port;
    const app = createApp({
      deps,
      authenticate: () => ({ kind: "operator" }),
      door: { kind: "loopback", port: () => bound },
      cleanup: (options) => Pipeline.cleanup(deps, repository, options),
    });
    const server = serve({ fetch: app.fetch, hostname: "127.0.0.1", port }, (info) => {
      bound = info.port;
      resolve({ server, url: `http://127.0.0.1:${bound}` });
    });
    server.once("error", (error) =>
      reject(
        fail("config.invalid", `Port ${port} cannot be used: ${messageOf(error)}`, {
          remedy: "Choose another: PORT=8001 npm start (0 takes a free one).",
        }),
      ),
    );
  });
}

/** Pushes product and meta file; throws for a broken one, and then nothing is changed. */
async function pushFiles(deps: Pipeline.PipelineDeps, target: Target, say: (line: string) => void): Promise<void> {
  const read = filesOf(target).map(({ kind, file }) => ({ kind, file, text: readBacklog(file, kind).text }));
  for (const { kind, file, text } of read) {
    const pushed = await Pipeline.push(deps, { id: target.backlog ?? "", text, kind });
    const changes = [
      `${pushed.created.length} new`,
      `${pushed.changed.length} changed`,
      `${pushed.retired.length} retired`,
      `${pushed.unchanged} as they were`,
    ];
    say(`pushed    ${file}: ${changes.join(", ")}`);
  }
}

/** Calls `changed` when a file has changed and is the same at two looks: one that is still being written would lose its end. */
function watch(target: Target, clock: Clock, changed: () => void): () => void {
  const stamp = () => [target.backlogFile, target.metaFile].map(stampOf).join("|");
  let pushed = stamp();
  let before = pushed;
  return clock.every(WATCH_MS, () => {
    const now = stamp();
    if (now !== pushed && now === before) {
      pushed = now;
      changed();
    }
    before = now;
  });
}

function stampOf(file: string | undefined): string {
  if (file === undefined) return "";
  try {
    const { mtimeMs, size } = statSync(file);
    return `${mtimeMs}:${size}`;
  } catch {
    return "gone";
  }
}

/** The items of the backlog files in the order in which they would start, without a table; for a dry run. */
export function preview(target: Target, ratio: number): { text: string; kind: string; id: string }[] {
  const items = filesOf(target).flatMap(({ kind, file }) =>
    readBacklog(file, kind).items.map((item) => ({ ...item, kind, id: kind === "meta" ? `meta-${item.id}` : item.id })),
  );
  const of = (kind: string) => items.filter((item) => item.kind === kind);
  return Backlog.order(of("product"), of("meta"), ratio);
}
