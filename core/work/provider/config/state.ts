import type { Parsed, Which } from "./parse.ts";
import type { Overrides } from "./schema.ts";

/** What was found where a `coherence.config.json` may lie. */
export type Seen = { kind: "absent" } | (Parsed & { text?: string });

/** How a `coherence.config.json` stands, and what the host goes by meanwhile. Time in ms. */
export type ConfigState = {
  which: Which;
  /** Where it lies, for people. */
  file: string;
  state: "absent" | "used" | "refused";
  /** `last_good`: what it said before it was broken; `nothing`: the table without it. */
  using: "nothing" | "file" | "last_good";
  problem: string | null;
  remedy: string | null;
  /** When it came to stand so. */
  since: number;
  overrides: Overrides;
};

/**
 * How a file stands after a look at it. One that is broken changes nothing: what it last said goes on, or `lastGood`, which a
 * host before this one kept; where there is neither, the host goes on without it. A file that is gone says nothing. Pure.
 */
export function nextState(
  file: Pick<ConfigState, "which" | "file">,
  before: ConfigState | undefined,
  seen: Seen,
  lastGood: Overrides | undefined,
  now: number,
): ConfigState {
  const state = stateOf(before, seen, lastGood);
  const same =
    before?.state === state.state &&
    before.problem === state.problem &&
    JSON.stringify(before.overrides) === JSON.stringify(state.overrides);
  return { ...file, ...state, since: same ? before.since : now };
}

function stateOf(
  before: ConfigState | undefined,
  seen: Seen,
  lastGood: Overrides | undefined,
): Omit<ConfigState, "which" | "file" | "since"> {
  const well = { problem: null, remedy: null };
  switch (seen.kind) {
    case "absent":
      return { state: "absent", using: "nothing", ...well, overrides: {} };
    case "good":
      return { state: "used", using: "file", ...well, overrides: seen.overrides };
    case "bad": {
      const { problem, remedy } = seen;
      const kept = before && before.using !== "nothing" ? before.overrides : before ? undefined : lastGood;
      return kept
        ? { state: "refused", using: "last_good", problem, remedy, overrides: kept }
        : { state: "refused", using: "nothing", problem, remedy, overrides: {} };
    }
  }
}
