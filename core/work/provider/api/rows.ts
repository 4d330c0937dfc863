import { anthropic } from "./anthropic.ts";
import { bedrock } from "./bedrock.ts";
import { ollama } from "./ollama.ts";
import { openai } from "./openai.ts";
import { openrouter, openrouterFree } from "./openrouter.ts";
import type { ApiRow } from "./row.ts";

/** Every model server there is; a new one is a row here. */
export const API_ROWS: readonly ApiRow[] = [anthropic, openai, openrouterFree, openrouter, ollama, bedrock];
