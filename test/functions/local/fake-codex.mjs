#!/usr/bin/env node
// A stand-in for codex: takes the same arguments, speaks the same events and does each phase's work. It leaves its
// environment in HOME; an item whose text says "stand still" makes it wait for ever at the first attempt of its spec.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

if (process.argv.includes("--version")) {
  console.log("codex-cli 0.0.0-fake");
  process.exit(0);
}
let prompt = "";
for await (const chunk of process.stdin) prompt += chunk;
writeFileSync(join(process.env.HOME, `agent-${process.pid}.json`), JSON.stringify(process.env));
const say = (event) => console.log(JSON.stringify(event));
const [, phase, attempt] = /type (\w+), attempt (\d+)/.exec(prompt) ?? [];
const [, item] = /phase of item (\S+) of/.exec(prompt) ?? [];
const [, spec] = /Spec file: (\S+?\.md)/.exec(prompt) ?? [];
say({ type: "turn.started" });
if (prompt.includes("stand still") && phase === "spec" && attempt === "1")
  await new Promise((resolve) => setTimeout(resolve, 600_000));
const put = (path) => (mkdirSync(dirname(path), { recursive: true }), writeFileSync(path, `${phase} of ${item}\n`));
if (phase !== "review") put(phase === "spec" ? spec : `${phase}/${item}.txt`);
const block = { verdict: "pass", summary: "Done.", ...(phase === "spec" ? { spec_path: spec } : {}) };
const text = `\`\`\`coherence-result\n${JSON.stringify(block)}\n\`\`\`\n`;
say({ type: "item.completed", item: { id: "a", type: "agent_message", text } });
say({ type: "turn.completed", usage: { input_tokens: 1000, cached_input_tokens: 0, output_tokens: 100 } });
