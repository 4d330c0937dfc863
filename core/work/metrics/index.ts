/** Metrics: one record an attempt's end, one roll-up a UTC day, answers exact over today and the six days before. */
export { record, recordOfEnd, takeOut, type MetricRow, type RecordInput } from "./record.ts";
export { fold, rebuild } from "./fold.ts";
export { costOfDay, read, readOrNull, spentByProvider } from "./read.ts";
export { typicalRunMs } from "./typical.ts";
export { NO_RUNS, recent, runs, type Recent, type RunCount, type Runs } from "./runs.ts";
export { CODEX_AGENT } from "./tally.ts";
export { MetricsAnswer, type Spent } from "./answer.ts";
export { counts, countsByType, isLive, type ByType, type Counts } from "./counts.ts";
