/**
 * One family of errors with dotted codes. What is thrown as one of these may be shown to a user as it stands;
 * anything else is a fault of ours and is never shown.
 */
export class CoherenceError extends Error {
  override readonly name = "CoherenceError";
  readonly code: Code;
  /** What the reader can do about it. */
  readonly remedy: string | undefined;
  /** Facts for the program, never secrets. */
  readonly data: Readonly<Record<string, unknown>>;

  constructor(
    code: Code,
    message: string,
    more: { remedy?: string; data?: Record<string, unknown>; cause?: unknown } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.code = code;
    this.remedy = more.remedy;
    this.data = more.data ?? {};
  }
}

/** Every code there is; `functions/api/errors.ts` maps each to one HTTP status. */
export type Code =
  | "input.invalid"
  | "input.too_large"
  | "input.cursor"
  | "task.not_found"
  | "task.log_not_found"
  | "task.claimed"
  | "task.transition"
  | "task.of_item"
  | "task.nothing_to_change"
  | "run_state.not_found"
  | "item.not_found"
  | "backlog.not_found"
  | "backlog.invalid"
  | "lease.lost"
  | "idempotency.conflict"
  | "host.forbidden"
  | "origin.forbidden"
  | "body.type"
  | "execute.forbidden"
  | "auth.missing"
  | "auth.scope"
  | "store.unavailable"
  | "home.locked"
  | "config.invalid"
  | "process.failed"
  | "workspace.not_a_repository"
  | "workspace.no_commits"
  | "workspace.setup_failed"
  | "workspace.base_red"
  | "workspace.no_tests"
  | "workspace.moved"
  | "workspace.git"
  | "workspace.path"
  | "workspace.secret"
  | "provider.unknown"
  | "provider.none_ready"
  | "scenario.invalid"
  | "workflow.exists"
  | "not_found";

/** Shorthand: `throw fail("task.not_found", "Task not found")`. */
export function fail(
  code: Code,
  message: string,
  more: { remedy?: string; data?: Record<string, unknown>; cause?: unknown } = {},
): CoherenceError {
  return new CoherenceError(code, message, more);
}

/** The message of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
