import type { ModelMessage } from "ai";
import * as z from "zod";

/** Where a paused run goes on from. Plain JSON. */
export type Saved = {
  /** The whole conversation; it ends with a message to the model. */
  messages: ModelMessage[];
  /** Answers so far. */
  turns: number;
  /** Tokens so far, in and out. */
  tokens: number;
  /** Signatures of the last calls. */
  recent: string[];
};

const Shape = z.object({
  messages: z.array(z.looseObject({ role: z.enum(["user", "assistant", "tool"]), content: z.unknown() })).min(1),
  turns: z.number(),
  tokens: z.number(),
  recent: z.array(z.string()),
});

/** What a run begins with: what an earlier part saved, or the prompt. Null when what was saved is none of ours. */
export function begin(prompt: string, saved: unknown): Saved | null {
  if (saved === undefined) return { messages: [{ role: "user", content: prompt }], turns: 0, tokens: 0, recent: [] };
  // The SDK checks the messages themselves when it sends them.
  return (Shape.safeParse(saved).data as Saved | undefined) ?? null;
}
