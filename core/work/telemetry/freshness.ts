import type { Ping } from "./ping.ts";

/** How often a schedule runs, and how late a run may be. */
export type Schedule = { name: string; everyMinutes: number; graceMinutes: number };

export type Freshness = {
  schedule: string;
  /**
   * `missed`: a whole period went by without a run. `failing`: it runs and fails. `never`: it has not run yet, which right
   * after a start says nothing.
   */
  state: "fresh" | "missed" | "failing" | "never";
  /** Ms since the epoch; null when it never ran. */
  last_at: number | null;
  /** Ms since the last run; null when it never ran. */
  age_ms: number | null;
};

/** How each schedule stands, computed when it is read, so that it shows even when every schedule is dead. */
export function freshness(rows: readonly Schedule[], pings: readonly Ping[], now: number): Freshness[] {
  const last = new Map(pings.map((one) => [one.schedule, one]));
  return rows.map(({ name, everyMinutes, graceMinutes }) => {
    const seen = last.get(name);
    if (!seen) return { schedule: name, state: "never", last_at: null, age_ms: null };
    const age = now - seen.at;
    const late = age > (everyMinutes + graceMinutes) * 60_000;
    return {
      schedule: name,
      state: late ? "missed" : seen.ok ? "fresh" : "failing",
      last_at: seen.at,
      age_ms: age,
    };
  });
}
