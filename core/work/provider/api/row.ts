import type { Model, Provider } from "../port.ts";

/** The protocols the tool loop speaks; each is one adapter of the AI SDK. */
export const PROTOCOLS = ["messages", "responses", "chat", "openrouter", "bedrock"] as const;
export type Protocol = (typeof PROTOCOLS)[number];

/** One model server as data: a new one is a new row, the loop in run.ts stays as it is. */
export type ApiRow = Pick<Provider, "name" | "executor" | "capabilities" | "prefers" | "verified"> & {
  family: "api";
  protocol: Protocol;
  models: readonly Model[];
  /** Setting that replaces the models by one, where there is such. */
  modelSetting: string | null;
  /** Settings that hold its key, the first that is set counts; none: it asks for no key. */
  credentials: readonly string[];
  /** `fallback` null: there is no server before the setting says which. It may name another setting in braces. */
  baseUrl: { setting: string; fallback: string | null };
  limits: ApiLimits;
};

/** What one run may take at most. Times in ms. */
export type ApiLimits = {
  /** Until an answer's first part. A route that is slow to begin is left for the next candidate. */
  firstTokenMs: number;
  /** Between two parts of an answer. */
  silenceMs: number;
  /** Until an answer is whole: signs of life alone do not keep it going. */
  answerMs: number;
  /** Answers of the model in one run. */
  turns: number;
  /** Tokens in and out of one run. */
  tokens: number;
  /** Tokens of one answer. */
  outputTokens: number;
};
