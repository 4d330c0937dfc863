import * as z from "zod";

/** How pressing an issue is, and the contract's number for it. */
export const Severity = z.enum(["high", "medium", "low"]);
export type Severity = z.infer<typeof Severity>;
export const PRIORITY: Readonly<Record<Severity, 1 | 2 | 3>> = { high: 1, medium: 2, low: 3 };

/** Seen once and not yet sure; sure; known to somebody; not to be heard of; gone; back again. */
export const IssueState = z.enum(["pending", "firing", "acked", "silenced", "resolved", "regressed"]);
export type IssueState = z.infer<typeof IssueState>;
/** States in which an issue counts: what a person silenced, and what is not sure yet, does not. */
export const OPEN: readonly IssueState[] = ["firing", "acked", "regressed"];

/** An issue as it lies in the table (`ISS#<fingerprint>` / `M`), one a condition and scope. Times in ms. */
export const IssueRow = z.object({
  id: z.string().min(1),
  fingerprint: z.string().min(1),
  condition: z.string().min(1),
  severity: Severity,
  state: IssueState,
  message: z.string(),
  suggested_action: z.string(),
  first_seen: z.number(),
  last_seen: z.number(),
  heal_task_id: z.string().optional(),
});
export type IssueRow = z.infer<typeof IssueRow>;
