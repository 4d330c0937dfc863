#!/usr/bin/env node
// A CLI agent that speaks codex's events, does each phase's work in two halves, and has a child in a session of its own that
// would live for a minute. It notes under HOME when it finds another agent alive in its tree.
import { spawn } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

if (process.argv.includes("--version")) {
  console.log("chaos-agent 1.0.0");
  process.exit(0);
}
let prompt = "";
for await (const chunk of process.stdin) prompt += chunk;
const phase = /type (\w+), attempt \d+/.exec(prompt)?.[1];
const item = /phase of item (\S+) of/.exec(prompt)?.[1];
const spec = /Spec file: ([\w./-]+\.md)/.exec(prompt)?.[1];

const alive = (pid) => {
  try {
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
};
const note = join(process.env.HOME, `agent-${basename(process.cwd())}.pid`);
if (existsSync(note) && alive(readFileSync(note, "utf8")))
  appendFileSync(join(process.env.HOME, "overlaps"), `${process.cwd()} ${readFileSync(note, "utf8")} ${process.pid}\n`);
writeFileSync(note, String(process.pid));

const child = spawn(process.execPath, ["-e", "setTimeout(() => {}, 60_000)"], { stdio: "ignore", detached: true });
child.unref();

const write = (path, text) => {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
};
const module = `src/items/${item}.js`;
const [path, text, block] = {
  spec: [spec, `# ${item}\n\nIt says its name.\n`, { summary: "Specified.", spec_path: spec }],
  impl: [module, `export const item = "${item}";\n`, { summary: "Written." }],
  test: [
    `test/${item}.test.js`,
    `import assert from "node:assert/strict";\nimport { test } from "node:test";\nimport { item } from "../${module}";\n\n` +
      `test("says its name", () => assert.equal(item, "${item}"));\n`,
    { summary: "One test.", tests: ["says its name"] },
  ],
  // What a review leaves in the tree is dropped; here it would make the suite red.
  review: [
    "test/scratch.test.js",
    `throw new Error("a reviewer's experiment");\n`,
    { verdict: "pass", summary: "Good." },
  ],
}[phase];
// A half-written file is what a kill leaves.
write(path, phase === "review" ? text : text.slice(0, 8));
await new Promise((resolve) => setTimeout(resolve, 200));
write(path, text);

const say = (event) => console.log(JSON.stringify(event));
const answer = `Done.\n\n\`\`\`coherence-result\n${JSON.stringify(block)}\n\`\`\`\n`;
say({ type: "item.completed", item: { id: "a", type: "agent_message", text: answer } });
say({ type: "turn.completed", usage: { input_tokens: 100, output_tokens: 10 } });
rmSync(note);
