import { day, minute, month, ts } from "../clock.ts";
import type { Key } from "./write.ts";

/** Every key of the table is built here and nowhere else. Times are ms since the epoch. */

const nnn = (n: number) => String(n).padStart(3, "0");
/** A turn that flushes every second for a week has fewer chunks. */
const chunkNumber = (n: number) => String(n).padStart(6, "0");

/** Statuses that a task ends in; their lists are by month, so that no partition grows for ever. */
const ENDED = new Set(["completed", "failed", "cancelled"]);

// ── tasks ────────────────────────────────────────────────────────────────────────────────────────────────────────────
export const task = (id: string): Key => ({ pk: `T#${id}`, sk: "M" });
export type TaskPart = "context" | "output" | "error" | "result";
export const taskPart = (id: string, part: TaskPart): Key => ({ pk: `T#${id}`, sk: `M#${part}` });
/** What an outside runner says of its run on a task (contract 1.3). */
export const runState = (id: string): Key => ({ pk: `T#${id}`, sk: "R" });
export const taskPartition = (id: string) => `T#${id}`;

export const statusPartition = (status: string, createdAt: number) =>
  ENDED.has(status) ? `ST#${status}#${month(createdAt)}` : `ST#${status}`;
/** gsi1: lists by status, in order of creation. */
export const byStatus = (status: string, createdAt: number, id: string) => ({
  gsi1pk: statusPartition(status, createdAt),
  gsi1sk: `${ts(createdAt)}#${id}`,
});
export const typePartition = (type: string, createdAt: number) => `TYPE#${type}#${month(createdAt)}`;
/** gsi2: lists by type, in order of creation. */
export const byType = (type: string, createdAt: number, id: string) => ({
  gsi2pk: typePartition(type, createdAt),
  gsi2sk: `${ts(createdAt)}#${id}`,
});
export const queuePartition = (queue: string) => `Q#${queue}`;
/** gsi3 of a task that may be claimed now: higher priority (0 to 99) first, then older first. */
export const due = (queue: string, priority: number, since: number, id: string) => ({
  gsi3pk: queuePartition(queue),
  gsi3sk: `${String(99 - priority).padStart(2, "0")}#${ts(since)}#${id}`,
});
/** gsi3 of a task whose type is paused: it keeps its place in the order, in a partition of its own. */
export const asidePartition = (queue: string, type: string) => `HELD#${queue}#${type}`;
export const DELAYED = "DLY";
/** gsi3 of a task that waits for a time: parked, or asking with a default. */
export const delayed = (until: number, id: string) => ({ gsi3pk: DELAYED, gsi3sk: `${ts(until)}#${id}` });
/** Upper bound of a `DELAYED` range: everything due at or before `now`. */
export const dueBy = (now: number) => `${ts(now)}#~`;

// ── attempts ─────────────────────────────────────────────────────────────────────────────────────────────────────────
export const attempt = (taskId: string, n: number): Key => ({ pk: `T#${taskId}`, sk: `A#${nnn(n)}` });
export const attemptPart = (taskId: string, n: number, turn: number, name: string): Key => ({
  pk: `T#${taskId}`,
  sk: `A#${nnn(n)}#${nnn(turn)}#${name}`,
});
export const logChunk = (taskId: string, n: number, turn: number, chunk: number): Key => ({
  pk: `T#${taskId}`,
  sk: `L#${nnn(n)}#${nnn(turn)}#${chunkNumber(chunk)}`,
});
export const logPrefix = (n?: number) => (n === undefined ? "L#" : `L#${nnn(n)}#`);
export const OPEN_ATTEMPTS = "RUN";
/** gsi1 of an open attempt, by the end of its lease. */
export const byLease = (until: number, taskId: string) => ({ gsi1pk: OPEN_ATTEMPTS, gsi1sk: `${ts(until)}#${taskId}` });
export const leaseEndedBy = (now: number) => `${ts(now)}#~`;
export const endedPartition = (at: number) => `END#${month(at)}`;
/** Marks that a task ended, or began to ask, without an attempt: nobody had worked on it. */
export const endWithoutAttempt = (taskId: string): Key => ({ pk: `T#${taskId}`, sk: "E" });
/** gsi1 of what ended its task: "recently ended". */
export const byEnd = (at: number, taskId: string) => ({ gsi1pk: endedPartition(at), gsi1sk: `${ts(at)}#${taskId}` });

