import { deadline } from "../../ground/clock.ts";
import type { Context } from "./context.ts";

/**
 * Runs `work` under the time limit of suites and set-ups. An abort of `signal` itself rejects with its reason; `overTime` says
 * that the limit, and nothing else, ended the work.
 */
export async function limited<T extends { aborted: boolean }>(
  context: Context,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T & { overTime: boolean }> {
  const limit = deadline(context.clock, context.suiteTimeoutMs, signal);
  try {
    const result = await work(limit.signal);
    if (result.aborted) signal.throwIfAborted();
    return { ...result, overTime: result.aborted };
  } finally {
    limit.clear();
  }
}

/** What is said of a suite or a set-up that was over its time. */
export function notDone(context: Context): string {
  const seconds = context.suiteTimeoutMs / 1000;
  return `not done within ${seconds < 60 ? `${seconds} s` : `${Math.round(seconds / 60)} min`}`;
}
