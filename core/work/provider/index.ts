/** Providers: who can do the work, whether they can now, and what a failure of theirs means. */
export type * from "./port.ts";
export type { Settings } from "./settings.ts";
export {
  create,
  executorOf,
  parseConfig,
  targetOf,
  type Changes,
  type Registry,
  type RegistryOptions,
} from "./registry.ts";
export { MAX_BYTES as MAX_CONFIG_BYTES, type Which } from "./config/parse.ts";
export { nextState, type ConfigState, type Seen } from "./config/state.ts";
export { switching, type Switching } from "./switching.ts";
export { CLASS_RULES, PROBE_MS, RESET_SLACK_MS, RETRY_SAME_WITHIN_MS, STREAK, type ClassRule } from "./rules.ts";
export { fromExit, fromHttp, type HttpSignal } from "./classify.ts";
export { load as loadScenario, type Scenario } from "./simulated/scenario.ts";
export { DEFAULT_SCENARIO } from "./simulated/default-scenario.ts";
export { scratchFiles } from "./simulated/scratch.ts";
export { asker, type Asked, type Asker } from "./asker.ts";
export { pause, resume, type PauseRow } from "./pause.ts";
export { standing, type CooldownRow, type Target } from "./breaker.ts";
export {
  admit,
  cooling,
  endCooldowns,
  failureWrite,
  keepTesting,
  served,
  type Admission,
  type Cooling,
} from "./cooldown.ts";
export {
  configurationChanged,
  health,
  probeAll,
  probeDue,
  readinessOf,
  saveReadiness,
  type Health,
  type ReadinessRow,
} from "./health.ts";
