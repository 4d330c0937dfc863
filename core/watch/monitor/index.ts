/** The monitor, its reading side: what is open, what was resolved, what it reported, and whether it runs at all. */
export { IssueRow, IssueState, OPEN, PRIORITY, Severity } from "./row.ts";
export { freshness, SCHEDULE, type Freshness } from "./freshness.ts";
export { open, resolvedSince } from "./open.ts";
export { issues, MonitorIssues } from "./issues.ts";
export { report, StatusReport } from "./report.ts";
export { fatal, FatalIssues } from "./fatal.ts";
