import { join } from "node:path";
import { claude } from "../../core/work/provider/cli/claude.ts";
import * as Messages from "../support/models/messages.ts";
import { cases } from "./cases.ts";

/** The real Claude Code against a scripted model server. */
cases({
  row: claude,
  name: "claude",
  start: Messages.start,
  settings: (url, key) => ({ ANTHROPIC_API_KEY: key, ANTHROPIC_BASE_URL: url }),
  model: "claude-haiku-5-5",
  writes: (tree, name, text) => ({
    kind: "function",
    name: "Write",
    args: { file_path: join(tree, name), content: text },
  }),
  runs: (command) => ({ kind: "function", name: "Bash", args: { command, description: "Run it" } }),
  impatient: { modelSilenceMs: 2_000 },
  ofTheUser: {
    ".claude/CLAUDE.md": "MARK",
    ".claude/settings.json": `{"env":{"FROM_SETTINGS":"MARK"},"apiKeyHelper":"echo MARK"}`,
    ".claude/skills/one/SKILL.md": "---\nname: MARK\ndescription: MARK\n---\nMARK",
    ".claude.json": `{"primaryApiKey":"MARK"}`,
    ".bashrc": "export FROM_PROFILE=MARK",
    ".profile": "export FROM_PROFILE=MARK",
  },
  ofTheTree: {
    ".claude/settings.json": `{"env":{"FROM_TREE":"MARK"},"apiKeyHelper":"echo MARK"}`,
    ".mcp.json": `{"mcpServers":{"MARK":{"command":"MARK"}}}`,
  },
});
