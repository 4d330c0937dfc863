/** Times of requests as counts in bins that grow by a fifth: a percentile read back is within a tenth, in at most 65 numbers. */

const PER_DOUBLING = 4;
/** The last bin takes all that is longer, from about a minute on. */
const LAST = 64;

/** The bin of a time in ms; 0 for less than one. */
export function binOf(ms: number): number {
  return ms < 1 ? 0 : Math.min(LAST, 1 + Math.floor(PER_DOUBLING * Math.log2(ms)));
}

/** The time at place floor(n × share) of the sorted ones, in ms to a tenth; null when there are none. */
export function percentile(bins: ReadonlyMap<number, number>, share: number): number | null {
  const sorted = [...bins].sort(([a], [b]) => a - b);
  const total = sorted.reduce((sum, [, count]) => sum + count, 0);
  const place = Math.min(total - 1, Math.floor(total * share));
  let before = 0;
  for (const [bin, count] of sorted) {
    before += count;
    if (before > place) return bin === 0 ? 0.5 : Math.round(10 * 2 ** ((bin - 0.5) / PER_DOUBLING)) / 10;
  }
  return null;
}
