import * as z from "zod";
import type { Failure } from "../../task/index.ts";
import type { Tokens } from "../prices.ts";
import { codexFailure, waitsForNetwork } from "./codex-errors.ts";
import { parseJson } from "./json.ts";
import type { Parser, Seen } from "./row.ts";

/** What we read of codex's JSON events; all else in them is left alone. */
const Item = z.object({
  id: z.string(),
  type: z.string(),
  text: z.string().optional(),
  message: z.string().optional(),
  command: z.string().optional(),
  exit_code: z.number().nullable().optional(),
  changes: z.array(z.object({ path: z.string(), kind: z.string() })).optional(),
});
type Item = z.infer<typeof Item>;

const Event = z.object({
  type: z.string(),
  item: Item.optional(),
  message: z.string().optional(),
  error: z.object({ message: z.string() }).optional(),
  usage: z
    .object({
      input_tokens: z.number(),
      cached_input_tokens: z.number().default(0),
      cache_write_input_tokens: z.number().default(0),
      output_tokens: z.number(),
    })
    .optional(),
});

/** Reads `codex exec --json`. */
export function codexParser(now: () => number): Parser {
  /** Items that began and have not ended: while one is open, codex waits for it, not for the model. */
  const open = new Set<string>();
  let completed = false;
  let failure: Failure | null = null;
  let output = "";
  let tokens: Tokens | null = null;

  return {
    line(text): Seen {
      const event = Event.safeParse(parseJson(text)).data;
      if (!event) return { kind: "noise" };
      const { item } = event;
      switch (event.type) {
        case "item.started":
          if (item) open.add(item.id);
          break;
        case "item.completed":
          if (item) open.delete(item.id);
          if (item?.type === "agent_message") output = item.text ?? "";
          break;
        case "turn.completed":
          completed = true;
          tokens = event.usage
            ? {
                input: event.usage.input_tokens,
                cached: event.usage.cached_input_tokens,
                written: event.usage.cache_write_input_tokens,
                output: event.usage.output_tokens,
              }
            : null;
          break;
        case "turn.failed":
          failure = codexFailure(event.error?.message ?? "turn.failed without a message", now());
          break;
        case "error":
          if (waitsForNetwork(event.message ?? "")) {
            return { kind: "fatal", failure: { class: "network", message: "The model server could not be reached." } };
          }
          break;
      }
      return { kind: "event", log: item ? describe(event.type, item) : [], busy: open.size > 0 };
    },
    end: () => ({ completed: completed && failure === null, failure, output, tokens }),
  };
}

function describe(type: string, item: Item): string[] {
  const done = type === "item.completed";
  switch (item.type) {
    case "agent_message":
      return done ? (item.text ?? "").split("\n") : [];
    case "command_execution":
      if (!done) return type === "item.started" ? [`$ ${(item.command ?? "").slice(0, 500)}`] : [];
      return [`exit ${item.exit_code ?? "unknown"}`];
    case "file_change":
      return done ? (item.changes ?? []).map((change) => `${change.kind} ${change.path}`) : [];
    case "error":
      return done ? [item.message ?? ""] : [];
    default:
      return done ? [item.type] : [];
  }
}
