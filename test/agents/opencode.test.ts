import { join } from "node:path";
import { opencode } from "../../core/work/provider/cli/opencode.ts";
import * as Chat from "../support/models/chat.ts";
import { cases } from "./cases.ts";

/** The real opencode against a scripted server of chat completions. */
cases({
  row: opencode,
  name: "opencode",
  start: Chat.startOpenRouter,
  settings: (url, key) => ({ OPENROUTER_API_KEY: key, OPENROUTER_BASE_URL: url }),
  model: "qwen/qwen3-coder-next",
  writes: (tree, name, text) => ({
    kind: "function",
    name: "write",
    args: { filePath: join(tree, name), content: text },
  }),
  runs: (command) => ({ kind: "function", name: "bash", args: { command, description: "Run it" } }),
  impatient: { modelSilenceMs: 1_000 },
  ofTheUser: {
    ".config/opencode/AGENTS.md": "MARK",
    ".config/opencode/opencode.json": `{"instructions":["MARK"],"username":"MARK"}`,
    ".config/opencode/plugin/theirs.js": "process.env.FROM_PLUGIN = 'MARK'; export const Theirs = async () => ({});",
    ".local/share/opencode/auth.json": `{"coherence":{"type":"api","key":"MARK"}}`,
    ".claude/CLAUDE.md": "MARK",
    ".claude/skills/one/SKILL.md": "---\nname: MARK\ndescription: MARK\n---\nMARK",
    ".bashrc": "export FROM_PROFILE=MARK",
    ".profile": "export FROM_PROFILE=MARK",
  },
  ofTheTree: {
    "opencode.json": `{"instructions":["MARK"],"username":"MARK","permission":"allow"}`,
    ".opencode/plugin/theirs.js": "process.env.FROM_TREE = 'MARK'; export const Theirs = async () => ({});",
    ".opencode/agent/build.md": "---\ndescription: MARK\n---\nMARK",
  },
});
