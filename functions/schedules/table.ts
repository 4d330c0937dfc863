import * as Metrics from "../../core/work/metrics/index.ts";
import * as Provider from "../../core/work/provider/index.ts";
import * as Telemetry from "../../core/work/telemetry/index.ts";
import * as Pipeline from "../../core/flow/pipeline/index.ts";

/** One row a schedule: on AWS an EventBridge schedule, in the local host `Clock.every`. */
export type Schedule = {
  name: string;
  everyMinutes: number;
  /** How late a run may be before it counts as missed. */
  graceMinutes: number;
  /** Says in a word what it did. */
  handler: (deps: Pipeline.PipelineDeps) => Promise<string>;
};

export const SCHEDULES: readonly Schedule[] = [
  {
    name: "dispatch",
    everyMinutes: 1,
    graceMinutes: 2,
    handler: async (deps) => `${(await Pipeline.dispatch(deps)).length} started`,
  },
  {
    name: "reaper",
    everyMinutes: 1,
    graceMinutes: 2,
    handler: async (deps) => {
      const reaped = await Pipeline.reap(deps);
      await Metrics.fold(deps);
      return `${reaped.length} reaped`;
    },
  },
  {
    name: "project-manager",
    everyMinutes: 1,
    graceMinutes: 2,
    handler: async (deps) => `${(await Pipeline.tick(deps)).length} tasks made`,
  },
  {
    name: "readiness",
    // Most runs ask nobody; a provider that was out of reach is asked every minute.
    everyMinutes: 1,
    graceMinutes: 2,
    handler: async (deps) => {
      const rows = await Provider.probeDue(deps, deps.providers.all());
      return `${rows.filter((row) => row.ready).length} of ${rows.length} ready`;
    },
  },
];

/** Runs a schedule and leaves its ping, whatever came of it; never throws. */
export async function runSchedule(deps: Pipeline.PipelineDeps, schedule: Schedule): Promise<void> {
  const begun = deps.clock.now();
  try {
    const detail = await schedule.handler(deps);
    await Telemetry.ping(deps, schedule.name, { ok: true, ms: deps.clock.now() - begun, detail });
  } catch (error) {
    deps.log.error({ schedule: schedule.name, err: error }, "a schedule failed");
    await Telemetry.ping(deps, schedule.name, {
      ok: false,
      ms: deps.clock.now() - begun,
      detail: "failed; see the log",
    }).catch(() => {});
  }
}
