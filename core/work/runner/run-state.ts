import * as z from "zod";
import { Instant, instantOf, NO_ZONE } from "../../ground/instant.ts";
import * as Json from "../../ground/json.ts";

/** Bytes of what a runner says of a run in its own words. */
const MAX_METADATA_BYTES = 64 * 1024;

const id = z.string().trim().min(1).max(200);
const lease = z.number().int().min(15).max(3600);

/** A runner asks for a task (contract 1.3). */
export const Claim = z.object({
  task_id: id,
  run_id: id,
  worker_id: id,
  lease_seconds: lease.default(120),
  attempt: z.number().int().min(1).max(100_000).default(1),
  branch: z.string().max(300).optional(),
  repo_path: z.string().max(2000).optional(),
  metadata: z.record(z.string(), z.unknown()).optional(),
});
export type Claim = z.infer<typeof Claim>;

/** A runner says that it lives. */
export const Beat = z.object({ task_id: id, run_id: id, worker_id: id, lease_seconds: lease.default(120) });
export type Beat = z.infer<typeof Beat>;

/** A time without a zone is refused rather than passed over. */
function zoned(patch: Readonly<Record<string, unknown>>, context: z.RefinementCtx): void {
  for (const key of ["started_at", "completed_at", "last_heartbeat_at"]) {
    const given = patch[key];
    if (typeof given === "string" && instantOf(given) === undefined)
      context.addIssue({ code: "custom", path: [key], message: NO_ZONE });
  }
}

/** A runner says how its run stands; of `patch` the known keys count, and of those what has the right type. */
export const RunUpdate = z.object({
  task_id: id,
  run_id: id,
  worker_id: id,
  patch: z.record(z.string(), z.unknown()).default({}).superRefine(zoned),
  lease_seconds: lease.optional(),
  require_owner: z.boolean().default(true),
});
export type RunUpdate = z.infer<typeof RunUpdate>;

/** A run on a task as it lies in the table (`T#<id>` / `R`); the claim itself is on the task. Times in ms. */
export type RunRow = {
  task_id: string;
  run_id: string;
  worker_id: string;
  status: string;
  attempt: number;
  branch?: string;
  repo_path?: string;
  head_sha: string;
  checkpoint_sha: string;
  failure_class: string;
  next_action: string;
  /** JSON. */
  metadata: string;
  lease_until: number;
  heartbeat_at: number;
  updated_at: number;
  started_at: number;
  completed_at?: number;
  /** The task's attempts before this claim: by it a run knows its own attempt. */
  att: number;
  /** Raised by every write. */
  rev: number;
};

/** Statuses that a heartbeat does not revive (contract 1.3). `skipped` is none: its lease runs out by itself. */
const FINAL = new Set(["completed", "failed", "cancelled", "needs_decision"]);
/** Statuses that free the claim: the end, and a requeue. */
const FREES = new Set([...FINAL, "pending"]);

export const frees = (status: string): boolean => FREES.has(status);
export const isFinal = (status: string): boolean => FINAL.has(status);

/** The run of a granted claim. What an earlier run reached is kept: whoever takes over goes on from there. Pure. */
export function claimed(claim: Claim, before: RunRow | undefined, att: number, now: number): RunRow {
  const branch = claim.branch ?? before?.branch;
  const repo_path = claim.repo_path ?? before?.repo_path;
  return {
    task_id: claim.task_id,
    run_id: claim.run_id,
    worker_id: claim.worker_id,
    status: "running",
    attempt: claim.attempt,
    ...(branch === undefined ? {} : { branch }),
    ...(repo_path === undefined ? {} : { repo_path }),
    head_sha: before?.head_sha ?? "",
    checkpoint_sha: before?.checkpoint_sha ?? "",
    failure_class: before?.failure_class ?? "",
    next_action: before?.next_action ?? "execute_command",
    metadata: claim.metadata ? metadataText(claim.metadata) : (before?.metadata ?? "{}"),
    lease_until: now + claim.lease_seconds * 1000,
    heartbeat_at: now,
    updated_at: now,
    started_at: before?.run_id === claim.run_id ? before.started_at : now,
    att,
    rev: (before?.rev ?? 0) + 1,
  };
}

const text = (max: number) =>
  z
    .string()
    .transform((value) => value.slice(0, max).toWellFormed())
    .optional()
    .catch(undefined);
const time = Instant.transform((value) => Date.parse(value))
  .optional()
  .catch(undefined);

const Patch = z.object({
  status: text(50),
  attempt: z.coerce.number().int().min(1).max(100_000).optional().catch(undefined),
  branch: text(300),
  repo_path: text(2000),
  head_sha: text(200),
  checkpoint_sha: text(200),
  failure_class: text(200),
  next_action: text(200),
  metadata: z.record(z.string(), z.unknown()).optional().catch(undefined),
  started_at: time,
  completed_at: time,
  last_heartbeat_at: time,
});

/** A run with what its worker says of it; a status that frees the claim ends the lease, and is the run's end when it is final. Pure. */
export function patched(row: RunRow, patch: Record<string, unknown>, leaseMs: number | undefined, now: number): RunRow {
  const { metadata, last_heartbeat_at, ...said } = Patch.parse(patch);
  const given = Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined)) as Partial<RunRow>;
  const next: RunRow = {
    ...row,
    ...given,
    ...(metadata ? { metadata: metadataText(metadata) } : {}),
    heartbeat_at: last_heartbeat_at ?? now,
    updated_at: now,
    rev: row.rev + 1,
  };
  if (frees(next.status)) {
    next.lease_until = Math.min(row.lease_until, now);
    if (isFinal(next.status)) next.completed_at ??= now;
  } else if (leaseMs !== undefined) next.lease_until = now + leaseMs;
  return next;
}

function metadataText(metadata: Record<string, unknown>): string {
  return Json.bounded(metadata, "metadata", MAX_METADATA_BYTES);
}
