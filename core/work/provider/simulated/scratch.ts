/** The files of the scratch repository that a newcomer's first run works on: path to text. */
export function scratchFiles(): Record<string, string> {
  return {
    "package.json": `${JSON.stringify(
      {
        name: "coherence-scratch",
        version: "0.0.0",
        private: true,
        type: "module",
        scripts: { test: "node --test" },
      },
      null,
      2,
    )}\n`,
    "README.md": README,
    ".gitignore": "node_modules/\n",
    "BACKLOG.md": BACKLOG,
    "src/greet.js": GREET,
    "test/greet.test.js": GREET_TEST,
  };
}

const README = `# Scratch repository

Coherence Pipeline made this repository to show itself at work. Its agent is simulated: it plays a scenario, it does not
think. BACKLOG.md is what it was asked to do; \`npm test\` runs the suite.
`;

const BACKLOG = `# Scratch backlog

## Phase 1: Words

1. Say goodbye as well as hello {#goodbye}
2. Count the words of a text {#word-count}
3. Turn a title into a slug for an address {#slug}

## Phase 2: Numbers

4. Round money to whole cents {#round-money}
5. Write a duration in hours and minutes {#duration}
6. Sum a column of a table {#sum-column}
`;

const GREET = `/** A greeting for one person. */
export function greet(name) {
  return \`Hello, \${name}!\`;
}
`;

const GREET_TEST = `import assert from "node:assert/strict";
import { test } from "node:test";
import { greet } from "../src/greet.js";

test("greets by name", () => {
  assert.equal(greet("Ada"), "Hello, Ada!");
});
`;
