import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../core/ground/clock.ts";
import type { Config } from "../../core/ground/config.ts";
import { sha256, type Id } from "../../core/ground/id.ts";
import { maskOf } from "../../core/ground/mask.ts";
import type { Log } from "../../core/ground/log.ts";
import * as Process from "../../core/ground/process/index.ts";
import * as Store from "../../core/ground/store/index.ts";
import * as Pipeline from "../../core/flow/pipeline/index.ts";
import * as Prompt from "../../core/flow/prompt/index.ts";
import * as Worker from "../../core/flow/worker/index.ts";
import * as Provider from "../../core/work/provider/index.ts";
import { TaskType } from "../../core/work/task/index.ts";
import * as Telemetry from "../../core/work/telemetry/index.ts";
import { openRepository, splitCommand, type Repository } from "../../core/work/workspace/index.ts";
import { localEvents, type LocalEvents } from "../local/events.ts";
import { localWorkflow, type LocalWorkflow } from "../local/workflow.ts";
import * as Steps from "../runner/steps.ts";

/** Ms that a turn's lease lasts in the local host; renewed three times in that. */
const LEASE_MS = 60_000;
/** A run in the local host is bounded by the agent's own limit; the state's limit only catches what forgot it. */
const STEP_SECONDS = 24 * 3600;

export type LocalOptions = {
  home: string;
  config: Config;
  clock: Clock;
  id: Id;
  log: Log;
  wire: Store.Wire;
  /** Default: the built-in table. */
  providers?: Provider.Registry;
  /** The user's checkout; absent: no repository, nothing is judged. */
  repositoryDir?: string;
  pin?: string;
  allowSimulated: boolean;
  merge: boolean;
  /** Where the world may be stopped; for tests. */
  at?: Worker.At;
};

export type Local = {
  deps: Pipeline.PipelineDeps;
  events: LocalEvents;
  workflow: LocalWorkflow;
  repository: Repository | null;
  /** Counts the API's requests; null when telemetry is off. */
  recorder: Telemetry.Recorder | null;
};

/** Chooses the adapters of one machine. The only place beside compose/aws.ts that does. */
export async function composeLocal(options: LocalOptions): Promise<Local> {
  const { home, config, clock, id, log } = options;
  const table = "coherence";
  await Store.ensureTable(options.wire, table);
  const store: Store.Store = { wire: options.wire, table, clock, id };
  const events = localEvents((event, error) => log.error({ event, err: error }, "a subscriber failed"));
  const workflow = localWorkflow({
    store,
    clock,
    id,
    log,
    limits: { invokeSeconds: STEP_SECONDS, offerSeconds: STEP_SECONDS, heartbeatSeconds: 120 },
    handlers: () => ({
      plan: (input) => Steps.plan(deps, input),
      invoke: (input, signal) => Steps.invoke(deps, input, signal),
      offer: (input) => Steps.offer(deps, input),
      recordFailure: (input) => Steps.recordFailure(deps, input),
      settle: (input) => Steps.settle(deps, input),
    }),
    ended: ({ taskId, attempt }, status) => void events.publish({ type: "execution.ended", taskId, attempt, status }),
  });
  const repository = options.repositoryDir === undefined ? null : await open(options, options.repositoryDir);
  const { environment } = config;
  const providers = options.providers ?? Provider.create({ settings: environment, clock, home, hostEnv: environment });
  const scratch = join(home, "scratch");
  mkdirSync(scratch, { recursive: true });
  const at = options.at ?? (() => {});
  const mask = maskOf(environment);
  const tools: Worker.Tools = { clock, provider: (name) => providers.get(name), repository, scratch, mask, at };
  const deps: Pipeline.PipelineDeps = {
    store,
    clock,
    id,
    log,
    config,
    events,
    workflow,
    providers,
    host: { id: `local-${sha256(home).slice(0, 8)}`, incarnation: id.ulid(clock.now()) },
    routing: { allowSimulated: options.allowSimulated, ...(options.pin === undefined ? {} : { pin: options.pin }) },
    work: { tree: repository !== null, merge: options.merge, leaseMs: LEASE_MS },
    pace: { paused: false, itemsLeft: Infinity, until: Infinity },
    carryOut: (order, report, signal) => Worker.run(tools, order, report, signal),
    settings: settingsOf(repository, config),
    at,
  };
  const recorder = config.runtime.telemetry ? Telemetry.recorder(deps) : null;
  return { deps, events, workflow, repository, recorder };
}

function open({ home, config, clock }: LocalOptions, dir: string): Promise<Repository> {
  return openRepository({
    dir,
    home,
    clock,
    env: Process.baseEnv(config.environment),
    suiteTimeoutMs: config.suiteTimeoutMs,
    ...(config.setupCommand === undefined ? {} : { setupCommand: config.setupCommand }),
    ...(config.testCommand === undefined ? {} : { testCommand: config.testCommand }),
  });
}

/** Prompts come from the user's HEAD, never from an item's tree; they are read once a HEAD. */
function settingsOf(repository: Repository | null, config: Config): Pipeline.PipelineDeps["settings"] {
  const testCommand =
    config.testCommand === undefined ? undefined : splitCommand(config.testCommand, "COHERENCE_TEST_COMMAND");
  let known: { head: string; prompts: Partial<Record<TaskType, string>> } | undefined;
  return async () => {
    const user = await repository?.user();
    if (repository && user && known?.head !== user.head) {
      const prompts: Partial<Record<TaskType, string>> = {};
      for (const type of TaskType.options) {
        const text = await repository.show(user.head, Prompt.overridePath(type));
        if (text !== null) prompts[type] = text;
      }
      known = { head: user.head, prompts };
    }
    return { prompts: known?.prompts ?? {}, ...(testCommand === undefined ? {} : { testCommand }) };
  };
}