// ── locks, counters, metrics ─────────────────────────────────────────────────────────────────────────────────────────
export const lock = (name: string): Key => ({ pk: `LOCK#${name}`, sk: "M" });
export const SHARDS = 8;
export const ENDED_COUNTERS = "CNT";
export const endedCounter = (status: string, type: string, shard: number): Key => ({
  pk: ENDED_COUNTERS,
  sk: `${status}#${type}#${shard}`,
});
export const metricPartition = (at: number) => `MET#${day(at)}`;
export const metric = (at: number, taskId: string, n: number, suffix = ""): Key => ({
  pk: metricPartition(at),
  sk: `${ts(at)}#${taskId}#${nnn(n)}${suffix}`,
});
export const ROLLUPS = "METR";
export const rollup = (at: number): Key => ({ pk: ROLLUPS, sk: day(at) });
/** A day's roll-up while it is made again, beside the one that readers use. */
export const rollupAgain = (at: number): Key => ({ pk: ROLLUPS, sk: `${day(at)}#again` });

// ── requests ─────────────────────────────────────────────────────────────────────────────────────────────────────────
export type Span = "minute" | "hour" | "day";
const STAMP = { minute: 12, hour: 10, day: 8 } as const;
/** The minutes of an hour lie together, the hours of a day, and all days: a window is one range of each. */
export const requestPartition = (span: Span, at: number) => {
  if (span === "day") return "REQ";
  return `REQ#${minute(at).slice(0, span === "minute" ? STAMP.hour : STAMP.day)}`;
};
/** Where the items of a span begin. */
export const requestsFrom = (span: Span, at: number) => minute(at).slice(0, STAMP[span]);
export const requests = (span: Span, at: number, method: string, route: string): Key => ({
  pk: requestPartition(span, at),
  sk: `${requestsFrom(span, at)}#${method}#${route}`,
});

// ── backlogs ─────────────────────────────────────────────────────────────────────────────────────────────────────────
export const BACKLOGS = "BLS";
export const backlog = (id: string): Key => ({ pk: `BL#${id}`, sk: "META" });
export const backlogEntry = (id: string): Key => ({ pk: BACKLOGS, sk: id });
export const item = (backlogId: string, itemId: string): Key => ({ pk: `BL#${backlogId}`, sk: `I#${itemId}` });
export const itemsPrefix = "I#";
export const itemStatePartition = (backlogId: string, state: string) => `BL#${backlogId}#${state}`;
/** gsi1: items of one state, by rank. The phase's number stands behind, so that progress is counted without reading texts. */
export const byItemState = (
  backlogId: string,
  state: string,
  rank: number,
  itemId: string,
  phaseNumber: number | null = null,
) => ({
  gsi1pk: itemStatePartition(backlogId, state),
  gsi1sk: `${String(rank).padStart(6, "0")}#${itemId}#${phaseNumber ?? ""}`,
});
/** What a place in `byItemState` says; the phase's number is null where the item stands under no numbered header. */
export const itemPlace = (gsi1sk: string) => {
  const [rank, id = "", phase = ""] = gsi1sk.split("#");
  return { rank: Number(rank), id, phaseNumber: phase === "" ? null : Number(phase) };
};

