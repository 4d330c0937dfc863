/** A time as the API gives it: ms since the epoch, or ISO 8601. */
export type Time = number | string | null | undefined;

/** Ms since the epoch, or undefined when there is none. */
export function ms(time: Time): number | undefined {
  const value = typeof time === "string" ? Date.parse(time) : time;
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

/** Seconds as `—` (unknown), `Ns`, `XmYs` or `XhYm`; fractions are cut off. */
export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "—";
  const whole = Math.max(0, Math.trunc(seconds));
  if (whole < 60) return `${whole}s`;
  if (whole < 3600) return `${Math.trunc(whole / 60)}m${whole % 60}s`;
  return `${Math.trunc(whole / 3600)}h${Math.trunc((whole % 3600) / 60)}m`;
}

/** How long it took from one time to another. */
export function between(from: Time, to: Time): string {
  const [start, end] = [ms(from), ms(to)];
  return start === undefined || end === undefined ? "—" : duration((end - start) / 1000);
}

/** A time as `2026-01-31 09:30:00Z`. */
export function at(time: Time): string {
  const value = ms(time);
  return value === undefined || Math.abs(value) > 8.64e15
    ? "—"
    : new Date(value).toISOString().replace("T", " ").replace(/\.\d+/, "");
}
