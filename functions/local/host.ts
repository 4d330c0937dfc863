import { mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { serve, type ServerType } from "@hono/node-server";
import type { Clock } from "../../core/ground/clock.ts";
import type { Config } from "../../core/ground/config.ts";
import { fail, messageOf } from "../../core/ground/errors.ts";
import type { Id } from "../../core/ground/id.ts";
import type { Log } from "../../core/ground/log.ts";
import * as Backlog from "../../core/work/backlog/index.ts";
import * as Provider from "../../core/work/provider/index.ts";
import * as Pipeline from "../../core/flow/pipeline/index.ts";
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
import { readBacklog, scratchTarget, targetOf, type Target } from "./target.ts";

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
  /** Called after every event, for whoever shows progress. */
  onChange(listener: () => void): void;
  /** Stops everything in good order and gives back what it held. */
  stop(): Promise<void>;
};

/** Ms between two looks at the backlog's file. */
const WATCH_MS = 2000;

/** Brings up every door on this machine. Throws with the remedy, leaving nothing running. */
export async function startHost(setting: HostSetting): Promise<Host> {
  const { options, config, clock, id, log, say, signal } = setting;
  const closing: (() => Promise<void> | void)[] = [];
  const close = async () => {
    for (const step of closing.splice(0).reverse()) await step();
  };
  try {
    const wanted = targetOf(options, setting.directory, config.metaBacklog);
    const home = makeHome(homeFor(wanted.repo, config));
    closing.push(lockHome(home));
    say(`home      ${home}`);
    // What killed hosts left of their agents' own folders.
    rmSync(join(home, "agents"), { recursive: true, force: true });

    const registry = Provider.create({ settings: config.environment, clock, home, hostEnv: config.environment });
    if (options.provider !== undefined) registry.get(options.provider);
    const probed = await probe(registry);
    say("providers");
    describe(probed).forEach(say);
    const force = workforce(probed, options.provider, config.allowPaid);
    const explicit = options.repo !== undefined || options.backlog !== undefined || options.provider !== undefined;
    const scratch = force.kind === "none" && !explicit;
    const target = scratch ? await scratchTarget(home, config.environment) : wanted;
    if (scratch)
      say(
        "No provider is ready: the simulated one shows the pipeline on a scratch repository. Nothing it writes is real work.",
      );
    const idle = options.paused
      ? "it was started with --paused"
      : scratch
        ? undefined
        : idleReason(force, options.provider);

    const engine = await openStore(home, config, clock, say);
    closing.push(() => engine.stop());
    const local = await composeLocal({
      home,
      config,
      clock,
      id,
      log,
      client: localClient(engine.endpoint),
      ...((await hasRepository(target, options)) ? { repositoryDir: target.repo } : {}),
      ...(options.provider === undefined ? {} : { pin: options.provider }),
      allowSimulated: scratch,
      merge: options.merge === "branch",
      ...(setting.at ? { at: setting.at } : {}),
    });
    const { deps, events, workflow } = local;
    Object.assign(deps.pace, {
      paused: true,
      itemsLeft: options.maxItems ?? Infinity,
      until: options.hours === undefined ? Infinity : clock.now() + options.hours * 3_600_000,
    });
    await Provider.configurationChanged(deps);
    for (const { provider, readiness } of probed) await Provider.saveReadiness(deps, provider.name, readiness);

    const { server, url } = await listen(local, config.port);
    closing.push(() => new Promise<void>((resolve) => server.close(() => resolve())));
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
      onChange: (listener) => void listeners.push(listener),
      stop: close,
    };

    if (target.backlogFile !== undefined) await pushFiles(deps, target, say);
    if (idle === undefined && local.repository && target.backlog !== undefined)
      await checkBase(deps, local.repository, target.backlog, options.acceptRedBase, say, signal);

    const reaped = await Pipeline.reapEarlierLives(deps);
    if (reaped.length > 0)
      say(`going on with ${reaped.length} task${reaped.length === 1 ? "" : "s"} of the host's last run`);
    deps.pace.paused = idle !== undefined;
    if (idle !== undefined) say(`no work is started: ${idle}`);
    closing.push(await run(host, listeners, setting));
    closing.push(async () => {
      deps.pace.paused = true;
      events.close();
      await workflow.close();
    });
    return host;
  } catch (error) {
    await close();
    throw error;
  }
}

