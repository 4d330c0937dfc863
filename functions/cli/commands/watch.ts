import { Failure } from "../failure.ts";
import type { Shell } from "../shell.ts";

/** Ms between two drawings. */
const EVERY_MS = 2000;

/**
 * Draws `screen` in place again and again, until the process is interrupted. A host that goes away is waited for: it may be
 * starting again. Where there is no terminal each drawing follows the one before.
 */
export async function watch(shell: Shell, screen: () => Promise<string>): Promise<never> {
  // The first look is not forgiving: an address that is wrong should not be watched for ever.
  let text = await screen();
  for (;;) {
    draw(shell, text);
    await shell.clock.sleep(EVERY_MS);
    try {
      text = await screen();
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      text = `${error.message}; looking again.`;
    }
  }
}

function draw(shell: Shell, text: string): void {
  if (!process.stdout.isTTY) return shell.print(`${text}\n`);
  // To the upper left; each line erases what stood there, the last one all below. What does not fit would scroll the screen.
  const lines = text
    .split("\n")
    .slice(0, (process.stdout.rows || 24) - 1)
    .map((line) => line.slice(0, shell.width()));
  process.stdout.write(`\x1b[H${lines.map((line) => `${line}\x1b[K\n`).join("")}\x1b[J`);
}
