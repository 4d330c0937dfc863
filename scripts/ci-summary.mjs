import { readFileSync } from "node:fs";

/**
 * Prints `N passed, N failed` from vitest's JSON report: node scripts/ci-summary.mjs REPORT EXIT_CODE. A run that ended badly
 * without a failed test (types, lint, a file that does not load, no report at all) counts as one failure: a line that says
 * 0 failed must mean it.
 */
const [path = "", code = "1"] = process.argv.slice(2);

function read() {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return { numPassedTests: 0, numFailedTests: 0 };
  }
}

const { numPassedTests: passed, numFailedTests: failed } = read();
console.log(`${passed} passed, ${failed === 0 && code !== "0" ? 1 : failed} failed`);
