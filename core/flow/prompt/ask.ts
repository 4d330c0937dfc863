import type { TaskType } from "../../work/task/index.ts";
import { BLOCK_INFO } from "./parse.ts";

const FIELDS: Readonly<Record<TaskType, string>> = {
  spec: "summary and spec_path (the spec's path, relative to the current directory)",
  impl: "summary (what you did, what you left open)",
  test: "summary and tests (the names of the tests you wrote)",
  review: 'verdict ("pass" or "fail", required), summary, and findings (required when the verdict is "fail")',
  heal: "summary (the cause, and what you did about it)",
};

/**
 * The examples are the shape, not an answer: were one echoed back as the last block of an output, it must neither pass a
 * review nor ask a question. So the verdict's place is held by words that no parser accepts.
 */
const EXAMPLE: Readonly<Record<TaskType, Record<string, unknown>>> = {
  spec: { summary: "Specified the export; the format of dates is a decision gate.", spec_path: "specs/012-export.md" },
  impl: { summary: "Added the export and its route as the spec says; nothing left open." },
  test: { summary: "Four tests, one is red: an empty list is exported as null.", tests: ["exports an empty list"] },
  review: {
    verdict: "pass | fail",
    summary: "Meets the spec but for one case.",
    findings: ["src/export.ts:41: an empty list is written as null; the spec asks for []."],
  },
  heal: { summary: "The cache was never cleared after a failed write; it is now, with a test." },
};

/** The section that asks for the result block: its form, the fields that the task type needs, and how to ask a question. */
export function resultSection(type: TaskType): string {
  return `## How to end your answer

End your last message with one fenced block whose info string is ${BLOCK_INFO}, holding one JSON object:

\`\`\`${BLOCK_INFO}
${JSON.stringify(EXAMPLE[type], null, 2)}
\`\`\`

This task needs ${FIELDS[type]}. All fields: verdict, summary (up to 4000 characters), spec_path, findings (a list of strings), tests (a list of strings), question. Leave out what does not apply. Only the last such block is read.

When you cannot go on without a decision that only a person can take, do not guess: leave what you have in the tree and put a question into the block, as \`"question": {"prompt": "…", "options": ["…", "…"], "default": "…", "default_after_s": 3600}\`. The work then waits for the answer. options, default and default_after_s may be left out; default is the answer that is taken by itself after default_after_s seconds when nobody answers. Ask only what cannot be found out from the repository.`;
}
