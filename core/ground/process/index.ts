/** Child processes: the only place that starts or ends them. */
export type * from "./port.ts";
export { run } from "./run.ts";
export { exec } from "./exec.ts";
export { endGroupsIn } from "./groups.ts";
export { baseEnv } from "./env.ts";
export { birthOf } from "./processes.mjs";