// ── providers, workers, the rest ─────────────────────────────────────────────────────────────────────────────────────
export const PROVIDERS = "PROV";
export const provider = (name: string): Key => ({ pk: PROVIDERS, sk: `P#${name}` });
/** A cooldown of all that one key pays for; where there is none, of the provider. */
export const accountCooldown = (provider: string, account: string): Key => ({
  pk: PROVIDERS,
  sk: account === "none" ? `C#${provider}` : `C#key#${account}`,
});
/** A cooldown of one model under a key. */
export const modelCooldown = (provider: string, account: string, model: string): Key => ({
  pk: PROVIDERS,
  sk: `C#${provider}#${account}#${model}`,
});
/** A provider that an operator paused. */
export const providerPause = (name: string): Key => ({ pk: PROVIDERS, sk: `H#${name}` });
export const PAUSES_PREFIX = "H#";
export const COOLDOWNS_PREFIX = "C#";
export const READINESS_PREFIX = "P#";
/** Paid runs that began in an hour, which begins at `hour` (ms). */
export const PAID_HOURS = "PAID";
export const paidHour = (hour: number): Key => ({ pk: PAID_HOURS, sk: `H#${ts(hour)}` });
export const WORKERS = "WORKERS";
export const worker = (id: string): Key => ({ pk: WORKERS, sk: `W#${id}` });
export const RUNNERS = "RUNNERS";
export const runner = (id: string): Key => ({ pk: RUNNERS, sk: `R#${id}` });
/** gsi1: runners by when they were last seen. The end of the lease stands in it, so that those that live are found without a row. */
export const byLastSeen = (seenAt: number, leaseUntil: number, id: string) => ({
  gsi1pk: RUNNERS,
  gsi1sk: `${ts(seenAt)}#${ts(leaseUntil)}#${id}`,
});
export const seenFrom = (at: number) => ts(at);
/** What a place in `byLastSeen` says of the lease, in ms. */
export const leaseIn = (gsi1sk: string) => Number(gsi1sk.split("#")[1]);
export const FRICTION_OPEN = "FRO";
export const frictionEpisode = (provider: string, reason: string): Key => ({
  pk: FRICTION_OPEN,
  sk: `${provider}#${reason}`,
});
export const frictionEvent = (at: number, ulid: string): Key => ({ pk: `FR#${day(at)}`, sk: `${ts(at)}#${ulid}` });
export const PINGS = "PING";
/** Tasks that ask for the same: whoever posts it again is known by it. */
export const fingerprintPartition = (fingerprint: string) => `FP#${fingerprint}`;
export const fingerprint = (print: string, taskId: string): Key => ({ pk: `FP#${print}`, sk: taskId });
export const ping = (schedule: string): Key => ({ pk: PINGS, sk: schedule });
/** The unfinished task of a client's session. */
export const session = (key: string): Key => ({ pk: `SESS#${key}`, sk: "M" });
export const idempotency = (key: string): Key => ({ pk: `IDEM#${key}`, sk: "M" });
export const config = (name: string): Key => ({ pk: "CFG", sk: name });
export const execution = (name: string): Key => ({ pk: `EXEC#${name}`, sk: "M" });

// ── monitor ──────────────────────────────────────────────────────────────────────────────────────────────────────────
export const issue = (fingerprint: string): Key => ({ pk: `ISS#${fingerprint}`, sk: "M" });
export const issuePartition = (state: string) => `ISS#${state}`;
/** gsi1: issues of one state, the most pressing first (priority 1 to 3), then by when they were last seen. */
export const byIssueState = (state: string, priority: number, lastSeen: number, fingerprint: string) => ({
  gsi1pk: issuePartition(state),
  gsi1sk: `${priority}#${minute(lastSeen)}#${fingerprint}`,
});
/** A condition that is gone: a line of its issue's history. */
export const resolution = (fingerprint: string, at: number): Key => ({ pk: `ISS#${fingerprint}`, sk: `H#${ts(at)}` });
export const resolutionPartition = (at: number) => `RES#${month(at)}`;
/** gsi1: what was resolved in a month, by time, and whether a heal task did it. */
export const byResolution = (at: number, fingerprint: string, healed: boolean) => ({
  gsi1pk: resolutionPartition(at),
  gsi1sk: `${ts(at)}#${healed ? "heal" : "self"}#${fingerprint}`,
});
export const resolvedFrom = (at: number) => ts(at);
export const wasHealed = (gsi1sk: string) => gsi1sk.split("#")[1] === "heal";
/** What the monitor leaves as a whole: its last check, its report, what is fatal. */
export const monitor = (name: "check" | "report" | "fatal"): Key => ({ pk: "MON", sk: name });
