import { aider } from "./aider.ts";
import { claude } from "./claude.ts";
import { codex } from "./codex.ts";
import { command } from "./command.ts";
import { cursor } from "./cursor.ts";
import { gemini } from "./gemini.ts";
import { opencode } from "./opencode.ts";
import type { CliRow } from "./row.ts";

/** Every CLI agent that our own tests have run; a new one is a row here. */
export const CLI_ROWS: readonly CliRow[] = [codex, claude, opencode, gemini];

/** Those that nobody has run yet. */
export const UNVERIFIED_CLI_ROWS: readonly CliRow[] = [cursor, aider, command];
