/** The project manager's decisions: how an item goes on. Pure; the tick that carries them out is `Pipeline.tick`. */
export { endOf, MAX_ROUNDS, next, resumed, revived, type TaskEnd } from "./next.ts";
export { taskFor } from "./direction.ts";
