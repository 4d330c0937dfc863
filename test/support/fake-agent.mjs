#!/usr/bin/env node
// A stand-in for a CLI agent that speaks codex's events. The prompt (standard input) is a JSON list of what to do.
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";

if (process.argv.includes("--version")) {
  console.log("fake-agent 1.0.0");
  process.exit(0);
}
let prompt = "";
for await (const chunk of process.stdin) prompt += chunk;
const say = (event) => console.log(JSON.stringify(event));
for (const step of JSON.parse(prompt)) {
  if (step.say) say(step.say);
  if (step.answer) say({ type: "item.completed", item: { id: "a", type: "agent_message", text: step.answer } });
  if (step.long) say({ type: "item.completed", item: { id: "a", type: "agent_message", text: "x".repeat(step.long) } });
  if (step.raw) console.log(step.raw);
  if (step.error) console.error(step.error);
  if (step.completed) say({ type: "turn.completed", usage: { input_tokens: 10, output_tokens: 5 } });
  if (step.env) writeFileSync(step.env, JSON.stringify(process.env));
  // A grandchild that ignores SIGTERM and goes on writing.
  if (step.grandchild) {
    const script = `process.on("SIGTERM",()=>{});require("fs").writeFileSync(${JSON.stringify(step.grandchild)},String(process.pid));console.log("{}");setInterval(()=>{},1000)`;
    spawn(process.execPath, ["-e", script], { stdio: "inherit" });
  }
  if (step.hang) await new Promise((resolve) => setTimeout(resolve, 600_000));
  if (step.exit !== undefined) process.exit(step.exit);
}
