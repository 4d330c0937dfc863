import * as Clock from "../../core/ground/clock.ts";

type Setting = {
  /** The machine's time, ms, at which it was `start`. */
  begun: number;
  start: number;
  factor: number;
  /** What a schedule's minute takes, ms of the machine. */
  minute: number;
};

/**
 * A clock that runs `factor` times as fast as the machine's, the same in every process, with minutes that come sooner still: hosts
 * and runners keep their own figures and take a fraction of the time.
 */
export function scaled({ begun, start, factor, minute }: Setting): Clock.Clock {
  const system = Clock.system();
  return {
    now: () => start + (system.now() - begun) * factor,
    sleep: (ms, signal) => system.sleep(ms / factor, signal),
    after: (ms, run) => system.after(ms / factor, run),
    every: (ms, run) => system.every(ms === 60_000 ? minute : ms / factor, run),
  };
}

/** For the environment of the processes that use it. */
export function toEnvironment({ begun, start, factor, minute }: Setting): Record<string, string> {
  return { CONTRACT_CLOCK: [begun, start, factor, minute].join() };
}

/** The clock that the environment names. */
export function fromEnvironment(): Clock.Clock {
  const [begun, start, factor, minute] = (process.env.CONTRACT_CLOCK ?? "").split(",").map(Number);
  if (!begun || !start || !factor || !minute) throw new Error("CONTRACT_CLOCK is begun,start,factor,minute");
  return scaled({ begun, start, factor, minute });
}
