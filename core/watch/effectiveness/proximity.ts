/** Issues that a monitor which does not run counts for: what nobody watches is no nearer to the goal (0.7 of it with none open). */
export const BLIND_ISSUES = 2;

/**
 * How near the pipeline is to its goal, 0 to 1 to two places (contract 4.4): success, half of it whatever the pace and half by
 * the way to ten tasks a day, less 0.15 an open issue. Pure.
 */
export function goalProximity(seen: {
  /** 0 to 1. */
  successRate: number;
  tasksPerDay: number;
  openIssues: number;
  /** Whether the monitor runs: only then are no issues none. */
  watched: boolean;
}): number {
  const pace = 0.5 + 0.5 * Math.min(1, seen.tasksPerDay / 10);
  const issues = seen.openIssues + (seen.watched ? 0 : BLIND_ISSUES);
  return Math.round(Math.min(1, seen.successRate * pace * Math.max(0, 1 - 0.15 * issues)) * 100) / 100;
}
