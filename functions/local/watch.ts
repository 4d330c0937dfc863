import { statSync } from "node:fs";
import type { Clock } from "../../core/ground/clock.ts";

/** Ms between two looks at a file. */
const WATCH_MS = 1000;

/** Calls `changed` when the stamp is another and is the same at two looks: what is still being written would lose its end. */
export function watch(clock: Clock, stamp: () => string, changed: () => void): () => void {
  let known = stamp();
  let before = known;
  return clock.every(WATCH_MS, () => {
    const now = stamp();
    if (now !== known && now === before) {
      known = now;
      changed();
    }
    before = now;
  });
}

/** What changes with a file; also when it comes and goes. */
export function stampOf(file: string | undefined): string {
  if (file === undefined) return "";
  try {
    const { mtimeMs, size, ino } = statSync(file);
    return `${mtimeMs}:${size}:${ino}`;
  } catch {
    return "gone";
  }
}
