import * as z from "zod";
import { iso } from "../../ground/clock.ts";
import type { Deps } from "../../ground/deps.ts";
import { document } from "./document.ts";
import { freshness } from "./freshness.ts";
import { open } from "./open.ts";
import { PRIORITY, Severity, type IssueRow } from "./row.ts";

const Issue = z.strictObject({
  id: z.string(),
  condition: z.string(),
  severity: Severity,
  priority: z.literal([1, 2, 3]),
  message: z.string(),
  suggested_action: z.string(),
  created_at: z.string(),
  resolved_at: z.null(),
  heal_task_id: z.string().optional(),
});

/** What a check leaves beside the issues themselves. */
const Check = z.object({
  history: z.array(z.strictObject({ at: z.string(), condition: z.string(), severity: Severity })).max(100),
  resolved_since_last: z.array(z.string()),
});

/** Contract 4.9; without the last two while no monitor ever ran. */
export const MonitorIssues = z.strictObject({
  issues: z.array(Issue),
  last_check: z.string().nullable(),
  history: Check.shape.history.optional(),
  resolved_since_last: Check.shape.resolved_since_last.optional(),
});
export type MonitorIssues = z.infer<typeof MonitorIssues>;

/** Open issues, the most pressing first, and when the monitor last looked; exactly `{issues: [], last_check: null}` while it never did. */
export async function issues(deps: Pick<Deps, "store" | "clock">): Promise<MonitorIssues> {
  const { state, last_check } = await freshness(deps);
  if (state === "never") return { issues: [], last_check: null };
  const [found, check] = await Promise.all([open(deps), document(deps, "check", Check)]);
  return {
    issues: found.issues.map(shown),
    last_check: last_check === null ? null : iso(last_check),
    ...(typeof check === "object" ? check : { history: [], resolved_since_last: [] }),
  };
}

function shown(row: IssueRow): z.infer<typeof Issue> {
  return {
    id: row.id,
    condition: row.condition,
    severity: row.severity,
    priority: PRIORITY[row.severity],
    message: row.message,
    suggested_action: row.suggested_action,
    created_at: iso(row.first_seen),
    resolved_at: null,
    ...(row.heal_task_id === undefined ? {} : { heal_task_id: row.heal_task_id }),
  };
}
