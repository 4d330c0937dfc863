import * as Store from "../../core/ground/store/index.ts";
import { Keys } from "../../core/ground/store/index.ts";
import * as Monitor from "../../core/watch/monitor/index.ts";
import type { TestDeps } from "../support/deps.ts";

/** Puts an issue as the monitor leaves it; its fingerprint. */
export async function plantIssue(
  deps: TestDeps,
  issue: Pick<Monitor.IssueRow, "condition" | "severity" | "state"> & Partial<Monitor.IssueRow>,
): Promise<string> {
  const now = deps.clock.now();
  const row: Monitor.IssueRow = {
    id: `i-${issue.condition}`,
    fingerprint: issue.condition,
    message: `${issue.condition} is so`,
    suggested_action: "Look at it.",
    first_seen: now,
    last_seen: now,
    ...issue,
  };
  const index = Keys.byIssueState(row.state, Monitor.PRIORITY[row.severity], row.last_seen, row.fingerprint);
  await Store.write(deps.store, {
    kind: "put",
    item: { ...Keys.issue(row.fingerprint), ...index, ent: "issue", v: 1, ...row },
  });
  return row.fingerprint;
}

/** Puts a resolution as the monitor leaves it. */
export async function resolve(deps: TestDeps, fingerprint: string, at: number, healed: boolean): Promise<void> {
  const item = {
    ...Keys.resolution(fingerprint, at),
    ...Keys.byResolution(at, fingerprint, healed),
    ent: "resolution",
  };
  await Store.write(deps.store, { kind: "put", item });
}

/** Puts a document as the monitor leaves it. */
export async function leave(deps: TestDeps, name: "check" | "report" | "fatal", document: unknown): Promise<void> {
  await Store.write(deps.store, { kind: "put", item: { ...Keys.monitor(name), json: JSON.stringify(document) } });
}
