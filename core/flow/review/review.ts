import { colour, suiteNotes } from "./colour.ts";
import type { Evidence, Judgement } from "./evidence.ts";

const REMEDY = 'The next attempt ends its answer with the result block and its verdict, "pass" or "fail".';

/**
 * Review: a structured verdict and a green suite. Without a verdict the review failed to report, which is neither pass nor
 * fail. A pass without a suite that ran is sent back: only the implementation can give it one.
 */
export function judgeReview(evidence: Evidence): Judgement {
  const { result } = evidence;
  switch (result.kind) {
    case "none":
      return { kind: "bad", message: "the review gave no result block", remedy: REMEDY };
    case "invalid":
      return { kind: "bad", message: `the review's result block cannot be read: ${result.why}`, remedy: REMEDY };
    case "result":
      return judgeVerdict(evidence, result.result);
  }
}

function judgeVerdict(
  evidence: Evidence,
  { verdict, findings, summary }: { verdict?: "pass" | "fail" | undefined; findings: string[]; summary: string },
): Judgement {
  switch (verdict) {
    case undefined:
      return { kind: "bad", message: "the review's result block holds no verdict", remedy: REMEDY };
    case "fail":
      return { kind: "rejected", findings: reasons(findings, summary) };
    case "pass": {
      const shown = colour(evidence);
      switch (shown.kind) {
        case "none":
          return { kind: "rejected", findings: [`The review passed, but no test ran: ${shown.why}.`] };
        case "green":
          return { kind: "passed", notes: suiteNotes(shown.suite) };
        case "red":
          return { kind: "red", suite: shown.suite, notes: suiteNotes(shown.suite) };
      }
    }
  }
}

/** A rejection always tells the next agent something. */
function reasons(findings: string[], summary: string): string[] {
  const said = findings.filter((finding) => finding.trim() !== "");
  if (said.length > 0) return said;
  return [summary.trim() === "" ? "The reviewer rejected the work without naming a finding." : summary];
}
