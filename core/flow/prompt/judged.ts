import type { TaskType } from "../../work/task/index.ts";

const BY_PHASE: Readonly<Record<TaskType, string>> = {
  spec: "The pipeline looks at what changed since the item began: the spec file must be among it.",
  impl: "The pipeline looks at what changed since this task began and runs the test suite itself: there must be a change, the suite must not be redder than where the item began, and no conflict markers may be left.",
  test: "The pipeline looks at what changed since the item began and runs the test suite itself: there must be a change and at least one test must run. Green sends the work to the review, red back to the implementation.",
  review:
    "Your verdict counts only as the field verdict of the result block; words in your answer are not read. Without it the review failed to report. The pipeline runs the test suite itself: a pass with a red suite is not merged.",
  heal: "The pipeline records what changed and runs the test suite itself; whether the fault is gone is measured afterwards.",
};

/** How a task's result is judged, in the words of the evidence that the pipeline itself takes. */
export function judgedSection(type: TaskType, ofItem: boolean): string {
  const rule =
    ofItem || type === "heal" || type === "review"
      ? BY_PHASE[type]
      : "The pipeline records what changed and runs the test suite itself, for whoever asked for this task.";
  const facts =
    type === "review" ? "" : " What you say about your work decides nothing; what is in the tree when you finish does.";
  return `## How your work is judged\n\n${rule}${facts}`;
}
