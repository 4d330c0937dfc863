/** The contract's names for agents (3.1). `openclaw` was called clawwork once. */
export const EXECUTORS = ["claude", "cursor", "openclaw"] as const;
export type Executor = (typeof EXECUTORS)[number];

/** The executor that a client or a setting names, or undefined for what is none. */
export function executorOf(name: unknown): Executor | undefined {
  if (typeof name !== "string") return undefined;
  const word = name.trim().toLowerCase();
  return word === "clawwork" ? "openclaw" : EXECUTORS.find((one) => one === word);
}
