import * as z from "zod";
import type { Failure } from "../../task/index.ts";
import type { Tokens } from "../prices.ts";
import { geminiFailure } from "./gemini-errors.ts";
import { parseJson } from "./json.ts";
import type { Parser, Seen } from "./row.ts";

/** What we read of gemini's events; all else in them is left alone. */
const Event = z.object({
  type: z.string(),
  role: z.string().optional(),
  content: z.string().optional(),
  tool_name: z.string().optional(),
  tool_id: z.string().optional(),
  parameters: z.record(z.string(), z.unknown()).optional(),
  status: z.string().optional(),
  /** Of `error`. */
  message: z.string().optional(),
  /** Of `result` and of `tool_result`. */
  error: z.object({ message: z.string().optional() }).optional(),
  stats: z.object({ input_tokens: z.number(), output_tokens: z.number(), cached: z.number() }).optional(),
});
type Event = z.infer<typeof Event>;

/** Reads `gemini --output-format stream-json`. */
export function geminiParser(now: () => number): Parser {
  /** Tools that began and have not ended: while one runs, gemini waits for it, not for the model. */
  const open = new Set<string>();
  /** Of a stop in the middle, which its end may call a success. */
  let stop: string | null = null;
  let result: Event | null = null;
  /** Text since the last tool, as it came: in pieces. */
  let output = "";

  return {
    line(text): Seen {
      const event = Event.safeParse(parseJson(text)).data;
      if (!event) return { kind: "noise" };
      switch (event.type) {
        case "message":
          if (event.role === "assistant") output += event.content ?? "";
          break;
        case "tool_use":
          open.add(event.tool_id ?? "");
          output = "";
          break;
        case "tool_result":
          open.delete(event.tool_id ?? "");
          break;
        case "error":
          stop ??= event.message ?? "an error without a reason";
          break;
        case "result":
          result = event;
          break;
      }
      return { kind: "event", log: describe(event), busy: open.size > 0 };
    },
    end(exit) {
      const answer = { output: output.trim(), tokens: tokensOf(result?.stats) };
      const failure = failed(stop, result, answer.output, (why) => geminiFailure(why, exit.code, now()));
      return { completed: result !== null && failure === null, failure, ...answer };
    },
  };
}

function failed(
  stop: string | null,
  result: Event | null,
  output: string,
  failure: (why: string) => Failure,
): Failure | null {
  if (stop !== null) return failure(stop);
  if (result === null) return null;
  if (result.status !== "success") return failure(result.error?.message ?? "a result without a reason");
  // It also calls a window that is full a success.
  return output === "" ? { class: "bad_result", message: "It ended without an answer." } : null;
}

/** All zeros: nothing was counted, which is not to say that nothing was used. */
function tokensOf(stats: Event["stats"]): Tokens | null {
  if (!stats || stats.input_tokens + stats.output_tokens === 0) return null;
  return { input: stats.input_tokens, cached: stats.cached, written: 0, output: stats.output_tokens };
}

function describe(event: Event): string[] {
  if (event.type === "message" && event.role === "assistant") return (event.content ?? "").split("\n");
  if (event.type === "tool_result" && event.status === "error")
    return [`the tool answered with an error: ${(event.error?.message ?? "").slice(0, 500)}`];
  if (event.type !== "tool_use") return [];
  const about = ["command", "file_path", "pattern", "dir_path"]
    .map((name) => event.parameters?.[name])
    .find((value) => typeof value === "string");
  return [`${event.tool_name ?? "tool"} ${(about ?? "").slice(0, 500)}`.trimEnd()];
}
