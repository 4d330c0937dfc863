import type { Parser } from "./row.ts";

/** Characters of an output that are kept, the last ones. */
const KEPT = 200_000;

/** Reads a program that speaks in plain text: each line is a sign of life, all of it is the answer, its exit code says the rest. */
export function plainParser(): Parser {
  let output = "";
  return {
    line(text) {
      output = `${output}${text}\n`.slice(-KEPT);
      return { kind: "event", log: [text], busy: false };
    },
    end: () => ({ completed: true, failure: null, output: output.trim(), tokens: null }),
  };
}
