import type { ApiLimits } from "./row.ts";

/** What suits servers in a data centre: the next candidate is asked within 15 s of a route that is slow to begin. */
export const REMOTE: ApiLimits = {
  firstTokenMs: 12_000,
  silenceMs: 90_000,
  answerMs: 1_200_000,
  turns: 120,
  tokens: 8_000_000,
  outputTokens: 32_000,
};

/** A model on a machine of one's own loads at the first request, and reads a prompt slowly. */
export const LOCAL: ApiLimits = {
  firstTokenMs: 180_000,
  silenceMs: 60_000,
  answerMs: 3_600_000,
  turns: 80,
  tokens: 3_000_000,
  outputTokens: 8_000,
};
