import { stripVTControlCharacters } from "node:util";

/** What a reporter said: null where it does not say. */
export type Report = { passed: number | null; failed: number | null; failures: string[] };

const MOST_NAMES = 50;

/** One reporter: null when the text is not its own. */
type Reporter = (text: string) => Report | null;

/**
 * Reads what the known reporters printed: node:test (spec and TAP), vitest, jest, mocha, pytest, go test, cargo test, and a plain
 * "N passed, N failed". Several summaries (workspaces, crates) are added up. Null counts when none is known.
 */
export function readReport(output: string): Report {
  const text = stripVTControlCharacters(output).replaceAll("\r\n", "\n");
  const reports = [nodeTest, vitest, jest, mocha, pytest, goTest, cargo].flatMap((reporter) => reporter(text) ?? []);
  if (reports.length === 0) return plain(text) ?? { passed: null, failed: null, failures: [] };
  const sum = (counts: (number | null)[]) => counts.reduce((a, b) => (a === null || b === null ? null : a + b), 0);
  return {
    passed: sum(reports.map((each) => each.passed)),
    failed: sum(reports.map((each) => each.failed)),
    failures: [...new Set(reports.flatMap((each) => each.failures))].slice(0, MOST_NAMES),
  };
}

const nodeTest: Reporter = (text) => {
  if (!/^[#ℹ] pass\s+\d+$/m.test(text) || !/^[#ℹ] fail\s+\d+$/m.test(text)) return null;
  const failing = text
    .split(/^✖ failing tests:$/m)
    .slice(1)
    .join("\n");
  return {
    passed: total(text, /^[#ℹ] pass\s+(\d+)$/gm),
    failed: total(text, /^[#ℹ] (?:fail|cancelled)\s+(\d+)$/gm),
    failures: [
      ...names(failing, /^✖ (.+?) \([\d.]+ms\)$/gm),
      ...names(text, /^\s*not ok \d+ - (?!.* # (?:TODO|SKIP))(.+)$/gm),
    ],
  };
};

const vitest: Reporter = (text) => {
  if (!/^\s*Test Files\s+(?:\d+ \w+|no test)/m.test(text)) return null;
  const files = total(text, /^\s*Test Files\s.*?(\d+) failed/gm);
  return {
    passed: total(text, /^\s*Tests\s{2,}.*?(\d+) passed/gm),
    // A file that does not load fails without a test.
    failed: Math.max(files, total(text, /^\s*Tests\s{2,}.*?(\d+) failed/gm)),
    failures: names(text, /^\s*FAIL\s{1,2}(\S.*)$/gm),
  };
};

const jest: Reporter = (text) => {
  if (!/^Test Suites:\s/m.test(text)) return null;
  const suites = total(text, /^Test Suites:\s.*?(\d+) failed/gm);
  return {
    passed: total(text, /^Tests:\s.*?(\d+) passed/gm),
    failed: Math.max(suites, total(text, /^Tests:\s.*?(\d+) failed/gm)),
    failures: names(text, /^\s*● (.+ › .+)$/gm),
  };
};

const mocha: Reporter = (text) => {
  if (!/^\s+\d+ passing \([\w.]+\)$/m.test(text)) return null;
  const failing = text.split(/^\s+\d+ failing$/m)[1] ?? "";
  return {
    passed: total(text, /^\s+(\d+) passing \([\w.]+\)$/gm),
    failed: total(text, /^\s+(\d+) failing$/gm),
    failures: [...failing.matchAll(/^ {2}\d+\) (.+(?:\n {7,}\S.*)*?):$/gm)].map(([, title]) =>
      (title ?? "").replace(/\s*\n\s+/g, " "),
    ),
  };
};

const pytest: Reporter = (text) => {
  const counts = "\\d+ (?:passed|failed|errors?|skipped|xfailed|xpassed|warnings?|deselected)";
  const ends = [...text.matchAll(new RegExp(`^(?:=+ )?((?:${counts}(?:, )?)+|no tests ran) in [\\d.]+s`, "gm"))];
  if (ends.length === 0) return null;
  const summary = ends.map(([, what]) => what).join("\n");
  return {
    passed: total(summary, /(\d+) passed/g),
    failed: total(summary, /(\d+) (?:failed|errors?\b)/g),
    failures: names(text, /^(?:FAILED|ERROR) (\S.*?)(?: - .*)?$/gm),
  };
};

/** Without -v go says nothing of tests that pass, so their number is unknown unless no package has any. */
const goTest: Reporter = (text) => {
  const packages = [...text.matchAll(/^(?:ok {2}|FAIL|\? {3})\t(\S+.*)$/gm)].map(([line]) => line);
  if (packages.length === 0) return null;
  const failures = names(text, /^--- FAIL: (\S+) \([\d.]+s\)$/gm);
  const verbose = /^=== RUN /m.test(text);
  const empty = packages.every((line) => /\[no test(?: file)?s(?: to run)?\]$/.test(line));
  return {
    passed: verbose ? names(text, /^--- PASS: (\S+) /gm).length : empty ? 0 : null,
    // A package that does not build fails without a test.
    failed: Math.max(failures.length, packages.filter((line) => line.startsWith("FAIL")).length),
    failures,
  };
};

const cargo: Reporter = (text) => {
  if (!/^test result: /m.test(text)) return null;
  return {
    passed: total(text, /^test result: .*?(\d+) passed;/gm),
    failed: total(text, /^test result: .*? (\d+) failed;/gm),
    failures: names(text, /^test (.+) \.\.\. FAILED$/gm),
  };
};

const plain: Reporter = (text) => {
  const passedFirst = [...text.matchAll(/^\W*(\d+) passed,? (?:and )?(\d+) failed\b/gm)].at(-1);
  const failedFirst = [...text.matchAll(/^\W*(\d+) failed,? (?:and )?(\d+) passed\b/gm)].at(-1);
  if (passedFirst) return { passed: Number(passedFirst[1]), failed: Number(passedFirst[2]), failures: [] };
  if (failedFirst) return { passed: Number(failedFirst[2]), failed: Number(failedFirst[1]), failures: [] };
  return null;
};

function total(text: string, pattern: RegExp): number {
  return [...text.matchAll(pattern)].reduce((sum, [, count]) => sum + Number(count), 0);
}

function names(text: string, pattern: RegExp): string[] {
  return [...new Set([...text.matchAll(pattern)].map(([, name]) => (name ?? "").trim().slice(0, 500)))];
}
