import type { Suite } from "../task/index.ts";

/** The exit code of a suite that was over its time, as `timeout` gives it. */
export const OVER_TIME = 124;

/**
 * Whether a suite is at least as good as the base's; without a base, whether it is green. Where both counts are known: no test
 * fails that did not fail before (by name where all names are known, else by number). Else by exit code. A suite that exits red
 * without saying which test failed, when the base did not, is redder whatever it counts; so is one that no longer counts what
 * the base's did, and one that is over its time when the base's was not.
 */
export function notRedder(suite: Suite, base: Suite | null): boolean {
  if (base === null) return isGreen(suite);
  if (isGreen(base)) return isGreen(suite) && (suite.failed !== null || base.failed === null);
  if (suite.exit === OVER_TIME && base.exit !== OVER_TIME) return false;
  if (suite.failed === null && base.failed !== null) return false;
  if (suite.failed === null || base.failed === null) return suite.exit === 0 || base.exit !== 0;
  if (suite.exit !== 0 && suite.failed === 0) return base.failed === 0;
  if (namesKnown(suite) && namesKnown(base)) return suite.failures.every((name) => base.failures.includes(name));
  return suite.failed <= base.failed;
}

/** Exit code 0 and no failed test counted. */
export function isGreen(suite: Suite): boolean {
  return suite.exit === 0 && (suite.failed ?? 0) === 0;
}

function namesKnown(suite: Suite): boolean {
  return suite.failed === suite.failures.length;
}
