import * as Clock from "../../core/ground/clock.ts";

/**
 * A clock that runs `factor` times as fast as the machine's, the same in every process: at the machine's `begun` it was `start`.
 * Hosts and runners keep their own figures (a lease of two minutes, a look every minute) and take a fraction of the time.
 */
export function scaled(setting: { begun: number; start: number; factor: number }): Clock.Clock {
  const { begun, start, factor } = setting;
  const system = Clock.system();
  return {
    now: () => start + (system.now() - begun) * factor,
    sleep: (ms, signal) => system.sleep(ms / factor, signal),
    after: (ms, run) => system.after(ms / factor, run),
    every: (ms, run) => system.every(ms / factor, run),
  };
}

/** The clock that the test names in the environment. */
export function fromEnvironment(): Clock.Clock {
  const [begun, start, factor] = (process.env.CONTRACT_CLOCK ?? "").split(",").map(Number);
  if (!begun || !start || !factor) throw new Error("CONTRACT_CLOCK is begun,start,factor");
  return scaled({ begun, start, factor });
}
