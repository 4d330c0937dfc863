import { colour, suiteNotes } from "./colour.ts";
import type { Evidence, Judgement } from "./evidence.ts";

/** Test: a diff since the item began and at least one test that ran; the suite's colour is the verdict. */
export function judgeTest(evidence: Evidence): Judgement {
  if (evidence.filesSinceItem.length === 0)
    return {
      kind: "bad",
      message: "nothing was changed since the item began: there is no test and nothing to test",
      remedy: "The next attempt writes the tests.",
    };
  const shown = colour(evidence);
  switch (shown.kind) {
    case "none":
      return {
        kind: "bad",
        message: `no test ran: ${shown.why}`,
        remedy:
          "The next attempt writes tests that the repository's test command runs. COHERENCE_TEST_COMMAND names the command where no manifest does.",
      };
    case "green":
      return { kind: "passed", notes: suiteNotes(shown.suite) };
    case "red":
      return { kind: "red", suite: shown.suite, notes: suiteNotes(shown.suite) };
  }
}
