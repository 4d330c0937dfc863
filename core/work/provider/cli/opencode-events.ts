import * as z from "zod";
import type { Failure, FailureClass } from "../../task/index.ts";
import { failureOf } from "../api/failure.ts";
import { oneLine } from "../classify.ts";
import type { Tokens } from "../prices.ts";
import { parseJson } from "./json.ts";
import type { Parser, Seen } from "./row.ts";

/** What we read of opencode's events and of our plugin's (`coherence.…`); all else in them is left alone. */
const Part = z.object({
  text: z.string().optional(),
  tool: z.string().optional(),
  callID: z.string().optional(),
  state: z.object({ status: z.string(), input: z.record(z.string(), z.unknown()).optional() }).optional(),
  /** Of `step_finish`: why the model's answer ended, and what it took. */
  reason: z.string().optional(),
  tokens: z
    .object({
      /** Absent: the model server did not say. */
      total: z.number().optional(),
      input: z.number(),
      output: z.number(),
      reasoning: z.number(),
      cache: z.object({ read: z.number(), write: z.number() }),
    })
    .optional(),
});
type Part = z.infer<typeof Part>;

const Answer = z.looseObject({ message: z.string().optional() });

const Event = z.object({
  type: z.string(),
  part: Part.optional(),
  callID: z.string().optional(),
  error: z.union([z.object({ name: z.string(), data: Answer.optional() }), Answer]).optional(),
  code: z.string().optional(),
  silent: z.boolean().optional(),
});

/** Reads `opencode run --format json` with our plugin. */
export function opencodeParser(now: () => number): Parser {
  /** Tools that began and have not ended: while one runs, opencode waits for it, not for the model. */
  const open = new Set<string>();
  let completed = false;
  let failure: Failure | null = null;
  let output = "";
  let tokens: Tokens | null = null;

  return {
    line(text): Seen {
      const event = Event.safeParse(parseJson(text)).data;
      if (!event) return { kind: "noise" };
      const { part } = event;
      switch (event.type) {
        case "coherence.tool":
          if (event.callID !== undefined) open.add(event.callID);
          break;
        case "coherence.refused":
          return { kind: "fatal", failure: failureOf(event.error, false, now()) };
        case "coherence.lost":
          return { kind: "fatal", failure: lost(event.code ?? "", event.silent === true) };
        case "coherence.retry":
          return { kind: "fatal", failure: { class: "stalled", message: "The model's answer broke off." } };
        case "tool_use":
          open.delete(part?.callID ?? "");
          break;
        case "text":
          output = part?.text ?? "";
          break;
        case "step_finish": {
          tokens = sum(tokens, part?.tokens);
          completed = part?.reason === "stop";
          // It asks again for ever after a reason that nobody knows (measured).
          const end = completed || part?.reason === "tool-calls" ? null : ended(part?.reason ?? "unknown");
          if (end) return { kind: "fatal", failure: end };
          break;
        }
        case "error":
          failure ??= failed(event.error, now());
          break;
      }
      return { kind: "event", log: part ? describe(event.type, part) : [], busy: open.size > 0 };
    },
    end: () => ({ completed: completed && failure === null, failure, output, tokens }),
  };
}

/** Bun's words for what could not be reached; what broke, before or within an answer, it calls ECONNRESET alike. */
const UNREACHED: readonly string[] = ["ConnectionRefused", "FailedToOpenSocket", "ECONNREFUSED", "ENOTFOUND"];

function lost(code: string, silent: boolean): Failure {
  if (silent) return { class: "stalled", message: "The model server did not answer in time." };
  return UNREACHED.includes(code)
    ? { class: "network", message: "The model server could not be reached." }
    : { class: "stalled", message: oneLine(`The connection to the model server broke: ${code}.`) };
}

const BY_REASON: Readonly<Record<string, FailureClass>> = { length: "bad_result", "content-filter": "content_filter" };

function ended(reason: string): Failure {
  return { class: BY_REASON[reason] ?? "stalled", message: oneLine(`The model's answer ended with: ${reason}.`) };
}

const BY_NAME: Readonly<Record<string, FailureClass>> = {
  ContextOverflowError: "context_length",
  MessageOutputLengthError: "bad_result",
  ContentFilterError: "content_filter",
  ProviderAuthError: "auth",
};

/** Its own terminal error: by its name, then by the answer that it holds. */
function failed(error: z.infer<typeof Event>["error"], now: number): Failure {
  const name = typeof error?.name === "string" ? error.name : "";
  const data = Answer.safeParse(error?.data).data;
  const message = oneLine(data?.message ?? (name || "an error without a reason"));
  const known = BY_NAME[name];
  if (known) return { class: known, message };
  return name === "APIError" ? failureOf(data, true, now) : { class: "crash", message };
}

function sum(before: Tokens | null, step: Part["tokens"]): Tokens | null {
  if (step?.total === undefined) return before;
  const { read, write } = step.cache;
  return {
    input: (before?.input ?? 0) + step.input + read + write,
    cached: (before?.cached ?? 0) + read,
    written: (before?.written ?? 0) + write,
    output: (before?.output ?? 0) + step.output + step.reasoning,
  };
}

function describe(type: string, part: Part): string[] {
  if (type === "text") return (part.text ?? "").split("\n");
  if (type !== "tool_use") return [];
  const { input, status } = part.state ?? {};
  const about = input?.["command"] ?? input?.["filePath"] ?? input?.["pattern"];
  const call = `${part.tool ?? "tool"} ${typeof about === "string" ? about.slice(0, 500) : ""}`.trimEnd();
  return status === "error" ? [call, "the tool answered with an error"] : [call];
}
