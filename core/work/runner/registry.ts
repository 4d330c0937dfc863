import * as z from "zod";
import type { Deps } from "../../ground/deps.ts";
import * as Json from "../../ground/json.ts";
import * as Store from "../../ground/store/index.ts";
import { Keys } from "../../ground/store/index.ts";

/** How long a runner that fell silent is remembered after its lease. */
const KEEP_MS = 7 * 86_400_000;
/** The longest lease: who was last seen before that does not live any more. */
const LONGEST_LEASE_SECONDS = 3600;
/** Places in the index that are read at once; rows by key at once, which is as many as there can be. */
const PAGE = 500;
const ROWS = 100;

/** Bytes of what a runner says in its own words. */
export const MAX_METADATA_BYTES = 16 * 1024;

const STATUSES = ["idle", "running", "offline", "degraded"] as const;

const text = (max: number) => z.string().trim().max(max).default("");

/** What a runner says of itself (contract 1.4). What it leaves out is empty: each word replaces the one before. */
export const Heartbeat = z.object({
  runner_id: z.string().trim().min(1).max(200),
  /** Whatever is none of the four counts as idle: runners send `updating` too. */
  status: z.string().min(1).max(50).default("idle"),
  lease_seconds: z.number().int().min(10).max(LONGEST_LEASE_SECONDS).default(90),
  host: text(200),
  pid: z.number().int().min(1).max(2_147_483_647).optional(),
  version: text(200),
  active_task_id: text(200),
  active_run_id: text(200),
  last_error: text(2000),
  capabilities: z.record(z.string(), z.unknown()).optional(),
  metadata: z.record(z.string(), z.unknown()).optional(),
});
export type Heartbeat = z.infer<typeof Heartbeat>;

/** A runner as it lies in the table (`RUNNERS` / `R#<id>`). Times in ms; `exp` in s. */
export type RunnerRow = Omit<Heartbeat, "status" | "metadata" | "capabilities" | "lease_seconds" | "pid"> & {
  status: (typeof STATUSES)[number];
  pid?: number;
  /** JSON; capabilities are inside. */
  metadata: string;
  lease_until: number;
  seen_at: number;
  created_at: number;
};

/** Keeps a runner's last word. Throws `input.too_large` (413) for metadata over 16 KiB. */
export async function heartbeat(deps: Pick<Deps, "store" | "clock">, said: Heartbeat): Promise<RunnerRow> {
  const now = deps.clock.now();
  const key = Keys.runner(said.runner_id);
  const before = (await Store.get(deps.store, key)) as RunnerRow | undefined;
  const { status, lease_seconds, capabilities, metadata, ...rest } = said;
  const word = status.trim().toLowerCase();
  const lease_until = now + lease_seconds * 1000;
  const row: RunnerRow = {
    ...rest,
    status: STATUSES.find((one) => one === word) ?? "idle",
    metadata: Json.bounded(
      { ...metadata, ...(capabilities === undefined ? {} : { capabilities }) },
      "metadata",
      MAX_METADATA_BYTES,
    ),
    lease_until,
    seen_at: now,
    created_at: before?.created_at ?? now,
  };
  const exp = Math.ceil((lease_until + KEEP_MS) / 1000);
  const index = Keys.byLastSeen(now, lease_until, said.runner_id);
  await Store.write(deps.store, { kind: "put", item: { ...key, ...index, ent: "runner", v: 1, exp, ...row } });
  return row;
}

/** The runners whose lease lives, or all that are remembered, the latest seen first; at most `limit`. */
export async function list(
  deps: Pick<Deps, "store" | "clock">,
  { includeStale, limit }: { includeStale: boolean; limit: number },
): Promise<RunnerRow[]> {
  const now = deps.clock.now();
  const rows: RunnerRow[] = [];
  let cursor: string | undefined;
  do {
    const page = await Store.query(deps.store, {
      index: "gsi1",
      pk: Keys.RUNNERS,
      ...(includeStale ? {} : { sk: { from: Keys.seenFrom(now - LONGEST_LEASE_SECONDS * 1000) } }),
      descending: true,
      limit: PAGE,
      ...(cursor === undefined ? {} : { cursor }),
    });
    const shown = page.items.filter((item) => includeStale || Keys.leaseIn(String(item.gsi1sk)) > now);
    while (shown.length > 0 && rows.length < limit) {
      const keys = shown.splice(0, Math.min(ROWS, limit - rows.length));
      // The rows themselves say what is so; one that the index still shows may be gone.
      for (const row of (await Store.getMany(deps.store, keys)) as unknown as (RunnerRow | undefined)[])
        if (row && (includeStale || row.lease_until > now)) rows.push(row);
    }
    cursor = page.cursor;
  } while (cursor !== undefined && rows.length < limit);
  return rows.sort((a, b) => b.seen_at - a.seen_at);
}