/** Starts worker, subscribers and schedules; the function stops them and gives back what was held. */
async function run(host: Host, listeners: (() => void)[], setting: HostSetting): Promise<() => Promise<void>> {
  const { deps, events, target } = host;
  const { clock, log, say } = setting;
  const failed = (what: string) => (error: unknown) => log.error({ err: error }, `${what} failed`);
  let cancelDue = () => {};
  const dispatch = coalesce(async () => {
    await Pipeline.dispatch(deps);
    const due = await Pipeline.nextDue(deps);
    cancelDue();
    // The next parked task or due default, to the millisecond rather than the minute.
    if (due !== undefined) cancelDue = clock.after(Math.max(50, due - clock.now()), () => tick());
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
    if (event.type === "provider.ready") await becameReady(host, worker, setting);
  });
  const stops = SCHEDULES.map((schedule) =>
    clock.every(schedule.everyMinutes * 60_000, () => void runSchedule(deps, schedule)),
  );
  if (target.backlogFile !== undefined) stops.push(watch(deps, target, clock, say));
  tick();
  return async () => {
    stops.forEach((stop) => stop());
    cancelDue();
    await worker.close();
    await dispatch.idle();
    await tick.idle();
    await events.idle();
    await Pipeline.releaseOwn(deps);
  };
}

/** A provider that answered at last ends the waiting that had no other reason. */
async function becameReady(host: Host, worker: LocalWorker, setting: HostSetting): Promise<void> {
  const { readiness } = await Provider.health(host.deps);
  const now = host.probed.map(({ provider, readiness: before }) => {
    const row = readiness.find((one) => one.name === provider.name);
    return { provider, readiness: row?.ready ? { ready: true as const, detail: row.detail } : before };
  });
  await worker.capable(machines(now));
  const force = workforce(now, setting.options.provider, setting.config.allowPaid);
  if (host.idle !== undefined && !setting.options.paused && force.kind === "ready") {
    host.idle = undefined;
    host.deps.pace.paused = false;
    setting.say("a provider is ready: work begins");
  }
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

async function openStore(home: string, config: Config, clock: Clock, say: (line: string) => void): Promise<Engine> {
  if (config.dynamodbEndpoint !== undefined) return { endpoint: config.dynamodbEndpoint, stop: async () => {} };
  const binary = await resolveEngine({ home, env: config.environment, say });
  mkdirSync(join(home, "store"), { recursive: true });
  return startEngine({ binary, file: join(home, "store", "table.db"), clock });
}

/** A folder that is no repository is an error where work on it was asked for, else the API is served without one. */
async function hasRepository(target: Target, options: HostOptions): Promise<boolean> {
  if (options.repo !== undefined || target.backlogFile !== undefined) return true;
  try {
    return statSync(join(target.repo, ".git")).isDirectory();
  } catch {
    return false;
  }
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

/** Pushes product and meta file; problems are said with their lines, and change nothing. */
async function pushFiles(deps: Pipeline.PipelineDeps, target: Target, say: (line: string) => void): Promise<void> {
  for (const [kind, file] of [
    ["product", target.backlogFile],
    ["meta", target.metaFile],
  ] as const) {
    if (file === undefined || target.backlog === undefined) continue;
    const pushed = await Pipeline.push(deps, { id: target.backlog, text: readBacklog(file), kind });
    if (pushed.problems.length > 0) {
      const lines = pushed.problems.slice(0, 5).map((p) => `  line ${p.line}: ${p.message}. ${p.remedy}`);
      throw fail("backlog.invalid", `${file} is not a backlog:\n${lines.join("\n")}`, {
        remedy: "Correct it; coherence backlog check FILE shows all of it.",
      });
    }
    const changes = [
      `${pushed.created.length} new`,
      `${pushed.changed.length} changed`,
      `${pushed.retired.length} retired`,
      `${pushed.unchanged} as they were`,
    ];
    say(`pushed    ${file}: ${changes.join(", ")}`);
  }
}

/** Pushes again when a file changes; a broken one is said and leaves the table as it is. */
function watch(deps: Pipeline.PipelineDeps, target: Target, clock: Clock, say: (line: string) => void): () => void {
  const stamp = () =>
    [target.backlogFile, target.metaFile].map((file) => (file === undefined ? "" : stampOf(file))).join("|");
  let last = stamp();
  return clock.every(WATCH_MS, () => {
    const now = stamp();
    if (now === last) return;
    last = now;
    pushFiles(deps, target, say).catch((error: unknown) => say(messageOf(error)));
  });
}

function stampOf(file: string): string {
  try {
    const { mtimeMs, size } = statSync(file);
    return `${mtimeMs}:${size}`;
  } catch {
    return "gone";
  }
}

/** How many items the backlog file has, without a table; for a dry run. */
export function preview(target: Target, ratio: number): { text: string; kind: string; id: string }[] {
  const read = (file: string | undefined) => (file === undefined ? [] : Backlog.parse(readBacklog(file)).items);
  const product = read(target.backlogFile).map((item) => ({ ...item, kind: "product" }));
  const meta = read(target.metaFile).map((item) => ({ ...item, kind: "meta", id: `meta-${item.id}` }));
  return Backlog.order(product, meta, ratio);
}
