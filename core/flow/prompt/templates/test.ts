import type { Template } from "./template.ts";

/** The built-in template of test tasks. */
export const TEST: Template = {
  id: "test",
  version: 1,
  text: `You are the {{role}}. Write and run the tests of one piece of work.

## The work to test

{{direction}}

## How to do it

1. Spec file: {{spec_path}}. Where there is one, its requirements and acceptance tests say what must hold.
2. The tests define the contract. Write them from the spec, not from the code: normal cases, edges, and each way in which it must fail.
3. Do not alter a test to make the implementation pass, and do not change the implementation. When the implementation is wrong, leave the test that shows it red and name it in your summary: a red suite is a proper result of this task, it sends the work back to the implementation.
4. Use the test tools that the repository uses already, so that its test command runs your tests: {{test_command}}. Run it if you can run commands.
5. Tests are deterministic: no network, no sleeping, no dependence on their order.
`,
};
