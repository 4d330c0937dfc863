/** Shows on a terminal's standard error that something is under way; elsewhere it is silent. */
export async function waiting<T>(what: string, work: Promise<T>): Promise<T> {
  if (!process.stderr.isTTY) return work;
  const { default: ora } = await import("ora");
  // It must leave standard input alone: `decide ID -` reads it.
  const spinner = ora({ text: what, stream: process.stderr, discardStdin: false }).start();
  try {
    return await work;
  } finally {
    spinner.stop();
  }
}
