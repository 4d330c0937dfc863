import { join } from "node:path";
import * as Clock from "../../core/ground/clock.ts";
import * as Id from "../../core/ground/id.ts";
import * as Store from "../../core/ground/store/index.ts";
import type { AttemptRow } from "../../core/work/attempt/index.ts";
import type { ItemRow } from "../../core/work/backlog/index.ts";
import * as Backlog from "../../core/work/backlog/index.ts";
import * as Metrics from "../../core/work/metrics/index.ts";
import * as Task from "../../core/work/task/index.ts";
import { resolveEngine, startEngine } from "../../functions/local/dynamodb.ts";
import { loopback } from "../../functions/local/loopback.ts";

/** All that a host's table holds, sorted by what it is, and what the metrics say about it. */
export type Table = {
  rows: Store.Item[];
  items: ItemRow[];
  tasks: Task.TaskRow[];
  attempts: AttemptRow[];
  records: Metrics.MetricRow[];
  metrics: Awaited<ReturnType<typeof Metrics.read>>;
  counts: Awaited<ReturnType<typeof Metrics.counts>>;
};

/** Reads the table of a home whose host has ended. */
export async function tableOf(home: string): Promise<Table> {
  const binary = await resolveEngine({ home, env: process.env, say: () => {} });
  const engine = await startEngine({ binary, file: join(home, "store", "table.db"), clock: Clock.system() });
  try {
    const wire = loopback(engine.endpoint);
    return await readTable({ wire, table: "coherence", clock: Clock.system(), id: Id.system() });
  } finally {
    await engine.stop();
  }
}

export async function readTable(store: Store.Store): Promise<Table> {
  const rows: Store.Item[] = [];
  let from: Store.Operations["Scan"][0]["ExclusiveStartKey"];
  do {
    const page = await store.wire("Scan", { TableName: store.table, ExclusiveStartKey: from });
    rows.push(...((page.Items ?? []).map(Store.fromAttributes) as Store.Item[]));
    from = page.LastEvaluatedKey;
  } while (from);
  const of = <T>(ent: string) => rows.filter((row) => row["ent"] === ent) as unknown as T[];
  return {
    rows,
    items: of<ItemRow>("item").sort((a, b) => a.rank - b.rank),
    tasks: of("task"),
    attempts: of("attempt"),
    records: of("metric"),
    metrics: await Metrics.read({ store, clock: store.clock }),
    counts: await Metrics.counts({ store }),
  };
}

/** What is wrong with a table whose backlog is done; empty when nothing is. */
export function faults(table: Table): string[] {
  return [...faultsOfTasks(table), ...faultsOfAttempts(table), ...faultsOfMetrics(table), ...leftovers(table)];
}

/** Every item made the tasks 1 to seq, each once, and nothing else did. */
function faultsOfTasks({ items, tasks }: Table): string[] {
  const wanted = items.flatMap((item) =>
    Array.from({ length: item.seq }, (_, i) => Task.idOfKey(Backlog.taskKey(item.backlog, item.id, i + 1))),
  );
  const there = tasks.map((task) => task.id);
  return [
    ...wanted.filter((id) => !there.includes(id)).map((id) => `task ${id} is missing`),
    ...there.filter((id) => !wanted.includes(id)).map((id) => `task ${id} is nobody's`),
    ...tasks.filter((task) => !Task.hasEnded(task.status)).map((task) => `task ${task.id} is ${task.status}`),
  ];
}

/** Attempts are numbered 1 to att, all have ended, each with one record of its own end. */
export function faultsOfAttempts({ tasks, attempts, records }: Table): string[] {
  const found: string[] = [];
  for (const task of tasks) {
    const mine = attempts.filter((one) => one.task_id === task.id).map((one) => one.n);
    const wanted = Array.from({ length: task.att }, (_, i) => i + 1);
    if (mine.sort((a, b) => a - b).join() !== wanted.join())
      found.push(`task ${task.id} has attempts ${mine.join()}, att ${task.att}`);
  }
  for (const one of attempts) {
    const name = `attempt ${one.task_id}/${one.n}`;
    if (one.ended_at === undefined) found.push(`${name} has not ended`);
    const mine = records.filter((record) => record.task_id === one.task_id && record.n === one.n);
    if (mine.length !== 1) found.push(`${name} has ${mine.length} records`);
    if (mine[0] && mine[0].created_at !== one.ended_at)
      found.push(`${name} was recorded at another time than it ended`);
  }
  for (const record of records)
    if (!attempts.some((one) => one.task_id === record.task_id && one.n === record.n))
      found.push(`a record of ${record.task_id}/${record.n} has no attempt`);
  return found;
}

/** Metrics and counters are what a recount of tasks and attempts gives. */
export function faultsOfMetrics({ tasks, attempts, records, metrics, counts }: Table): string[] {
  const byType = (status: string) => (type: string) =>
    tasks.filter((t) => t.status === status && t.task_type === type).length;
  const sum = (values: (number | null | undefined)[]) => values.reduce<number>((all, one) => all + (one ?? 0), 0);
  const count = (status: string) => tasks.filter((task) => task.status === status).length;
  const usages = attempts.flatMap((one) => [one.usage, ...one.tried.map((tried) => tried.usage)]);
  const pairs: [string, unknown, unknown][] = [
    ["completed", metrics.success_rate.completed, count("completed")],
    ["failed", metrics.success_rate.failed, count("failed")],
    ["counted completed", counts.by_status.completed ?? 0, count("completed")],
    ["counted failed", counts.by_status.failed ?? 0, count("failed")],
    ["counted in all", counts.total, tasks.length],
    ["records", records.length, attempts.length],
    ["tokens in", metrics.usage.tokens_in, sum(usages.map((usage) => usage?.tokens_in))],
    ["tokens out", metrics.usage.tokens_out, sum(usages.map((usage) => usage?.tokens_out))],
    [
      "runs",
      sum(Object.values(metrics.by_provider).map((one) => one.count)),
      records.filter((r) => r.run_ms !== null).length,
    ],
    ...["spec", "impl", "test", "review"].map((type): [string, unknown, unknown] => [
      `${type} tasks`,
      [metrics.by_task_type[type]?.completed ?? 0, metrics.by_task_type[type]?.failed ?? 0],
      [byType("completed")(type), byType("failed")(type)],
    ]),
  ];
  return pairs
    .filter(([, said, is]) => JSON.stringify(said) !== JSON.stringify(is))
    .map(([what, said, is]) => `${what}: ${JSON.stringify(said)} by the metrics, ${JSON.stringify(is)} by a recount`);
}

/** Nothing is held any more: no lock, slot, worker, open attempt, queued or delayed task. */
function leftovers({ rows, attempts }: Table): string[] {
  const open = (slot: { task: string; attempt: number }) =>
    attempts.some((one) => one.task_id === slot.task && one.n === slot.attempt && one.ended_at === undefined);
  return rows.flatMap((row) => {
    if (row["ent"] === "worker") return [`worker ${row.sk} is still registered`];
    if (row["ent"] === "lock" && row["owner"] !== undefined) return [`${row.pk} is still held`];
    if (row.pk === "LOCK#dispatch" && (row["slots"] as Parameters<typeof open>[0][]).some(open))
      return ["a slot is still taken"];
    if (row["gsi3pk"] !== undefined) return [`${row.pk} still waits in ${row["gsi3pk"] as string}`];
    return [];
  });
}
