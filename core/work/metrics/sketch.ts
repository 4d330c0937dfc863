/**
 * Durations as counts in logarithmic bins: a percentile read back from them is within ALPHA of the true one, and two
 * sketches add up to the sketch of both, in any order.
 */

/** The largest relative error of a value read back. */
export const ALPHA = 0.02;
const GAMMA = (1 + ALPHA) / (1 - ALPHA);
/** What took no time at all has no logarithm: a bin of its own, read back as 0. */
const NOTHING = -1;

/** Bin → how many durations fell into it. */
export type Sketch = Map<number, number>;

/** The bin of a duration in whole ms. */
export function binOf(ms: number): number {
  return ms < 1 ? NOTHING : Math.ceil(Math.log(ms) / Math.log(GAMMA));
}

/** The duration in ms that a bin stands for. */
export function msOf(bin: number): number {
  return bin === NOTHING ? 0 : (2 * GAMMA ** bin) / (GAMMA + 1);
}

/** Counts one duration (whole ms) in. */
export function add(sketch: Sketch, ms: number): void {
  const bin = binOf(ms);
  sketch.set(bin, (sketch.get(bin) ?? 0) + 1);
}

/** Adds every count of `from` to `into`. */
export function merge(into: Sketch, from: Sketch): void {
  for (const [bin, count] of from) into.set(bin, (into.get(bin) ?? 0) + count);
}

/** The duration in ms at place floor(n × share) of the sorted ones (the contract's rule), null when there are none. */
export function percentile(sketch: Sketch, share: number): number | null {
  const bins = [...sketch].sort(([a], [b]) => a - b);
  const total = bins.reduce((sum, [, count]) => sum + count, 0);
  const place = Math.min(total - 1, Math.floor(total * share));
  let before = 0;
  for (const [bin, count] of bins) {
    before += count;
    if (before > place) return msOf(bin);
  }
  return null;
}
