import { iso } from "../../ground/clock.ts";
import type { Deps } from "../../ground/deps.ts";
import * as Store from "../../ground/store/index.ts";
import { Keys } from "../../ground/store/index.ts";
import type { FailureClass } from "../task/index.ts";
import { describe, MAX_NOTES, type FrictionEvent } from "./event.ts";

type Bare = Pick<Deps, "store" | "clock" | "id">;

/** An open episode as it lies in the table (`FRO` / `<provider>#<reason>`). Times in ms, loss in US dollars. */
type EpisodeRow = Store.Key & {
  ent: "friction";
  v: 1;
  id: string;
  provider: string;
  reason: string;
  count: number;
  loss_usd: number;
  first_seen: number;
  last_seen: number;
  last_task: string;
  message: string;
};

/** An open episode: the contract's event, and how often and when it was met. Times in ms. */
export type Episode = FrictionEvent & {
  provider: string;
  reason: string;
  count: number;
  first_seen: number;
  last_seen: number;
  last_task: string;
};

export type Met = {
  provider: string;
  /** A failure class, or one of the contract's words for a guard of ours. */
  reason: FailureClass | (string & {});
  taskId: string;
  /** One line for a person; never a secret. */
  message: string;
  /** What was paid for nothing, when it is known. */
  costUsd?: number | null;
};

/** Notes that a provider failed: opens the one episode of that provider and reason, or counts it up. */
export async function open(deps: Bare, met: Met): Promise<void> {
  const key = Keys.frictionEpisode(met.provider, met.reason);
  const cost = met.costUsd ?? 0;
  for (;;) {
    const now = deps.clock.now();
    const seen = { last_seen: now, last_task: met.taskId, message: met.message.slice(0, MAX_NOTES) };
    const counted = await Store.write(deps.store, {
      kind: "update",
      key,
      set: seen,
      add: { count: 1, loss_usd: cost },
      if: Store.isThere,
    });
    if (counted.ok) return;
    const row: EpisodeRow = {
      ...key,
      ...seen,
      ent: "friction",
      v: 1,
      id: `fric_${deps.id.hex(12)}`,
      provider: met.provider,
      reason: met.reason,
      count: 1,
      loss_usd: cost,
      first_seen: now,
    };
    const opened = await Store.write(deps.store, { kind: "put", item: row, if: Store.isNew });
    if (opened.ok) return;
    // Another opened it between the two: count it up.
  }
}

/**
 * Closes every open episode of a provider that has served again, each with one resolved event. One that was met once more
 * meanwhile stays open. Safe to repeat.
 */
export async function close(deps: Bare, provider: string): Promise<void> {
  const items = await Store.queryAll(deps.store, { pk: Keys.FRICTION_OPEN, sk: { begins: `${provider}#` } });
  for (const row of items as unknown as EpisodeRow[]) {
    await Store.tx(deps.store, (now) => [
      {
        kind: "delete",
        key: { pk: row.pk, sk: row.sk },
        if: { same: Store.eq("id", row.id), unmet: Store.eq("count", row.count) },
      },
      {
        kind: "put",
        item: { ...Keys.frictionEvent(now, deps.id.ulid(now)), ent: "friction_event", v: 1, ...resolved(row, now) },
      },
    ]);
  }
}

/** The open episodes, by provider and reason; few by construction. */
export async function openEpisodes(deps: Pick<Deps, "store">): Promise<Episode[]> {
  const items = await Store.queryAll(deps.store, { pk: Keys.FRICTION_OPEN });
  return (items as unknown as EpisodeRow[]).map((row) => ({
    ...eventOf(row),
    provider: row.provider,
    reason: row.reason,
    count: row.count,
    first_seen: row.first_seen,
    last_seen: row.last_seen,
    last_task: row.last_task,
  }));
}

function eventOf(row: EpisodeRow): FrictionEvent {
  const times = row.count === 1 ? "once" : `${row.count} times`;
  return {
    id: row.id,
    timestamp: iso(row.first_seen),
    stage: "agent_execution",
    ...describe(row.reason),
    owner: "agent_pipeline",
    energy_loss_estimate: row.loss_usd,
    cost_of_delay: 0,
    status: "open",
    endpoint: "tool:agent-task-execution-summary",
    notes: `${row.provider} ${row.reason}, ${times}, last on ${row.last_task}: ${row.message}`.slice(0, MAX_NOTES),
  };
}

function resolved(row: EpisodeRow, now: number): FrictionEvent {
  return {
    ...eventOf(row),
    status: "resolved",
    resolved_at: iso(now),
    time_open_hours: Math.max(0, now - row.first_seen) / 3_600_000,
    resolution_action: "provider_served_again",
  };
}
