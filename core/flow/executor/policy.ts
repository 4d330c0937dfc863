import type { Config } from "../../ground/config.ts";
import { sha256 } from "../../ground/id.ts";
import type { TaskType } from "../../work/task/index.ts";
import { executorOf, type Executor } from "./names.ts";

type Settings = Config["executor"];

/** What a choice is made from. */
export type Asked = { direction: string; type: TaskType; context: Readonly<Record<string, unknown>> };

/** How often the same work was asked for before, and failed. */
export type History = { attempts: number; failures: number };

/** An executor and why; `policy` null when a client named it or there is no policy. */
export type Choice = { executor: Executor; policy: Policy | null };
export type Policy = { policy_applied: true; reason: string; task_fingerprint: string } & Record<string, unknown>;

const REPOSITORY =
  /\bthis repo(?:sitory)?\b|\bcodebase\b|\bin (?:the )?repo\b|\b(?:AGENTS|CLAUDE)\.md\b|\b(?:docs|api|web)\/\S|\b[\w-]+\.(?:py|tsx?|jsx?|md|json|toml|ya?ml)\b/i;

/** What two tasks have in common when they ask for the same. */
export function fingerprintOf({ type, direction }: Pick<Asked, "type" | "direction">): string {
  return sha256(`${type}:${direction.trim().toLowerCase()}`);
}

/** Contract 3.3 as far as it goes without a look at earlier tasks; null: `byHistory` decides. Pure. */
export function byScope(settings: Settings, asked: Asked): Choice | null {
  const named = executorOf(asked.context.executor);
  if (named) return { executor: named, policy: null };
  if (!settings.policyEnabled) return { executor: executorOf(settings.default) ?? "claude", policy: null };
  const policy = (reason: string, more: Record<string, unknown>): Policy => ({
    policy_applied: true,
    reason,
    task_fingerprint: fingerprintOf(asked),
    ...more,
  });
  if (isAboutRepository(asked)) {
    const executor = firstAvailable(settings, [settings.repoDefault, "cursor", "cursor", "claude", "openclaw"]);
    if (executor) return { executor, policy: policy("repo_scoped_question", { repo_executor_preference: executor }) };
  }
  const open = firstAvailable(settings, [settings.openDefault, "openclaw", "openclaw", "cursor", "claude"]);
  if (open !== "openclaw") return null;
  return { executor: open, policy: policy("open_question_default", { open_question_executor: open }) };
}

/** The cheap executor, or the stronger one once the same work has failed or was tried often. Pure. */
export function byHistory(settings: Settings, asked: Asked, history: History): Choice {
  const cheap = cheapOf(settings);
  const escalation = escalationOf(settings, cheap);
  const hint = retryHint(asked.context);
  const effective = Math.max(hint, history.attempts);
  const reason =
    effective >= settings.escalateRetries
      ? "retry_threshold"
      : history.failures >= settings.escalateFailures
        ? "failure_threshold"
        : "cheap_default";
  const selected = reason === "cheap_default" ? cheap : escalation;
  const meta = {
    task_fingerprint: fingerprintOf(asked),
    retry_threshold: settings.escalateRetries,
    failure_threshold: settings.escalateFailures,
    historical_attempts: history.attempts,
    historical_failures: history.failures,
    retry_hint: hint,
    effective_retry_count: effective,
    cheap_executor: cheap,
    escalation_executor: escalation,
  };
  if (isAvailable(settings, selected)) return { executor: selected, policy: { policy_applied: true, reason, ...meta } };
  const executor =
    firstAvailable(settings, [cheap, escalation, "cursor", "claude", "openclaw"]) ??
    executorOf(settings.default) ??
    "claude";
  return {
    executor,
    policy: {
      policy_applied: true,
      reason: "selected_executor_unavailable",
      selected_executor: selected,
      fallback_executor: executor,
      ...meta,
    },
  };
}

/** What `auto` stands for (contract 3.2). */
export function cheapOf(settings: Settings): Executor {
  return executorOf(settings.cheapDefault) ?? executorOf(settings.default) ?? "cursor";
}

/** Whom work goes to that the cheap one failed at. */
export function escalationOf(settings: Settings, cheap = cheapOf(settings)): Executor {
  const named = executorOf(settings.escalateTo) ?? "claude";
  return named !== cheap ? named : cheap === "claude" ? "openclaw" : "claude";
}

/** Whether an executor can be had; there is no PATH to look at on AWS, so it is a setting. */
export function isAvailable({ available }: Pick<Settings, "available">, executor: Executor): boolean {
  return available.some((name) => executorOf(name) === executor);
}

/** The first of these that can be had; a setting before its default counts only when it is an executor. */
function firstAvailable(settings: Settings, names: readonly (string | undefined)[]): Executor | undefined {
  return names.map(executorOf).find((one) => one !== undefined && isAvailable(settings, one));
}

function isAboutRepository({ context, direction }: Asked): boolean {
  const scope = [context.question_scope, context.scope]
    .find((one) => typeof one === "string")
    ?.trim()
    .toLowerCase();
  if (scope === "repo" || scope === "repository" || scope === "codebase") return true;
  if (scope === "open" || scope === "general") return false;
  return REPOSITORY.test(direction);
}

/** What a client says of earlier tries: the first number under the contract's names. */
function retryHint(context: Readonly<Record<string, unknown>>): number {
  for (const key of ["retry_count", "retry_index", "attempt", "attempt_count"]) {
    const value = context[key];
    const count = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
    if (typeof count === "number" && Number.isFinite(count)) return Math.max(0, Math.trunc(count));
  }
  return 0;
}
