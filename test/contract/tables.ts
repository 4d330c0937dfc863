import type { Field } from "./fields.ts";

/** The contract's field tables (1.1.1, 1.1.2, 1.1.3, 1.2, 1.3, 1.4, 1.5). */

export const TYPES = ["spec", "test", "impl", "review", "heal"] as const;
export const STATUSES = ["pending", "running", "completed", "failed", "needs_decision"] as const;

const clamped = (stored: unknown) => Math.max(30, stored as number);

const contractFields: readonly Field[] = [
  { name: "target_state", kind: "text", trimmed: "first", min: 1, max: 600 },
  { name: "success_evidence", kind: "texts" },
  { name: "abort_evidence", kind: "texts" },
  { name: "observation_window_sec", kind: "int", min: 1, max: 604_800, shown: clamped },
];

/** 1.1.1. */
export const CREATE: readonly Field[] = [
  { name: "direction", kind: "text", required: true, trimmed: "first", min: 1, max: 5000 },
  { name: "task_type", kind: "word", required: true, words: TYPES, wrongWord: /^value_error$/ },
  // What is posted is there, and what creation adds.
  { name: "context", kind: "object", shown: false },
  ...contractFields,
];

/** 1.1.2. */
export const UPDATE: readonly Field[] = [
  { name: "status", kind: "word", words: STATUSES, shown: false },
  { name: "output", kind: "text" },
  { name: "progress_pct", kind: "int", strict: true, min: 0, max: 100 },
  { name: "current_step", kind: "text" },
  { name: "decision_prompt", kind: "text" },
  { name: "decision", kind: "text", shown: false },
  { name: "context", kind: "object", shown: false },
  { name: "worker_id", kind: "text", min: 1, max: 200, shown: false },
  ...contractFields,
];

/** 1.1.3. */
export const UPSERT: readonly Field[] = [
  { name: "session_key", kind: "text", required: true, trimmed: "first", min: 1, max: 200, shown: false },
  { name: "direction", kind: "text", required: true, trimmed: "first", min: 1, max: 5000 },
  { name: "task_type", kind: "word", words: TYPES, wrongWord: /^(enum|value_error)$/, defaulted: true },
  { name: "worker_id", kind: "text", min: 1, max: 200, shown: false },
  { name: "context", kind: "object", shown: false },
];

/** 1.2, the query of both execute endpoints. */
export const EXECUTE: readonly Field[] = [
  { name: "max_cost_usd", kind: "float", min: 0 },
  { name: "estimated_cost_usd", kind: "float", min: 0 },
  { name: "cost_slack_ratio", kind: "float", min: 1 },
];

const who: readonly Field[] = ["task_id", "run_id", "worker_id"].map((name) => ({
  name,
  kind: "text",
  required: true,
  min: 1,
  max: 200,
  shown: false,
}));
const lease: Field = { name: "lease_seconds", kind: "int", min: 15, max: 3600, defaulted: true, shown: false };

/** 1.3. */
export const CLAIM: readonly Field[] = [
  ...who,
  lease,
  { name: "attempt", kind: "int", min: 1, max: 100_000, defaulted: true },
  { name: "branch", kind: "text", min: 0, max: 300 },
  { name: "repo_path", kind: "text", min: 0, max: 2000 },
  { name: "metadata", kind: "object", shown: false },
];
export const HEARTBEAT: readonly Field[] = [...who, lease];
export const RUN_UPDATE: readonly Field[] = [
  ...who,
  lease,
  { name: "patch", kind: "object", defaulted: true, shown: false },
  { name: "require_owner", kind: "flag", defaulted: true, shown: false },
];

/** 1.4. */
const said = (name: string, max: number): Field => ({ name, kind: "text", trimmed: "stored", min: 0, max });
export const RUNNER: readonly Field[] = [
  { ...said("runner_id", 200), required: true, min: 1 },
  { name: "status", kind: "text", min: 1, max: 50, defaulted: true, shown: false },
  { name: "lease_seconds", kind: "int", min: 10, max: 3600, defaulted: true, shown: false },
  said("host", 200),
  { name: "pid", kind: "int", min: 1, max: 2_147_483_647 },
  said("version", 200),
  said("active_task_id", 200),
  said("active_run_id", 200),
  said("last_error", 2000),
  { name: "capabilities", kind: "object", shown: false },
  { name: "metadata", kind: "object", shown: false },
];

export const limit = (most: number): Field => ({ name: "limit", kind: "int", min: 1, max: most });

/** 1.1, the list's query. */
export const LIST: readonly Field[] = [
  { name: "status", kind: "word", words: STATUSES },
  { name: "task_type", kind: "word", words: TYPES },
  limit(100),
  { name: "offset", kind: "int", min: 0 },
];
export const ATTENTION: readonly Field[] = [limit(100)];
/** 1.4. */
export const RUNNERS: readonly Field[] = [{ name: "include_stale", kind: "flag" }, limit(500)];
/** 1.5: an executor that nobody knows is no error. */
export const ROUTE: readonly Field[] = [
  { name: "task_type", kind: "word", required: true, words: TYPES },
  { name: "executor", kind: "text", shown: false },
];
