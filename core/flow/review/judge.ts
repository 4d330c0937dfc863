import type { Evidence, Judgement } from "./evidence.ts";
import { judgeImpl } from "./impl.ts";
import { judgeRecorded } from "./recorded.ts";
import { judgeReview } from "./review.ts";
import { judgeSpec } from "./spec.ts";
import { judgeTest } from "./test.ts";

/** Judges a finished task by its evidence, phase by phase. Total: never throws. */
export function judge(evidence: Evidence): Judgement {
  const { result, requireEvidence, phase } = evidence;
  if (result.kind === "result" && result.result.question) return { kind: "question", question: result.result.question };
  if (result.kind === "invalid" && result.asked)
    return {
      kind: "bad",
      message: `the agent asked a question that cannot be read: ${result.why}`,
      remedy: "The next attempt asks again, in the form that its prompt describes.",
    };
  if (!requireEvidence) return judgeRecorded(evidence);
  switch (phase) {
    case "spec":
      return judgeSpec(evidence);
    case "impl":
      return judgeImpl(evidence);
    case "test":
      return judgeTest(evidence);
    case "review":
      return judgeReview(evidence);
    case "heal":
      return judgeRecorded(evidence);
  }
}
