/** The attempt: one execution on a task. Not ended, with its turn, it is the fence of every write. */
export { nameOf, usageOf, type AttemptRow, type End, type TurnRef } from "./row.ts";
export { alreadyClaimed, claim, claimWrites, mayClaim, type Claimant } from "./claim.ts";
export {
  endWrite,
  enter,
  fence,
  leaseWrite,
  plan,
  read,
  readAll,
  readWithTask,
  renew,
  type Entered,
  type Remembered,
} from "./turn.ts";
export {
  leaveFailure,
  postpone,
  readFailure,
  readOutcome,
  readToSettle,
  recordFailure,
  recordOutcome,
  type FailurePart,
  type OutcomePart,
} from "./outcome.ts";
export { readOrder, readPrompt, save, saved, saveOrder, savePrompt } from "./parts.ts";
export {
  logWriter,
  readLog,
  readLogAfter,
  readLogTail,
  removeLog,
  LOG_KEPT_MS,
  MAX_LOG_BYTES,
  MAX_TURN_BYTES,
  type LogPage,
  type LogWriter,
} from "./log.ts";
