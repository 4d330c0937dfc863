/** The attempt: one execution on a task. Not ended, with its turn, it is the fence of every write. */
export type { AttemptRow, End, TurnRef } from "./row.ts";
export { alreadyClaimed, claim, claimWrites, type Claimant } from "./claim.ts";
export {
  describe,
  endWrite,
  enter,
  fence,
  leaveFailure,
  plan,
  postpone,
  read,
  readAll,
  readFailure,
  readOrder,
  readOutcome,
  recordFailure,
  recordOutcome,
  renew,
  save,
  saveOrder,
  saved,
  type Entered,
  type FailurePart,
  type OutcomePart,
} from "./turn.ts";
export { logWriter, readLog, removeLog, MAX_LOG_BYTES, type LogPage, type LogWriter } from "./log.ts";
