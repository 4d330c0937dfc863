import type { Context } from "./context.ts";

/** Answers that are kept: each suite asks for the same few files of its base, each commit for what was in the one before. */
const REMEMBERED = 200;

/** What git says of a commit by its hash never changes: asked once, then remembered by `name`. */
export async function remembered(
  context: Context,
  name: string,
  ask: () => Promise<string | null>,
): Promise<string | null> {
  const known = context.known.get(name);
  if (known !== undefined) return known;
  const answer = await ask();
  remember(context, name, answer);
  return answer;
}

/** Keeps an answer that is known without asking; the oldest goes when there are too many. */
export function remember(context: Context, name: string, answer: string | null): void {
  for (const [oldest] of context.known) if (context.known.size >= REMEMBERED) context.known.delete(oldest);
  context.known.set(name, answer);
}
