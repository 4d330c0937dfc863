import { ResultBlock } from "../../work/task/index.ts";
import { lastBlock } from "./blocks.ts";

/** The info string of the fenced block that holds an agent's result. */
export const BLOCK_INFO = "coherence-result";

/**
 * What an agent's output says in its result block. `none`: there is no such block. `invalid`: the last one cannot be read,
 * `why` says where; `asked` is true when it did try to ask a question, which must not get lost.
 */
export type Parsed =
  { kind: "result"; result: ResultBlock } | { kind: "none" } | { kind: "invalid"; why: string; asked: boolean };

/** Reads the last result block of an output; no word outside of it has any meaning. Never throws. */
export function parseResult(output: string): Parsed {
  const block = lastBlock(output, BLOCK_INFO);
  if (block === null) return { kind: "none" };
  let value: unknown;
  try {
    value = JSON.parse(block.text);
  } catch {
    const why = block.closed ? "it is not JSON" : "it was not closed, and what is there is not JSON";
    return { kind: "invalid", why, asked: /"question"\s*:\s*\{/.test(block.text) };
  }
  if (!isObject(value)) return { kind: "invalid", why: "it is not a JSON object", asked: false };
  const fields = clipped(withoutNothing(value));
  const read = ResultBlock.safeParse(fields);
  if (read.success) return { kind: "result", result: read.data };
  const why = read.error.issues
    .slice(0, 3)
    .map((issue) => `${issue.path.join(".")}: ${issue.message}`)
    .join("; ");
  return { kind: "invalid", why, asked: "question" in fields };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Agents write null or "" for "nothing": such a field is absent, also inside the question. */
function withoutNothing(value: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, each]) => each !== null && each !== "")
      .map(([key, each]) => [key, key === "question" && isObject(each) ? withoutNothing(each) : each]),
  );
}

/** What is only too long is cut rather than refused: a wordy summary must not cost a verdict. */
function clipped(value: Record<string, unknown>): Record<string, unknown> {
  const list = (entries: unknown, count: number, length: number) =>
    Array.isArray(entries)
      ? entries.slice(0, count).map((each: unknown) => (typeof each === "string" ? each.slice(0, length) : each))
      : entries;
  return {
    ...value,
    ...(typeof value["summary"] === "string" ? { summary: value["summary"].slice(0, 4000) } : {}),
    ...("findings" in value ? { findings: list(value["findings"], 50, 2000) } : {}),
    ...("tests" in value ? { tests: list(value["tests"], 200, 500) } : {}),
  };
}
