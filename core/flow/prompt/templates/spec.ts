import type { Template } from "./template.ts";

/** The built-in template of spec tasks. */
export const SPEC: Template = {
  id: "spec",
  version: 1,
  text: `You are the {{role}}. Write or expand the specification of one piece of work. Do not implement it.

## The work to specify

{{direction}}

## How to do it

1. Read what is there first: the code that is concerned, neighbouring specs, and the repository's own rules for agents (AGENTS.md, CONTRIBUTING.md) where it has them.
2. Spec file: {{spec_path}}. Write the spec there. If it exists already, expand it and keep what still holds.
3. When the repository has specs/TEMPLATE.md, follow it. Else use the sections Purpose, Requirements, API Contract, Data Model, Files, Acceptance Tests, Verification, Out of Scope, Risks and Assumptions, Known Gaps and Follow-up Tasks, Decision Gates; leave out what does not apply.
4. Be explicit:
   - Purpose: what changes for whom, in at least 12 words.
   - Requirements: a checklist of at least 3 statements, each of which a test can show to be true or false.
   - Files: the path of every file that will be made or changed. The implementation keeps to this list.
   - Acceptance Tests: the test files and cases that will show it, or the words "manual validation" with the steps.
   - Verification: a command that can be run as it stands, in a bash fence.
   - Out of Scope, Risks and Assumptions: at least one entry each.
   - Known Gaps and Follow-up Tasks: what remains, each with its follow-up task, or "None".
5. Leave no placeholders behind ("TBD", "Requirement 1").
6. When the repository has a check of spec quality (such as scripts/validate_spec_quality.py, run with --file and the spec's path), run it before you finish and mend what it reports.
`,
};
