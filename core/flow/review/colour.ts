import type { Evidence } from "./evidence.ts";
import type { Suite } from "../../work/task/index.ts";

/** What a suite showed: `none` when no test can have run, else its colour against the base. */
export type Colour = { kind: "none"; why: string } | { kind: "green"; suite: Suite } | { kind: "red"; suite: Suite };

/** The colour of a suite; counts that are unknown do not make it `none`, since then nobody can know. */
export function colour({ suite, notRedder }: Pick<Evidence, "suite" | "notRedder">): Colour {
  if (suite === null) return { kind: "none", why: "there is no test suite" };
  if (suite.passed !== null && suite.failed !== null && suite.passed + suite.failed === 0)
    // A suite that ends in an error before its first test ran no test either.
    return { kind: "none", why: `the suite ran 0 tests and ended with exit code ${suite.exit}` };
  return notRedder ? { kind: "green", suite } : { kind: "red", suite };
}

/** What a reader should know about how a suite's colour came about. */
export function suiteNotes(suite: Suite | null): string[] {
  if (suite === null) return ["no test suite: nothing was run"];
  return [
    ...(suite.passed === null || suite.failed === null
      ? [`the number of tests is unknown: the exit code ${suite.exit} speaks for the suite`]
      : []),
    ...(suite.source === "item" ? ["the suite's command comes from the item's own tree: the base has none"] : []),
  ];
}

/** A suite in one line: its counts, exit code and the first failing tests. */
export function describe(suite: Suite): string {
  const counts = suite.failed === null ? "" : `${suite.failed} failed, `;
  const names = suite.failures.slice(0, 5).map((name) => name.slice(0, 120));
  const more = suite.failures.length - names.length;
  const which = names.length === 0 ? "" : `: ${names.join("; ")}${more > 0 ? ` and ${more} more` : ""}`;
  return `${counts}exit code ${suite.exit}${which}`;
}
