import * as z from "zod";
import type { Failure } from "../../task/index.ts";
import { oneLine } from "../classify.ts";
import { parseJson } from "./json.ts";
import type { CliCall, CliCommand, CliRow, Parser, Seen } from "./row.ts";

/**
 * Cursor's agent, by its documentation (https://cursor.com/docs/cli/headless); it is not on npm and asks for an account, so that
 * nobody here has run it. A key pays for it, and Cursor's own server is the only one it asks.
 */
export const cursor: CliRow = {
  family: "cli",
  name: "cursor",
  executor: "cursor",
  models: [{ name: "auto", price: null, context_window: 200_000, tier: 2 }],
  modelSetting: "CURSOR_MODEL",
  capabilities: { edits: true, runs_commands: true, where: "machine", paid: true },
  prefers: [],
  verified: null,
  binary: {
    setting: "CURSOR_BIN",
    fallback: "cursor-agent",
    install: "https://cursor.com/cli",
    tellsVersion: true,
  },
  credentials: ["CURSOR_API_KEY"],
  server: null,
  modelSilenceMs: 0,
  stallMs: 600_000,
  atHome: (home) => ({ HOME: home }),
  command: ({ model, prompt, key }: CliCall): CliCommand => ({
    args: [
      ...["-p", "--output-format", "stream-json"],
      // Not --force: edits in the tree go ahead, and commands that its sandbox holds; what would have to be asked is refused.
      ...["--trust", "--sandbox", "enabled"],
      ...["--model", model],
    ],
    env: { CURSOR_API_KEY: key },
    input: prompt,
  }),
  parser: cursorParser,
};

/** What we read of its events; all else in them is left alone. */
const Event = z.object({
  type: z.string(),
  subtype: z.string().optional(),
  call_id: z.string().optional(),
  message: z.object({ content: z.array(z.object({ text: z.string().optional() })) }).optional(),
  /** Of `result`. */
  is_error: z.boolean().optional(),
  result: z.string().optional(),
});

/** Reads `cursor-agent -p --output-format stream-json`, as documented; it tells neither tokens nor cost. */
export function cursorParser(): Parser {
  /** Calls of tools without their result. */
  const open = new Set<string>();
  let completed = false;
  let failure: Failure | null = null;
  let output = "";
  return {
    line(text): Seen {
      const event = Event.safeParse(parseJson(text)).data;
      if (!event) return { kind: "noise" };
      const said = event.message?.content.map((block) => block.text ?? "").join("") ?? "";
      const log: string[] = [];
      switch (event.type) {
        case "assistant":
          output = said;
          log.push(...said.split("\n"));
          break;
        case "tool_call":
          if (event.subtype === "started" && event.call_id !== undefined) open.add(event.call_id);
          else if (event.call_id !== undefined) open.delete(event.call_id);
          break;
        case "result":
          open.clear();
          completed = event.subtype === "success" && event.is_error !== true;
          if (completed) output = event.result ?? output;
          else failure = { class: "crash", message: oneLine(event.result ?? "It ended with an error.") };
          break;
      }
      return { kind: "event", log, busy: open.size > 0 };
    },
    end: () => ({ completed, failure, output, tokens: null }),
  };
}
