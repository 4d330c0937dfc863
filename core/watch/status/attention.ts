/** The five flags of the contract (4.2): pure rules over a snapshot, in the contract's order. */

export type Finished = {
  task_type: string;
  status: "completed" | "failed";
  output_len: number;
};

export type Snapshot = {
  /** Since when (ms) the oldest due task waits; null when none is due. Parked and waiting tasks are not due. */
  dueSince: number | null;
  /** The last start, end or heartbeat (ms); null when there is none to be seen. */
  lastActivity: number | null;
  /** Tasks that completed or failed, the latest first. */
  finished: readonly Finished[];
  /** How tasks ended within the metrics' window; null when that could not be read. */
  ended: { completed: number; total: number } | null;
};

export type Thresholds = {
  stuckMs: number;
  consecutiveFailures: number;
  minTasks: number;
  /** 0 to 1. */
  successRateMin: number;
};

/** How many of the latest are looked at for an empty output. */
const RECENT = 5;

const RULES = {
  stuck: ({ dueSince, lastActivity }, { stuckMs }, now) =>
    dueSince !== null && now - dueSince > stuckMs && (lastActivity === null || now - lastActivity > stuckMs),
  repeated_failures: ({ finished }, { consecutiveFailures }) =>
    [finished, ...byType(finished)].some((those) => {
      const latest = those.slice(0, consecutiveFailures);
      return latest.length === consecutiveFailures && latest.every(({ status }) => status === "failed");
    }),
  output_empty: ({ finished }) => finished.slice(0, RECENT).some((one) => isEmpty(one, "completed")),
  executor_fail: ({ finished }) => finished.slice(0, RECENT).some((one) => isEmpty(one, "failed")),
  low_success_rate: ({ ended }, { minTasks, successRateMin }) =>
    ended !== null && ended.total >= minTasks && ended.completed / ended.total < successRateMin,
} satisfies Record<string, (snapshot: Snapshot, thresholds: Thresholds, now: number) => boolean>;

export type Flag = keyof typeof RULES;
export const FLAGS = Object.keys(RULES) as readonly Flag[];
export type Attention = Record<Flag, boolean> & { flags: Flag[] };

/** Which flags are up, each by name and all in order. */
export function attention(snapshot: Snapshot, thresholds: Thresholds, now: number): Attention {
  const up = FLAGS.map((flag) => [flag, RULES[flag](snapshot, thresholds, now)] as const);
  return {
    ...(Object.fromEntries(up) as Record<Flag, boolean>),
    flags: up.filter(([, is]) => is).map(([flag]) => flag),
  };
}

function isEmpty(one: Finished, status: Finished["status"]): boolean {
  return one.status === status && one.output_len === 0;
}

function byType(finished: readonly Finished[]): Finished[][] {
  const types = new Set(finished.map((one) => one.task_type));
  return [...types].map((type) => finished.filter((one) => one.task_type === type));
}
