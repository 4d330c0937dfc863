import * as z from "zod";
import type { Failure } from "../../task/index.ts";
import { fromHttp } from "../classify.ts";
import type { Tokens } from "../prices.ts";
import { claudeFailure, ended } from "./claude-errors.ts";
import { parseJson } from "./json.ts";
import type { Parser, Seen } from "./row.ts";

/** What we read of Claude Code's events; all else in them is left alone. */
const Block = z.object({
  type: z.string(),
  id: z.string().optional(),
  tool_use_id: z.string().optional(),
  text: z.string().optional(),
  name: z.string().optional(),
  input: z.record(z.string(), z.unknown()).optional(),
  is_error: z.boolean().optional(),
});
type Block = z.infer<typeof Block>;

const Count = z.number().default(0);

const Event = z.object({
  type: z.string(),
  subtype: z.string().optional(),
  message: z.object({ content: z.array(Block) }).optional(),
  /** On the last message of a turn that failed: a word of its own for why. */
  error: z.string().optional(),
  /** Of `api_retry`. */
  error_status: z.number().nullish(),
  /** Of `result`. */
  is_error: z.boolean().optional(),
  result: z.string().optional(),
  stop_reason: z.string().nullish(),
  terminal_reason: z.string().optional(),
  api_error_status: z.number().nullish(),
  api_error_type: z.string().nullish(),
  total_cost_usd: z.number().optional(),
  usage: z
    .object({
      input_tokens: z.number(),
      cache_read_input_tokens: Count,
      cache_creation_input_tokens: Count,
      output_tokens: z.number(),
    })
    .optional(),
});

/** Reads `claude -p --output-format stream-json`. */
export function claudeParser(now: () => number): Parser {
  /** Calls of tools without their result: while one is open, Claude Code waits for it, not for the model. */
  const open = new Set<string>();
  let completed = false;
  let failure: Failure | null = null;
  let word: string | undefined;
  let output = "";
  let tokens: Tokens | null = null;
  let costUsd: number | null = null;

  return {
    line(text): Seen {
      const event = Event.safeParse(parseJson(text)).data;
      if (!event) return { kind: "noise" };
      const blocks = event.message?.content ?? [];
      switch (event.type) {
        case "assistant":
          word = event.error;
          for (const block of blocks) {
            if (block.type === "tool_use" && block.id !== undefined) open.add(block.id);
            if (block.type === "text" && event.error === undefined) output = block.text ?? "";
          }
          break;
        case "user":
          for (const block of blocks) if (block.tool_use_id !== undefined) open.delete(block.tool_use_id);
          break;
        case "system":
          // It has none left by its environment; should a later version retry all the same, its wait is not ours.
          if (event.subtype === "api_retry") return { kind: "fatal", failure: retried(event.error_status, now()) };
          break;
        case "result":
          open.clear();
          if (ended(event)) {
            completed = true;
            output = event.result ?? output;
          } else failure = claudeFailure({ ...event, word }, now());
          costUsd = event.total_cost_usd ?? null;
          tokens = event.usage ? tokensOf(event.usage) : null;
          break;
      }
      return { kind: "event", log: blocks.flatMap(describe), busy: open.size > 0 };
    },
    end: () => ({ completed: completed && failure === null, failure, output, tokens, costUsd }),
  };
}

/** Anthropic counts what was read from the cache, and written to it, apart. */
function tokensOf(usage: NonNullable<z.infer<typeof Event>["usage"]>): Tokens {
  const cached = usage.cache_read_input_tokens;
  const written = usage.cache_creation_input_tokens;
  return { input: usage.input_tokens + cached + written, cached, written, output: usage.output_tokens };
}

function retried(status: number | null | undefined, now: number): Failure {
  const message = `Claude Code would ask again after ${status ?? "a lost connection"}.`;
  return status ? fromHttp({ status, message }, now) : { class: "network", message };
}

function describe(block: Block): string[] {
  switch (block.type) {
    case "text":
      return (block.text ?? "").split("\n");
    case "tool_use": {
      const about = block.input?.["command"] ?? block.input?.["file_path"] ?? block.input?.["pattern"];
      return [`${block.name ?? "tool"} ${typeof about === "string" ? about.slice(0, 500) : ""}`.trimEnd()];
    }
    case "tool_result":
      return block.is_error ? ["the tool answered with an error"] : [];
    default:
      return [];
  }
}
