import type { Failure, FailureClass } from "../task/index.ts";
import { CLASS_RULES, RESET_SLACK_MS, RETRY_SAME_WITHIN_MS, STREAK } from "./rules.ts";

/** Whom a go was about: a model, and the key that pays for it. */
export type Target = { provider: string; account: string; model: string };

/**
 * What is known of a target that failed: all a key pays for, or one model under it. It is there from the first failure until it
 * serves again. Times in ms.
 */
export type CooldownRow = {
  provider: string;
  account: string;
  model?: string;
  class: FailureClass;
  /** Nobody asks before. Null: until readiness or configuration changes; 0: failures are only being counted. */
  until: number | null;
  /** Ms of the last cooldown, which the next one doubles. */
  length: number;
  /** Failures in a row. */
  streak: number;
  /** What came of its runs in the present minute. */
  window: { since: number; ok: number; bad: number };
  /** When the one run that tests it has had its time, and which run that is; absent: nobody tests it. */
  probe_until?: number;
  probe_by?: string;
  message: string;
};

export type Standing =
  /** It may be asked. */
  | { kind: "closed" }
  /** Nobody asks it. `until` null: until readiness or configuration changes. */
  | { kind: "open"; until: number | null }
  /** Its cooldown is over and one run may test it; `until`: one does, and has so long. */
  | { kind: "half_open"; until: number | null };

/** The longest Retry-After that is kept to, in ms; a quota's reset may lie 31 times as far. */
const LONGEST_MS = 86_400_000;

/** How a target stands. Pure; `now` in ms. */
export function standing(row: CooldownRow, now: number): Standing {
  if (row.until === 0) return { kind: "closed" };
  if (row.until === null || row.until > now) return { kind: "open", until: row.until };
  const probing = row.probe_until !== undefined && row.probe_until > now;
  return { kind: "half_open", until: probing ? (row.probe_until ?? null) : null };
}

/** The row after a failure of its class; undefined for classes that cool nothing down. Pure; `now` in ms. */
export function afterFailure(
  before: CooldownRow | undefined,
  target: Target,
  failure: Failure,
  now: number,
): CooldownRow | undefined {
  const rule = CLASS_RULES[failure.class];
  if (rule.scope === "none" || rule.starts === "never") return undefined;
  const streak = (before?.streak ?? 0) + 1;
  const window =
    before && now - before.window.since < STREAK.windowMs
      ? { ...before.window, bad: before.window.bad + 1 }
      : { since: now, ok: 0, bad: 1 };
  const row = {
    provider: target.provider,
    account: target.account,
    ...(rule.scope === "model" ? { model: target.model } : {}),
    class: failure.class,
    streak,
    window,
    message: failure.message.slice(0, 500),
  };
  const was = before ? standing(before, now) : { kind: "closed" as const };
  // It was cooling down already when a run that had begun before failed too: nobody tried it again, so nothing doubles.
  if (before && was.kind === "open") {
    // What no time ends is known by the class that began it, and ended as that one is.
    if (before.until === null)
      return { ...row, class: before.class, message: before.message, until: null, length: before.length };
    const until = rule.cooldownMs === null ? null : Math.max(before.until, now + retryAfterOf(failure, 0));
    return { ...row, until, length: before.length };
  }
  if (rule.starts === "streak" && was.kind === "closed" && !isStreak(streak, window))
    return { ...row, until: 0, length: 0 };
  // A short wait that the target asks for itself is waited out, not punished, as long as it is the first.
  const asked = retryAfterOf(failure, Infinity);
  if (rule.retrySame === "retry_after" && was.kind === "closed" && asked <= RETRY_SAME_WITHIN_MS)
    return { ...row, until: now + asked, length: 0 };
  const length = lengthOf(failure, before?.length ?? 0, now);
  return { ...row, until: length === null ? null : now + length, length: length ?? 0 };
}

/**
 * The row after a run that was served: that closes it, and it is forgotten once nothing bad lies within the minute. While it cools
 * down nobody is let in, so that whoever is served then began before, and says nothing of how it is now. Pure; `now` in ms.
 */
export function afterSuccess(row: CooldownRow, now: number): CooldownRow | undefined {
  const window = { ...row.window, ok: row.window.ok + 1 };
  if (standing(row, now).kind === "open") return { ...row, window };
  if (now - row.window.since >= STREAK.windowMs) return undefined;
  const { probe_until: _until, probe_by: _by, ...rest } = row;
  return { ...rest, until: 0, length: 0, streak: 0, window };
}

function isStreak(inARow: number, { ok, bad }: CooldownRow["window"]): boolean {
  const all = ok + bad;
  return inARow >= STREAK.inARow || (all >= STREAK.atLeast && bad / all > STREAK.share);
}

/** Ms of a cooldown; null where time does not end it. Doubles from the last one up to the class's longest. */
function lengthOf(failure: Failure, last: number, now: number): number | null {
  const rule = CLASS_RULES[failure.class];
  if (rule.ends === "reset" && failure.resets_at !== undefined)
    return Math.min(LONGEST_MS * 31, Math.max(1000, failure.resets_at + RESET_SLACK_MS - now));
  if (rule.cooldownMs === null) return null;
  const doubled = last > 0 && rule.doublingMaxMs !== null ? Math.min(last * 2, rule.doublingMaxMs) : rule.cooldownMs;
  return Math.max(doubled, retryAfterOf(failure, 0));
}

/** Ms that the target itself asks for, a day at most: a header is no reason to be silent for years. */
function retryAfterOf(failure: Failure, absent: number): number {
  return failure.retry_after_ms === undefined ? absent : Math.min(failure.retry_after_ms, LONGEST_MS);
}
