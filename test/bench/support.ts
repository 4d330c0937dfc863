import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as Clock from "../../core/ground/clock.ts";
import * as Config from "../../core/ground/config.ts";
import type { Event } from "../../core/ground/events/index.ts";
import * as Id from "../../core/ground/id.ts";
import * as Log from "../../core/ground/log.ts";
import * as Pipeline from "../../core/flow/pipeline/index.ts";
import * as Provider from "../../core/work/provider/index.ts";
import { composeLocal, type Local } from "../../functions/compose/local.ts";
import { coalesce } from "../../functions/local/coalesce.ts";
import { resolveEngine, startEngine } from "../../functions/local/dynamodb.ts";
import { loopback } from "../../functions/local/loopback.ts";
import { react } from "../../functions/subscribers/subscribers.ts";

/** A line of the table: `goal` and `figure` as they are printed, `ok` undefined where there is no goal. */
export type Row = { what: string; goal: string; figure: string; ok?: boolean; how: string };

export const MEMORY = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

export type Bench = Local & {
  home: string;
  /** Resolves when nothing is under way any more. */
  idle(): Promise<void>;
  /** Resolves at the first event for which `found` holds. */
  next(found: (event: Event) => boolean): Promise<Event>;
  /** Hears every event; the function ends it. */
  onEvent(listener: (event: Event) => void): () => void;
  close(): Promise<void>;
};

const open = new Set<() => Promise<void>>();

/** Ends the engines of benches that broke or were interrupted, and removes their files. */
export async function closeAll(): Promise<void> {
  await Promise.all([...open].map((end) => end()));
}

/** The local host's parts without its doors: a table on a fresh engine under `place`, events and subscribers wired as in the host. */
export async function bench(options: {
  place: string;
  workers?: number;
  repositoryDir?: string;
  env?: Record<string, string>;
}): Promise<Bench> {
  const home = mkdtempSync(join(options.place, "coherence-bench-"));
  const clock = Clock.system();
  const engine = await startEngine({
    binary: await resolveEngine({ home, env: process.env, say: console.error }),
    file: join(home, "table.db"),
    clock,
  });
  const end = async () => {
    open.delete(end);
    await engine.stop();
    rmSync(home, { recursive: true, force: true });
  };
  open.add(end);
  const local = await composeLocal({
    home,
    config: Config.read({ PATH: process.env.PATH, AGENT_RUNNER_WORKERS: String(options.workers ?? 5), ...options.env }),
    clock,
    id: Id.system(),
    log: Log.create("error"),
    wire: loopback(engine.endpoint),
    pin: "simulated",
    allowSimulated: true,
    merge: true,
    ...(options.repositoryDir === undefined ? {} : { repositoryDir: options.repositoryDir }),
  });
  const { deps, events, workflow } = local;
  await Provider.saveReadiness(deps, deps.providers.get("simulated"), { ready: true, detail: "plays" });
  const failed = (error: unknown) => console.error(error);
  const dispatch = coalesce(() => Pipeline.dispatch(deps), failed);
  const tick = coalesce(async () => {
    await Pipeline.tick(deps);
    dispatch();
  }, failed);
  const listeners: ((event: Event) => void)[] = [];
  events.subscribe((event) => react(deps, { dispatch, tick }, event));
  events.subscribe(async (event) => [...listeners].forEach((listener) => listener(event)));
  const idle = async () => {
    for (let still = 0; still < 3; still++) {
      await events.idle();
      await tick.idle();
      await dispatch.idle();
      if (workflow.running() > 0) still = -1;
      await clock.sleep(1);
    }
  };
  return {
    ...local,
    home,
    idle,
    onEvent(listener) {
      listeners.push(listener);
      return () => void listeners.splice(listeners.indexOf(listener), 1);
    },
    next: (found) =>
      new Promise((resolve) => {
        listeners.push(function once(event) {
          if (!found(event)) return;
          listeners.splice(listeners.indexOf(once), 1);
          resolve(event);
        });
      }),
    async close() {
      events.close();
      await workflow.close();
      await idle();
      await end();
    },
  };
}

/** Ms with sub-millisecond precision, of one call. */
export async function timed(run: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await run();
  return performance.now() - begun;
}

export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? NaN;
}

export const median = (values: readonly number[]) => quantile(values, 0.5);

export const ms = (value: number) => `${value.toFixed(value < 10 ? 1 : 0)} ms`;
