/** Providers: who can do the work, whether they can now, and what a failure of theirs means. */
export type * from "./port.ts";
export type { Settings, SettingName } from "./settings.ts";
export { create, executorOf, type Registry, type RegistryOptions } from "./registry.ts";
export { CLASS_RULES, RESET_SLACK_MS, RETRY_SAME_WITHIN_MS, STREAK, type ClassRule } from "./rules.ts";
export { fromExit, fromHttp, type HttpSignal } from "./classify.ts";
export { load as loadScenario, type Scenario } from "./simulated/scenario.ts";
export { DEFAULT_SCENARIO } from "./simulated/default-scenario.ts";
export { scratchFiles } from "./simulated/scratch.ts";
export { pause, resume, type PauseRow } from "./pause.ts";
export {
  configurationChanged,
  coolDown,
  health,
  probeAll,
  probeDue,
  saveReadiness,
  served,
  type CooldownRow,
  type Health,
  type ReadinessRow,
} from "./health.ts";
