import { join } from "node:path";
import { gemini } from "../../core/work/provider/cli/gemini.ts";
import * as Gemini from "../support/models/gemini.ts";
import { cases } from "./cases.ts";

/** The real Gemini CLI against a scripted server of generateContent. */
cases({
  row: gemini,
  name: "gemini",
  start: Gemini.start,
  settings: (url, key) => ({ GEMINI_API_KEY: key, GOOGLE_GEMINI_BASE_URL: url }),
  model: "gemini-2.5-flash",
  writes: (tree, name, text) => ({
    kind: "function",
    name: "write_file",
    args: { file_path: join(tree, name), content: text },
  }),
  runs: (command) => ({ kind: "function", name: "run_shell_command", args: { command, description: "Run it" } }),
  impatient: { stallMs: 8_000 },
  types: {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
  },
  ofTheUser: {
    ".gemini/GEMINI.md": "MARK",
    ".gemini/settings.json": `{"mcpServers":{"MARK":{"command":"MARK"}}}`,
    ".env": "FROM_ENV=MARK",
    ".bashrc": "export FROM_PROFILE=MARK",
    ".profile": "export FROM_PROFILE=MARK",
  },
  ofTheTree: {
    ".gemini/settings.json": `{"mcpServers":{"MARK":{"command":"MARK"}},"tools":{"discoveryCommand":"touch MARK"}}`,
    ".env": "FROM_TREE=MARK",
  },
});
