/** The task: what is to be done and how it stands. Also the words that all rooms share. */
export * from "./words.ts";
export { addUsage, isKnown, isTurnedAway, NO_USAGE, NOTHING, wentFor } from "./usage.ts";
export type { Parts, TaskRow, Whole } from "./row.ts";
export {
  allowed,
  hasEnded,
  isWaiting,
  putAside,
  RUN_STATE,
  transition,
  wake,
  type Actor,
  type Change,
} from "./transition.ts";
export { taskIdOf as idOfKey } from "../../ground/id.ts";
export { contractIn, evidence, trimmed, type Contract } from "./contract.ts";
export { ClientContext, Create, create, ROLES, type CreateOptions } from "./create.ts";
export { contextOf, read, row, wholeOf } from "./read.ts";
export {
  headAndTail,
  mergeContext,
  mergeWrite,
  partWrites,
  readToChange,
  MAX_CONTEXT_BYTES,
  MAX_OUTPUT_BYTES,
  type ContextRead,
} from "./parts.ts";
export { holderOf, isLeased, unleased } from "./holder.ts";
export { walk, type Indexed } from "./walk.ts";
