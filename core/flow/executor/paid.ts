/** Whether a setting or a flag says yes (contract 1.2). */
export function isTruthy(value: unknown): boolean {
  if (typeof value === "boolean") return value;
  if (typeof value === "number") return value === 1;
  return typeof value === "string" && ["1", "true", "yes", "on", "y"].includes(value.trim().toLowerCase());
}

/** The names under which a task's context allows paid providers, the first that is there decides (contract 2.8). */
export const PAID_KEYS = [
  "force_allow_paid_providers",
  "force_paid_provider",
  "force_paid_providers",
  "allow_paid_provider",
  "allow_paid_providers",
] as const;

/** Whether a task's own context allows paid providers. */
export function allowsPaid(context: Readonly<Record<string, unknown>>): boolean {
  const key = PAID_KEYS.find((name) => context[name] !== undefined && context[name] !== null);
  return key !== undefined && isTruthy(context[key]);
}
