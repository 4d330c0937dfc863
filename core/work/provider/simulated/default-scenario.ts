import type { Scenario } from "./scenario.ts";

/** Played where no scenario is named; made for the scratch repository's backlog (scratch.ts), harmless elsewhere. */
export const DEFAULT_SCENARIO: Scenario = {
  name: "scratch",
  rules: [
    // A review that rejects once: the item goes back to impl and passes in the next round.
    {
      match: { item: "word-count", phase: "review", round: 0 },
      do: {
        step: "review_rejects",
        findings: ["An empty text has 0 words: say so in the code, and keep it so."],
      },
    },
    // A model that is rate-limited: the next candidate serves.
    {
      match: { item: "slug", phase: "impl", round: 0, model: "sim-fast" },
      do: { step: "rate_limit", retry_after_ms: 20_000 },
    },
    // A question that its default answers.
    {
      match: { item: "round-money", phase: "spec", round: 0, attempt: 1 },
      do: {
        step: "question",
        prompt: "Which way does half a cent round?",
        options: ["half up", "half to even"],
        default: "half up",
        default_after_s: 2,
      },
    },
  ],
};
