import type { Clock } from "../../core/ground/clock.ts";

/** Shows on a terminal's standard error that something is under way, once it takes `after.ms`; elsewhere it is silent. */
export async function waiting<T>(what: string, work: Promise<T>, after?: { clock: Clock; ms: number }): Promise<T> {
  if (!process.stderr.isTTY) return work;
  // It may fail before it is waited for.
  work.catch(() => {});
  let stop = () => {};
  const show = async () => {
    const { default: ora } = await import("ora");
    if (over) return;
    // It must leave standard input alone: `decide ID -` reads it.
    const spinner = ora({ text: what, stream: process.stderr, discardStdin: false }).start();
    stop = () => void spinner.stop();
  };
  let over = false;
  const cancel = after ? after.clock.after(after.ms, () => void show()) : (await show(), () => {});
  try {
    return await work;
  } finally {
    over = true;
    cancel();
    stop();
  }
}
