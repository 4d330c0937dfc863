import { existsSync, mkdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { serve, type ServerType } from "@hono/node-server";
import { deadline, type Clock } from "../../core/ground/clock.ts";
import type { Config } from "../../core/ground/config.ts";
import { fail, messageOf } from "../../core/ground/errors.ts";
import * as Store from "../../core/ground/store/index.ts";
import * as Provider from "../../core/work/provider/index.ts";
import type { TaskType } from "../../core/work/task/index.ts";
import { FLUSH_EVERY_MS, type Recorder } from "../../core/work/telemetry/index.ts";
import type { Repository } from "../../core/work/workspace/index.ts";
import * as Pipeline from "../../core/flow/pipeline/index.ts";
import * as Prompt from "../../core/flow/prompt/index.ts";
import { createApp } from "../api/app.ts";
import { composeLocal, type Local } from "../compose/local.ts";
import { checkFiles, pushFiles } from "./backlog-files.ts";
import { checkBase } from "./base.ts";
import { coalesce } from "./coalesce.ts";
import { openConfig, type ConfigFiles } from "./config-files.ts";
import { resolveEngine, startEngine, type Engine } from "./dynamodb.ts";
import { homeFor, makeHome } from "./home.ts";
import { lockHome } from "./lock.ts";
import { loopback } from "./loopback.ts";
import type { Host, HostSetting } from "./setting.ts";
import type { HostOptions } from "./options.ts";
import { describe, probe, workforce } from "./providers.ts";
import { run } from "./running.ts";
import { scratchTarget, targetOf, type Target } from "./target.ts";

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
    const wanted = targetOf(options, setting.directory, config);
    const place = homeFor(wanted.repo, config);
    const { environment } = config;
    const make = (changes: readonly Provider.Changes[]) =>
      Provider.create({ settings: environment, clock, home: place, hostEnv: environment }, changes);
    if (options.provider !== undefined) make([]).get(options.provider);
    const explicit = options.repo !== undefined || options.backlog !== undefined || options.provider !== undefined;
    if (explicit) checkFiles(wanted);

    const home = makeHome(place);
    closing.push(lockHome(home));
    say(`home      ${home}`);
    // What killed hosts left of their agents' own folders.
    rmSync(join(home, "agents"), { recursive: true, force: true });

    const configFiles = await openConfig({ home, repo: wanted.repo, env: environment, clock, log, say, make });
    const probed = await probe(configFiles.registry, signal);
    signal.throwIfAborted();
    say("providers");
    describe(probed).forEach(say);
    const force = workforce(probed, options.provider, config.allowPaid);
    const scratch = force.kind === "none" && !explicit;
    // A room of its own: what a simulated agent does must never be found among real work.
    const room = scratch ? makeHome(join(home, "showcase")) : home;
    const target = scratch ? await scratchTarget(room, config.environment) : wanted;
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

    const engine = await openStore(room, config, clock, say);
    closing.push(() => engine.stop());
    signal.throwIfAborted();
    const local = await composeLocal({
      home: room,
      config,
      clock,
      id,
      log,
      wire: loopback(engine.endpoint),
      providers: configFiles.registry,
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
      ...(options.once && target.backlog !== undefined ? { only: target.backlog } : {}),
    });
    if (local.repository) await bindStore(deps, target.repo);
    await Provider.configurationChanged(deps);
    for (const { provider, readiness } of probed) await Provider.saveReadiness(deps, provider, readiness);

    if (local.recorder) closing.push(flushing(local.recorder, clock));
    const { server, url } = await listen(local, configFiles, config.port);
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
      configFiles,
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
    // What may be paid is a setting of this start: who waited for it by the last one's asks anew.
    await Pipeline.wake(deps, { kind: "money" });
    deps.pace.paused = idle !== undefined;
    if (idle !== undefined) say(`no work is started: ${idle}`);
    closing.push(await run(host, listeners, begin, setting));
    return host;
  } catch (error) {
    await close();
    throw error;
  }
}

/** `--once` ends where there is nothing to do it with or to do; throws `provider.none_ready`, `backlog.invalid`. */
function mustWork(idle: string | undefined, target: Target): void {
  if (idle !== undefined) throw fail("provider.none_ready", `No work can be done: ${idle}`);
  if (target.backlog === undefined)
    throw fail("backlog.invalid", `There is no backlog to work through in ${target.repo}`, {
      remedy: "Name one: --backlog FILE.",
    });
}

/** A store holds the work of one repository: another's items would be done in the wrong place. Throws `config.invalid`. */
async function bindStore({ store }: Pipeline.PipelineDeps, repo: string): Promise<void> {
  const path = realpathSync(repo);
  const key = Store.Keys.config("repository");
  await Store.write(store, { kind: "put", item: { ...key, ent: "config", path }, if: Store.isNew });
  const bound = (await Store.get(store, key))?.path;
  if (bound !== path)
    throw fail("config.invalid", `This home holds the work of ${String(bound)}, not of ${path}`, {
      remedy: "Give each repository a home of its own: unset COHERENCE_HOME (or DYNAMODB_ENDPOINT), or set another.",
    });
}

/** Says what of the user's checkout is not part of the work. */
async function lookAt(repository: Repository, target: Target, say: (line: string) => void): Promise<void> {
  const { branch, head } = await repository.user();
  if (await repository.dirty())
    say(
      `note      ${target.repo} has changes that are not committed: they stay as they are, work begins at ${branch ?? head.slice(0, 12)}`,
    );
}

/** Throws `config.invalid` for a template in `.coherence/prompts/` that cannot be used. */
function checkOverrides(prompts: Partial<Record<TaskType, string>>): void {
  for (const [type, text] of Object.entries(prompts)) Prompt.checkOverride(type as TaskType, text);
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

/** Flushes once a minute; the function ends that, and writes what was counted since. */
function flushing(recorder: Recorder, clock: Clock): () => Promise<void> {
  // `flush` never rejects.
  const flush = coalesce(
    () => recorder.flush(),
    () => {},
  );
  const stop = clock.every(FLUSH_EVERY_MS, flush);
  return async () => {
    stop();
    await flush.idle();
    await recorder.flush();
  };
}

function listen(
  { deps, repository, recorder }: Local,
  { registry, states }: ConfigFiles,
  port: number,
): Promise<{ server: ServerType; url: string }> {
  return new Promise((resolve, reject) => {
    let bound = port;
    const app = createApp({
      deps,
      authenticate: () => ({ kind: "operator" }),
      door: { kind: "loopback", port: () => bound },
      cleanup: (options) => Pipeline.cleanup(deps, repository, options),
      providers: { registry, ask: Provider.asker(deps, registry), config: states },
      ...(recorder ? { recorder } : {}),
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
