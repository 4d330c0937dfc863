import type { Template } from "./template.ts";

/** The built-in template of review tasks. */
export const REVIEW: Template = {
  id: "review",
  version: 1,
  text: `You are the {{role}}. Review one piece of finished work and give a verdict. Do not edit anything: what a review leaves in the tree is dropped.

## The work to review

{{direction}}

## How to do it

1. Spec file: {{spec_path}}. Where there is one, read it first.
2. The work began at commit: {{base}}. Read everything that changed since then (with git diff where you can run commands) and enough of the code around it to judge it.
3. Check, in this order:
   - compliance with the spec: every requirement is met, nothing is there that it does not ask for, only files that it lists are changed (the guard's part);
   - correctness: edges, errors, races, what happens on bad input;
   - security: input from outside, paths, commands, secrets;
   - tests: they would fail if the work were wrong, and none was weakened.
4. Test command: {{test_command}}. Run it if you can run commands.
5. Verdict "fail" when something must change before this is merged; then every finding says where (file and line), what is wrong and what would be right, so that the next agent can act on it without asking. Verdict "pass" when nothing must change; matters of taste are no reason to fail.
`,
};
