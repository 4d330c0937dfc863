/** How often in a row the same counts as going round in circles. */
const TIMES = 4;
/** The longest circle that is looked for. */
const LONGEST = 3;

/** How many of the last signatures are needed to see every circle. */
export const REMEMBERED = TIMES * LONGEST;

/**
 * The length of the circle that the last calls go round in, or null. A signature stands for one call with its arguments and its
 * result: the same call with another result is progress.
 */
export function circleIn(signatures: readonly string[]): number | null {
  for (let length = 1; length <= LONGEST; length++) {
    const last = signatures.slice(-length * TIMES);
    if (last.length === length * TIMES && last.every((each, i) => each === last[i % length])) return length;
  }
  return null;
}
