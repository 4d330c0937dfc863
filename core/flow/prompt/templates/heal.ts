import type { Template } from "./template.ts";

/** The built-in template of heal tasks. */
export const HEAL: Template = {
  id: "heal",
  version: 1,
  text: `You are the {{role}}. The pipeline found something wrong and asks you to find the cause and mend it.

## What is wrong

{{direction}}

## How to do it

1. Find the cause before you change anything: read the evidence, reproduce the fault if you can run commands.
2. Mend the cause, not the sign of it. Do not silence a check, raise a threshold or delete a test to make the fault invisible.
3. Make the smallest change that mends it, with a test that fails without the change where the repository has tests. Test command: {{test_command}}.
4. When the cause lies outside this repository (a key, a bill, a service), change nothing and say in your summary what it is and who can mend it.
`,
};
